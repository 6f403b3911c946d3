package main

import (
	"crypto/x509"
	"net"
	"slices"
	"time"

	"github.com/etcd-node/etcd-node/test/pki"
)

// makePKI makes the files of the rows about TLS: two CAs, and certificates of
// the first.
func makePKI() map[string][]byte {
	files := map[string][]byte{"empty": nil}
	issue := func(name string, by *pki.Certificate, change func(*x509.Certificate)) *pki.Certificate {
		c := pki.Issue(by, change)
		files[name+".crt"], files[name+".key"] = c.Cert, c.Key
		return c
	}
	ca := issue("ca", nil, pki.Authority)
	other := issue("other", nil, pki.Authority)
	files["negative.crt"] = other.NegativeSerial()
	files["bundle.crt"] = slices.Concat(ca.Cert, other.NegativeSerial())
	issue("good", ca, nil)
	issue("expired", ca, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Hour) })
	issue("server", ca, func(c *x509.Certificate) { c.ExtKeyUsage = c.ExtKeyUsage[:1] })
	issue("elsewhere", ca, func(c *x509.Certificate) { c.IPAddresses = []net.IP{net.IPv4(10, 0, 0, 9)} })
	return files
}
