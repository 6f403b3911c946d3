package preflight

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// soon is how long before its end a certificate is worth a word: the longest
// of the usual times between two renewals by hand.
const soon = 30 * 24 * time.Hour

// authority reads the trusted CA; nil where none is set or none can be used.
func (c *checker) authority() *x509.CertPool {
	const setting = "trusted-ca-file"
	if c.CA == "" {
		return nil
	}
	data, ok := c.read(setting, c.CA)
	if !ok {
		return nil
	}
	certs := parse(data)
	if len(certs) == 0 {
		c.add(setting, c.CA+" holds no certificate", "give the CA's certificate in PEM", false)
		return nil
	}
	pool, now := x509.NewCertPool(), c.Now()
	for _, cert := range certs {
		pool.AddCert(cert)
		switch left := cert.NotAfter.Sub(now); {
		case left < 0 && len(certs) == 1:
			c.add(setting, fmt.Sprintf("%s expired on %s", c.CA, cert.NotAfter.Format(time.DateOnly)), "renew the CA's certificate", false)
		case left < soon:
			c.add(setting, fmt.Sprintf("a certificate in %s expires on %s", c.CA, cert.NotAfter.Format(time.DateOnly)), "renew it", true)
		}
	}
	return pool
}

// valid checks a certificate's time and, against roots, its chain.
func (c *checker) valid(setting, path string, chain []*x509.Certificate, roots *x509.CertPool) {
	leaf, now := chain[0], c.Now()
	at := now
	switch left := leaf.NotAfter.Sub(now); {
	case now.Before(leaf.NotBefore):
		c.add(setting, fmt.Sprintf("%s is not valid before %s; now it is %s", path, leaf.NotBefore.Format(time.DateTime), now.Format(time.DateTime)),
			"is the clock right? see timedatectl", true)
		at = leaf.NotBefore
	case left < 0:
		c.add(setting, fmt.Sprintf("%s expired on %s", path, leaf.NotAfter.Format(time.DateOnly)), "renew the certificate, or correct the clock", false)
		at = leaf.NotAfter
	case left < soon:
		c.add(setting, fmt.Sprintf("%s expires in %d days, on %s", path, int(left.Hours()/24), leaf.NotAfter.Format(time.DateOnly)),
			"renew it; etcd takes a new file without a restart", true)
	}
	if roots == nil {
		return
	}
	others := x509.NewCertPool()
	for _, cert := range chain[1:] {
		others.AddCert(cert)
	}
	_, err := leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: others, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	var invalid x509.CertificateInvalidError
	if err == nil || errors.As(err, &invalid) && invalid.Reason == x509.Expired {
		return // of the CA's own end authority has told
	}
	// Clients are verified against this CA; the servers' may be another one.
	c.add(setting, fmt.Sprintf("%s does not verify against %s: %v", path, c.CA, err),
		"is it from another CA, or is an intermediate missing behind it?", !c.Peer || !c.Several)
}

// usage checks that a certificate may be used as what it will be.
func (c *checker) usage(setting, path string, chain []*x509.Certificate, use x509.ExtKeyUsage, as string, notice bool) {
	if allows(chain[0], use) {
		return
	}
	name := "serverAuth"
	if use == x509.ExtKeyUsageClientAuth {
		name = "clientAuth"
	}
	what := fmt.Sprintf("%s may not be used as %s: its extended key usage lacks %s", path, as, name)
	if c.Peer {
		what += "; a peer is both client and server"
	}
	c.add(setting, what, "have it issued with extendedKeyUsage = serverAuth, clientAuth", notice)
}

// allows reports whether a certificate may be used so.
func allows(leaf *x509.Certificate, use x509.ExtKeyUsage) bool {
	return len(leaf.ExtKeyUsage)+len(leaf.UnknownExtKeyUsage) == 0 || slices.Contains(leaf.ExtKeyUsage, use) || slices.Contains(leaf.ExtKeyUsage, x509.ExtKeyUsageAny)
}

// ServerOnly reports whether a certificate may not be a client's. Of a file
// that cannot be read it is not known, and false.
func (h *Host) ServerOnly(path string) bool {
	data, err := h.ReadFile(path)
	chain := parse(data)
	return err == nil && len(chain) > 0 && !allows(chain[0], x509.ExtKeyUsageClientAuth)
}

// Names checks that a side's certificate names the hosts under which others
// connect to this member. It says nothing of files that [TLS] complains about.
func (h *Host) Names(s Side, hosts []string) []Finding {
	c := &checker{Host: h, Side: s}
	if s.Cert == "" {
		return nil
	}
	data, err := c.ReadFile(s.Cert)
	chain := parse(data)
	if err != nil || len(chain) == 0 {
		return nil
	}
	var missing []string
	for _, host := range hosts {
		if addr, err := netip.ParseAddr(host); err == nil && addr.IsUnspecified() {
			continue
		}
		if chain[0].VerifyHostname(host) != nil && !slices.Contains(missing, host) {
			missing = append(missing, host)
		}
	}
	if len(missing) > 0 {
		c.add("cert-file", fmt.Sprintf("%s is not for %s, under which others connect to this member; it is for %s", s.Cert, strings.Join(missing, ", "), names(chain[0])),
			"have it issued with these as subjectAltName", !s.Peer || !s.Several)
	}
	return c.found
}

// names lists what a certificate is for.
func names(cert *x509.Certificate) string {
	list := slices.Clone(cert.DNSNames)
	for _, ip := range cert.IPAddresses {
		list = append(list, ip.String())
	}
	if len(list) == 0 {
		return "no name at all (the common name does not count)"
	}
	const most = 8 // a wildcard farm must not fill the screen
	if len(list) > most {
		list = append(list[:most], "…")
	}
	return strings.Join(list, ", ")
}
