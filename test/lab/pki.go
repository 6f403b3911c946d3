package lab

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"strings"

	"github.com/etcd-node/etcd-node/test/pki"
)

// PKI is a CA and one certificate, good for every host as server, peer and
// client: so that the env file can be the same on all of them.
type PKI struct {
	client *tls.Config
	files  map[string][]byte // PEM, by name
}

// NewPKI makes one for these hosts.
func NewPKI(hosts []*Host) *PKI {
	ca := pki.Issue(nil, pki.Authority)
	cert := pki.Issue(ca, func(c *x509.Certificate) {
		for _, h := range hosts {
			c.IPAddresses = append(c.IPAddresses, net.ParseIP(h.IP))
			c.DNSNames = append(c.DNSNames, h.Name)
		}
	})
	p := &PKI{client: cert.TLS(), files: map[string][]byte{"ca.crt": ca.Cert, "etcd.crt": cert.Cert, "etcd.key": cert.Key}}
	p.client.RootCAs = x509.NewCertPool()
	p.client.RootCAs.AppendCertsFromPEM(ca.Cert)
	return p
}

// TLS is the configuration of a client; nil, for http, without a PKI.
func (p *PKI) TLS() *tls.Config {
	if p == nil {
		return nil
	}
	return p.client
}

// Install puts the files into /etc/etcd on a host, readable by the service's
// group.
func (p *PKI) Install(ctx context.Context, h *Host) error {
	for name, content := range p.files {
		if err := h.Write(ctx, "/etc/etcd/"+name, string(content), 0o640); err != nil {
			return err
		}
	}
	_, err := h.Run(ctx, "chgrp", "-R", "etcd", "/etc/etcd")
	return err
}

// Env are the lines of the env file that make a member use it, with clients
// and peers. The URLs must say https too.
func (p *PKI) Env() []string {
	return append([]string{
		"ETCD_CERT_FILE=/etc/etcd/etcd.crt", "ETCD_KEY_FILE=/etc/etcd/etcd.key",
		"ETCD_TRUSTED_CA_FILE=/etc/etcd/ca.crt", "ETCD_CLIENT_CERT_AUTH=true",
	}, p.Peers()...)
}

// Peers are those that make it use it with peers alone.
func (p *PKI) Peers() []string {
	return []string{
		"ETCD_PEER_CERT_FILE=/etc/etcd/etcd.crt", "ETCD_PEER_KEY_FILE=/etc/etcd/etcd.key",
		"ETCD_PEER_TRUSTED_CA_FILE=/etc/etcd/ca.crt", "ETCD_PEER_CLIENT_CERT_AUTH=true",
	}
}

// Flags are the same as etcd's flags.
func (p *PKI) Flags() []string {
	var flags []string
	for _, line := range p.Env() {
		name, value, _ := strings.Cut(strings.TrimPrefix(line, "ETCD_"), "=")
		flags = append(flags, "--"+strings.ReplaceAll(strings.ToLower(name), "_", "-")+"="+value)
	}
	return flags
}
