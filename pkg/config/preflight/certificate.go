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

// soonest and soonShare are how long before its end a certificate is worth a
// word: the longest of the usual times between two renewals by hand; and of one
// that lives shorter the last quarter, because programs renew it after two
// thirds of its life.
const (
	soonest   = 30 * day
	soonShare = 4
	day       = 24 * time.Hour
)

// soon is when it is time for a word about the end of a certificate.
func soon(cert *x509.Certificate) time.Time {
	return cert.NotAfter.Add(-min(soonest, cert.NotAfter.Sub(cert.NotBefore)/soonShare))
}

// authority reads the trusted CA; nil where none is set or none can be used.
func (c *checker) authority() *x509.CertPool {
	const setting, hint = "trusted-ca-file", "give the CA's certificate in PEM"
	if c.CA == "" {
		return nil
	}
	data, ok := c.read(setting, c.CA)
	if !ok {
		return nil
	}
	bundle := parse(data, true)
	switch err := errors.Join(bundle.first, bundle.rest); {
	case err != nil: // etcd does not load any of them then
		c.add(Late, setting, fmt.Sprintf("%s: %s", c.CA, strings.ReplaceAll(err.Error(), "\n", ", ")), "take it out, or have it issued again", false)
		return nil
	case len(bundle.certs) == 0:
		what, more := bundle.none(data)
		c.add(Late, setting, c.CA+" "+what, more+hint, false)
		return nil
	case bundle.cut:
		c.misfit(setting, c.CA+" ends within a certificate", hint, false)
	}
	pool := x509.NewCertPool()
	for i, cert := range bundle.certs {
		pool.AddCert(cert)
		if len(bundle.certs) == 1 {
			c.times(setting, c.CA, cert, "; etcd reads it when it starts")
			continue
		}
		// While one CA takes over from another it is right that one ends.
		c.changesAt(soon(cert))
		c.changesAt(cert.NotAfter)
		what, now := "", c.Now()
		switch {
		case !now.Before(cert.NotAfter):
			what = "expired"
		case !now.Before(soon(cert)):
			what = "expires"
		default:
			continue
		}
		c.add(Aside, setting, fmt.Sprintf("%s: certificate %d of %d %s on %s", c.CA, i+1, len(bundle.certs), what, cert.NotAfter.Format(time.DateOnly)),
			"renew it, or take it out if nobody uses it any more", true)
	}
	return pool
}

// times says what there is to be said of a certificate's time. It never keeps a
// member from starting: the clock may be wrong, and everybody would stop. Counts
// says when a new file counts.
func (c *checker) times(setting, path string, cert *x509.Certificate, counts string) {
	now := c.Now()
	left := cert.NotAfter.Sub(now)
	c.changesAt(cert.NotBefore)
	c.changesAt(soon(cert))
	c.changesAt(cert.NotAfter)
	switch {
	case now.Before(cert.NotBefore):
		c.add(Expired, setting, fmt.Sprintf("%s is not valid before %s UTC", path, cert.NotBefore.UTC().Format(time.DateTime)), "is the clock right? see timedatectl", true)
	case left <= 0:
		c.add(Expired, setting, fmt.Sprintf("%s expired on %s", path, cert.NotAfter.UTC().Format(time.DateOnly)), "renew it, or correct the clock"+counts, true)
	case now.Before(soon(cert)):
	case left < day: // without a count, which would change with every look
		c.add(Expires, setting, fmt.Sprintf("%s expires at %s UTC", path, cert.NotAfter.UTC().Format(time.DateTime)), "renew it"+counts, true)
	default:
		c.changesAt(now.Add(left % day))
		c.add(Expires, setting, fmt.Sprintf("%s expires in %s, on %s", path, days(left), cert.NotAfter.UTC().Format(time.DateOnly)), "renew it"+counts, true)
	}
}

// days are the whole days of a time of at least one.
func days(d time.Duration) string {
	if d < 2*day {
		return "1 day"
	}
	return fmt.Sprintf("%d days", d/day)
}

// valid checks a certificate's time and, against roots, its chain.
func (c *checker) valid(setting, path string, chain []*x509.Certificate, roots *x509.CertPool) {
	leaf := chain[0]
	c.times(setting, path, leaf, "; etcd takes a new file without a restart")
	if roots == nil {
		return
	}
	at := c.Now()
	switch {
	case at.Before(leaf.NotBefore):
		at = leaf.NotBefore
	case at.After(leaf.NotAfter):
		at = leaf.NotAfter
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
	c.misfit(setting, fmt.Sprintf("%s does not verify against %s: %v", path, c.CA, err),
		"is it from another CA, or is an intermediate missing behind it?", c.Peer && c.Several)
}

// usage checks that a certificate may be used as what it will be.
func (c *checker) usage(setting, path string, chain []*x509.Certificate, use x509.ExtKeyUsage, as string, serious bool) {
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
	c.misfit(setting, what, "have it issued with extendedKeyUsage = serverAuth, clientAuth", serious)
}

// allows reports whether a certificate may be used so.
func allows(leaf *x509.Certificate, use x509.ExtKeyUsage) bool {
	return len(leaf.ExtKeyUsage)+len(leaf.UnknownExtKeyUsage) == 0 || slices.Contains(leaf.ExtKeyUsage, use) || slices.Contains(leaf.ExtKeyUsage, x509.ExtKeyUsageAny)
}

// ServerOnly reports whether a certificate may not be a client's. Of a file
// that cannot be read it is not known, and false.
func (h *Host) ServerOnly(path string) bool {
	data, err := h.ReadFile(path)
	chain := parse(data, false).certs
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
	bundle := parse(data, false)
	if err != nil || bundle.first != nil || len(bundle.certs) == 0 {
		return nil
	}
	leaf := bundle.certs[0]
	var missing []string
	for _, host := range hosts {
		if addr, err := netip.ParseAddr(host); err == nil && addr.IsUnspecified() {
			continue
		}
		if leaf.VerifyHostname(host) != nil && !slices.Contains(missing, host) {
			missing = append(missing, host)
		}
	}
	if len(missing) > 0 {
		c.misfit("cert-file", fmt.Sprintf("%s is not for %s, under which others connect to this member; it is for %s", s.Cert, strings.Join(missing, ", "), names(leaf)),
			"have it issued with these as subjectAltName", s.Peer && s.Several)
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
