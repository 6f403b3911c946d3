package main

import (
	"crypto/x509"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/status"
	"github.com/etcd-node/etcd-node/test/loopback"
	"github.com/etcd-node/etcd-node/test/pki"
)

// tls is about certificates, keys and authorities.
func (p *product) tls() []fault {
	// late is a file that is not as it must be when a new member starts.
	late := func(name, says string, spoil func(n *local, ca *pki.Certificate)) fault {
		return fault{name, failure.IDTLSFile, "waits with the reason, nothing begun; serves by itself when the file is there", goalServing, p.on(func(s *stage) (string, time.Duration) {
			nodes, ca := s.secured("a")
			n := nodes[0]
			spoil(n, ca)
			n.start()
			x := n.await("STATUS=starting: waiting for TLS files: ")
			if !strings.Contains(x.Text, says) || !strings.Contains(x.Text, "or correct ETCD_PEER_") {
				s.fail("%q lacks %q", x.Text, says)
			}
			n.explained(failure.IDTLSFile)
			if _, err := os.Stat(filepath.Join(n.Data(), "member")); err == nil {
				s.fail("it has begun a member")
			}
			n.has("ca.crt", ca.Cert)
			n.shows(pki.Issue(ca, nil))
			line, took := n.back(time.Now())
			return then(n.essence(x.Text), line), took
		})}
	}
	ended := func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Hour) }
	return []fault{
		late("no certificate, key or CA yet", "node.crt does not exist", func(*local, *pki.Certificate) {}),
		late("a certificate of 0 bytes", "node.crt is empty", func(n *local, ca *pki.Certificate) {
			n.has("ca.crt", ca.Cert)
			n.shows(pki.Issue(ca, nil))
			n.has("node.crt", nil)
		}),
		late("the key of another certificate", "node.key does not fit", func(n *local, ca *pki.Certificate) {
			n.has("ca.crt", ca.Cert)
			n.shows(pki.Issue(ca, nil))
			n.has("node.key", ca.Key)
		}),
		late("a negative serial number in the trusted CA", "certificate 2 of 2 cannot be parsed: x509: negative serial number", func(n *local, ca *pki.Certificate) {
			n.has("ca.crt", slices.Concat(ca.Cert, pki.Issue(ca, nil).NegativeSerial()))
			n.shows(pki.Issue(ca, nil))
		}),
		{"the certificate goes while the member is down", failure.IDTLSFile, "waits with the reason; serves by itself when the file is there", goalServing, p.on(func(s *stage) (string, time.Duration) {
			n := s.securedOne()
			cert := n.takeAway("node.crt")
			s.must(s.kill(n))
			x := n.await("STATUS=starting: waiting for TLS files: ")
			n.explained(failure.IDTLSFile)
			n.Mark()
			n.has("node.crt", cert)
			line, took := n.back(time.Now())
			return then(n.essence(x.Text), line), took
		})},
		{"the certificate goes while the member runs", failure.IDTLSFile, shown, goalExplained, p.on(func(s *stage) (string, time.Duration) {
			n := s.securedOne()
			begun := time.Now()
			cert := n.takeAway("node.crt")
			line, at := n.condition(failure.IDTLSFile)
			n.kept()
			n.has("node.crt", cert)
			n.cleared()
			return n.essence(line), at.Sub(begun)
		})},
		{"the revocation list is not there", failure.IDTLSCRL, "serves, as stock etcd does, with the file shown; it counts when it is there", goalServing, p.on(func(s *stage) (string, time.Duration) {
			nodes, ca := s.secured("a")
			n := nodes[0]
			n.has("ca.crt", ca.Cert)
			n.shows(pki.Issue(ca, nil))
			n.set("ETCD_PEER_CRL_FILE", filepath.Join(n.Dir, "tls", "crl.der"))
			begun := time.Now()
			n.start()
			at := n.serves().At
			line, _ := n.condition(failure.IDTLSCRL)
			n.put()
			n.has("crl.der", ca.CRL())
			n.cleared()
			return n.essence(line), at.Sub(begun)
		})},
		{"the certificate towards the peers has expired", failure.IDTLSExpired, "started and not joined, with file and date; joins by itself when a new file is there", goalServing, p.on(func(s *stage) (string, time.Duration) {
			nodes, ca := s.secured("a", "b", "c")
			for _, n := range nodes {
				n.has("ca.crt", ca.Cert)
				n.shows(pki.Issue(ca, nil))
				n.start()
			}
			for _, n := range nodes {
				n.serves()
			}
			a := nodes[0]
			a.put()
			a.stop()
			a.shows(pki.Issue(ca, ended))
			a.start()
			a.condition(failure.IDTLSExpired)
			st, _ := a.until("refused by its peers", func(st status.Status) bool {
				return st.State == status.Joining && strings.Contains(st.Line(), "it refuses our certificate") && strings.Contains(st.Line(), "node.crt expired on ")
			})
			nodes[1].kept()
			a.Mark()
			a.shows(pki.Issue(ca, nil))
			_, took := a.back(time.Now())
			return then(a.essence(st.Line()), a.essence(a.cleared())), took
		})},
		{"the certificate towards clients has expired", failure.IDTLSExpired, carrying, goalExplained, p.on(func(s *stage) (string, time.Duration) {
			n := s.securedOne()
			n.stop()
			c := pki.Issue(nil, ended)
			n.has("client.crt", c.Cert)
			n.has("client.key", c.Key)
			n.set("ETCD_CERT_FILE", filepath.Join(n.Dir, "tls", "client.crt"))
			n.set("ETCD_KEY_FILE", filepath.Join(n.Dir, "tls", "client.key"))
			n.set("ETCD_LISTEN_METRICS_URLS", "https://"+loopback.Address())
			n.start()
			n.serves()
			line, at := n.condition(failure.IDTLSExpired)
			n.kept()
			return n.essence(line), at.Sub(n.begun)
		})},
		{"the certificate towards the peers expires while the member runs", failure.IDTLSExpires, "the member lives on; it is said before and after", goalExplained, p.on(func(s *stage) (string, time.Duration) {
			nodes, ca := s.secured("a")
			n := nodes[0]
			n.has("ca.crt", ca.Cert)
			n.shows(pki.Issue(ca, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(8 * time.Second) }))
			n.start()
			n.serves()
			n.put()
			line, at := n.condition(failure.IDTLSExpires)
			after, _ := n.condition(failure.IDTLSExpired)
			n.kept()
			n.shows(pki.Issue(ca, nil))
			n.cleared()
			return then(n.essence(line), n.essence(after)), at.Sub(n.begun)
		})},
		{"a second CA in the file of the trusted CA", failure.IDTLSCAChanged, "the member lives on; it is said until a restart", goalExplained, p.on(func(s *stage) (string, time.Duration) {
			n := s.securedOne()
			begun := time.Now()
			ca := n.takeAway("ca.crt")
			n.has("ca.crt", slices.Concat(ca, pki.Issue(nil, pki.Authority).Cert))
			line, at := n.condition(failure.IDTLSCAChanged)
			n.kept()
			n.stop()
			n.up()
			n.cleared()
			return n.essence(line), at.Sub(begun)
		})},
	}
}

// secured are new nodes, as cluster has them, whose members speak TLS with each
// other, and the CA for their certificates. No file is there yet.
func (s *stage) secured(names ...string) ([]*local, *pki.Certificate) {
	nodes := s.cluster(names...)
	var members []*loopback.Member
	for _, n := range nodes {
		n.Peer = strings.Replace(n.Peer, "http:", "https:", 1)
		members = append(members, &n.Member)
		for setting, file := range map[string]string{"TRUSTED_CA": "ca.crt", "CERT": "node.crt", "KEY": "node.key"} {
			n.set("ETCD_PEER_"+setting+"_FILE", filepath.Join(n.Dir, "tls", file))
		}
	}
	loopback.Unite(members...)
	return nodes, pki.Issue(nil, pki.Authority)
}

// securedOne is a cluster of one that serves, with all of its files.
func (s *stage) securedOne() *local {
	nodes, ca := s.secured("a")
	n := nodes[0]
	n.has("ca.crt", ca.Cert)
	n.shows(pki.Issue(ca, nil))
	n.up()
	n.put()
	return n
}

// kill kills the member process.
func (s *stage) kill(n *local) error {
	n.Mark()
	p, err := os.FindProcess(n.member())
	if err != nil {
		return err
	}
	return p.Kill()
}

// has puts a file in place, under its name at once.
func (n *local) has(name string, data []byte) {
	path := filepath.Join(n.Dir, "tls", name)
	n.s.must(os.MkdirAll(filepath.Dir(path), 0o755))
	n.s.must(os.WriteFile(path+".new", data, 0o644))
	n.s.must(os.Rename(path+".new", path))
}

func (n *local) shows(c *pki.Certificate) {
	n.has("node.key", c.Key)
	n.has("node.crt", c.Cert)
}

// takeAway removes a file, and is what was in it.
func (n *local) takeAway(name string) []byte {
	path := filepath.Join(n.Dir, "tls", name)
	data, err := os.ReadFile(path)
	n.s.must(err)
	n.s.must(os.Remove(path))
	return data
}

// cleared waits until it serves and nothing is wrong any more, and is what it
// says then.
func (n *local) cleared() string {
	st, _ := n.until("well", func(st status.Status) bool {
		return st.State == status.Serving && len(st.AllConditions()) == 0 && st.View.AllConnected()
	})
	return st.Line()
}
