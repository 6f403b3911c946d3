package main

import (
	"crypto/x509"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/etcd-node/etcd-node/test/lab"
	"github.com/etcd-node/etcd-node/test/pki"
)

// peerFaults are about how members reach each other: what the environment says,
// and from which address they come.
var peerFaults = []fault{
	{
		// TestMembersGoPastProxies has one that answers 403.
		name: "HTTP_PROXY names a proxy that refuses connections", id: "-", goal: goalExplained,
		expected: "members go past it: all serve",
		run: onHosts(func(s *scene) (string, time.Duration) {
			from := lab.Now()
			s.three("HTTP_PROXY=http://" + s.host(3).IP + ":3128")
			took := lab.Now() - from
			s.put(1, 2, 3)
			line, _ := s.says(1, "serving", "3 of 3 members")
			return line, took
		}),
	},
	{
		name: "a second address is the source; each member's certificate is for its own address alone", id: "-", goal: goalExplained,
		expected: "the cause has both addresses; with ETCD_FEATURE_GATES=SetMemberLocalAddr=true all is well",
		run: onHosts(func(s *scene) (string, time.Duration) {
			const other = "192.168.122.100"
			h := s.host(3)
			s.sh(3, fmt.Sprintf("ip address add %s/24 dev eth0; ip route change 192.168.122.0/24 dev eth0 src %s", other, other))
			s.ownCertificates(1, 3)
			settings := []string{
				fmt.Sprintf("ETCD_INITIAL_CLUSTER=%s=https://%s:2380,%s=https://%s:2380", s.host(1).Name, s.host(1).IP, h.Name, h.IP),
				"ETCD_PEER_CERT_FILE=/etc/etcd/peer.crt", "ETCD_PEER_KEY_FILE=/etc/etcd/peer.key", "ETCD_PEER_TRUSTED_CA_FILE=/etc/etcd/ca.crt",
				"ETCD_PEER_CLIENT_CERT_AUTH=true",
			}
			s.env(settings...)
			s.begin(1)
			from := s.begin(3)
			seen, at := s.says(3, fmt.Sprintf("TLS: it sees %s, the certificate is for %s", other, h.IP))
			s.run(3, "systemctl", "stop", "etcd")
			s.env(append(settings, "ETCD_FEATURE_GATES=SetMemberLocalAddr=true")...)
			s.begin(3)
			s.says(3, "serving", "2 of 2 members")
			if line := s.status(3); strings.Contains(line, "does not answer") {
				s.failf("%s", line)
			}
			s.put(3)
			return seen, at - from
		}),
	},
}

// ownCertificates gives each host a certificate for its own address.
func (s *scene) ownCertificates(hosts ...int) {
	ca := pki.Issue(nil, pki.Authority)
	for _, i := range hosts {
		c := pki.Issue(ca, func(c *x509.Certificate) { c.IPAddresses = []net.IP{net.ParseIP(s.host(i).IP)} })
		for name, content := range map[string][]byte{"ca.crt": ca.Cert, "peer.crt": c.Cert, "peer.key": c.Key} {
			s.must(s.host(i).Write(s.ctx, "/etc/etcd/"+name, string(content), 0o644))
		}
	}
}
