package preflight

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io/fs"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/etcd-node/etcd-node/test/pki"
)

var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// files is a file system for tests; a value that is an error is what reading
// the file gives.
type files map[string]any

func (f files) host() *Host {
	return &Host{
		Now: func() time.Time { return now },
		ReadFile: func(path string) ([]byte, error) {
			switch v := f[path].(type) {
			case string:
				return []byte(v), nil
			case error:
				return nil, &fs.PathError{Op: "open", Path: path, Err: v}
			}
			return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
		},
	}
}

// issue makes a certificate for etcd-1 that is good for a year at the tests'
// time.
func issue(by *pki.Certificate, change func(*x509.Certificate)) (c *pki.Certificate, cert, key string) {
	c = pki.Issue(by, func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = now.Add(-time.Hour), now.AddDate(1, 0, 0)
		c.IPAddresses, c.DNSNames = []net.IP{net.IPv4(10, 0, 0, 1)}, []string{"etcd-1.example"}
		if change != nil {
			change(c)
		}
	})
	return c, string(c.Cert), string(c.Key)
}

// text prints findings as a table row can hold them.
func text(found []Finding) string {
	var b strings.Builder
	for _, f := range found {
		kind := "problem"
		if f.Notice {
			kind = "notice"
		}
		fmt.Fprintf(&b, "%s %s: %s\n", kind, f.Setting, f.What)
	}
	return b.String()
}

func TestTLS(t *testing.T) {
	ca, caPEM, _ := issue(nil, pki.Authority)
	_, otherCA, _ := issue(nil, pki.Authority)
	_, cert, key := issue(ca, nil)
	_, _, otherKey := issue(ca, nil)
	middle, middlePEM, _ := issue(ca, pki.Authority)
	_, below, belowKey := issue(middle, nil)
	with := func(change func(*x509.Certificate)) files {
		_, c, k := issue(ca, change)
		return files{"ca": caPEM, "crt": c, "key": k}
	}
	days := func(n int) func(*x509.Certificate) {
		return func(c *x509.Certificate) {
			c.NotBefore, c.NotAfter = now.AddDate(-1, 0, 0), now.Add(time.Duration(n)*24*time.Hour)
		}
	}
	peer := Side{Peer: true, Cert: "crt", Key: "key", CA: "ca", Several: true}
	good := files{"ca": caPEM, "crt": cert, "key": key}
	for _, tc := range []struct {
		name  string
		files files
		side  Side
		want  string
	}{
		{"good", good, peer, ""},
		{"nothing set", nil, Side{}, ""},
		{"no certificate", files{"ca": caPEM, "key": key}, peer, "problem peer-cert-file: crt does not exist\n"},
		{"all three missing", nil, peer, "problem peer-trusted-ca-file: ca does not exist\nproblem peer-cert-file: crt does not exist\nproblem peer-key-file: key does not exist\n"},
		{"key not allowed", files{"ca": caPEM, "crt": cert, "key": fs.ErrPermission}, peer, "problem peer-key-file: key cannot be read by this user\n"},
		{"a directory", files{"ca": caPEM, "crt": cert, "key": syscall.EISDIR}, peer, "problem peer-key-file: read key: is a directory\n"},
		{"certificate alone", good, Side{Cert: "crt"}, "problem cert-file: a certificate without a key\n"},
		{"key alone", good, Side{Key: "key"}, "problem key-file: a key without a certificate\n"},
		{"other key", files{"ca": caPEM, "crt": cert, "key": otherKey}, peer, "problem peer-key-file: key does not fit crt: tls: private key does not match public key\n"},
		{"the two swapped", files{"ca": caPEM, "crt": key, "key": cert}, peer, "problem peer-cert-file: crt holds no certificate\n"},
		{"an empty CA", files{"ca": "", "crt": cert, "key": key}, peer, "problem peer-trusted-ca-file: ca is empty\n"},
		{"other CA", files{"ca": otherCA, "crt": cert, "key": key}, peer, "problem peer-cert-file: crt does not verify against ca: x509: certificate signed by unknown authority"},
		{"other CA, one member", files{"ca": otherCA, "crt": cert, "key": key}, Side{Peer: true, Cert: "crt", Key: "key", CA: "ca"}, "notice peer-cert-file: crt does not verify"},
		{"other CA, clients", files{"ca": otherCA, "crt": cert, "key": key}, Side{Cert: "crt", Key: "key", CA: "ca", Several: true}, "notice cert-file: crt does not verify"},
		{"intermediate missing", files{"ca": caPEM, "crt": below, "key": belowKey}, peer, "problem peer-cert-file: crt does not verify"},
		{"intermediate there", files{"ca": caPEM, "crt": below + middlePEM, "key": belowKey}, peer, ""},
		{"expired", with(days(-1)), peer, "notice peer-cert-file: crt expired on 2026-11-21\n"},
		{"expires soon", with(days(12)), peer, "notice peer-cert-file: crt expires in 12 days, on 2026-12-04\n"},
		{"expires later", with(days(31)), peer, ""},
		{"not valid yet", with(func(c *x509.Certificate) { c.NotBefore = now.Add(time.Hour) }), peer, "notice peer-cert-file: crt is not valid before 2026-11-22 13:00:00 UTC\n"},
		{"a server only", with(func(c *x509.Certificate) { c.ExtKeyUsage = c.ExtKeyUsage[:1] }), peer, "problem peer-cert-file: crt may not be used as a client: its extended key usage lacks clientAuth; a peer is both client and server\n"},
		{"a client only", with(func(c *x509.Certificate) { c.ExtKeyUsage = c.ExtKeyUsage[1:] }), peer, "problem peer-cert-file: crt may not be used as a server: its extended key usage lacks serverAuth; a peer is both client and server\n"},
		{"a server for clients", with(func(c *x509.Certificate) { c.ExtKeyUsage = c.ExtKeyUsage[:1] }), Side{Cert: "crt", Key: "key"}, ""},
		{"a server for clients with certificates", with(func(c *x509.Certificate) { c.ExtKeyUsage = c.ExtKeyUsage[:1] }), Side{Cert: "crt", Key: "key", ClientAuth: true}, "notice cert-file: crt may not be used as a client"},
		{"no usage named", with(func(c *x509.Certificate) { c.ExtKeyUsage = nil }), peer, ""},
		{"a certificate of 0 bytes", files{"ca": caPEM, "crt": "", "key": key}, peer, "problem peer-cert-file: crt is empty\n"},
		{"half a certificate", files{"ca": caPEM, "crt": cert[:len(cert)/2], "key": key}, peer, "problem peer-cert-file: crt holds no certificate: it ends within the first\n"},
		{"a key of 0 bytes", files{"ca": caPEM, "crt": cert, "key": ""}, peer, "problem peer-key-file: key is empty\n"},
		{"half a CA", files{"ca": caPEM + caPEM[:len(caPEM)/2], "crt": cert, "key": key}, peer, "notice peer-trusted-ca-file: ca ends within a certificate\n"},
		{"a negative serial number", files{"ca": caPEM, "crt": string(ca.NegativeSerial()), "key": key}, peer, "problem peer-cert-file: crt: its certificate cannot be parsed: x509: negative serial number\n"},
		{"a negative serial number behind it", files{"ca": caPEM, "crt": cert + string(middle.NegativeSerial()), "key": key}, peer, "problem peer-cert-file: crt: certificate 2 of 2 cannot be parsed: x509: negative serial number\n"},
		{"a negative serial number in a CA", files{"ca": caPEM + string(middle.NegativeSerial()), "crt": cert, "key": key}, peer, "problem peer-trusted-ca-file: ca: certificate 2 of 2 cannot be parsed: x509: negative serial number\n"},
		{"a key in a CA", files{"ca": caPEM + key, "crt": cert, "key": key}, peer, "problem peer-trusted-ca-file: ca: block 2 of 2 is of type EC PRIVATE KEY, not CERTIFICATE\n"},
		{"files that no URL needs", nil, Side{Cert: "crt", Key: "key", Idle: true}, "notice cert-file: crt does not exist\nnotice key-file: key does not exist\n"},
		{"expires tomorrow", with(days(1)), peer, "notice peer-cert-file: crt expires in 1 day, on 2026-11-23\n"},
		{"expires today", with(func(c *x509.Certificate) { c.NotAfter = now.Add(10 * time.Second) }), peer, "notice peer-cert-file: crt expires at 2026-11-22 12:00:10 UTC\n"},
		{"one that is renewed daily", with(func(c *x509.Certificate) { c.NotBefore, c.NotAfter = now.Add(-16*time.Hour), now.Add(8*time.Hour) }), peer, ""},
		{"one that was to be renewed hours ago", with(func(c *x509.Certificate) { c.NotBefore, c.NotAfter = now.Add(-20*time.Hour), now.Add(4*time.Hour) }), peer, "notice peer-cert-file: crt expires at 2026-11-22 16:00:00 UTC\n"},
		{"a revocation list in PEM", files{"ca": caPEM, "crt": cert, "key": key, "crl": string(pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: ca.CRL()}))}, Side{Cert: "crt", Key: "key", CRL: "crl"}, "notice client-crl-file: crl is in PEM and not in DER, so etcd refuses whoever shows a certificate\n"},
		{"a revocation list", files{"ca": caPEM, "crt": cert, "key": key, "crl": string(ca.CRL())}, Side{Cert: "crt", Key: "key", CRL: "crl"}, ""},
		{"a revocation list that is none", files{"ca": caPEM, "crt": cert, "key": key, "crl": cert}, Side{Cert: "crt", Key: "key", CRL: "crl"}, "notice client-crl-file: crl is not a revocation list"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			found, _ := tc.files.host().TLS(tc.side)
			got := text(found)
			if got != tc.want && (tc.want == "" || strings.HasSuffix(tc.want, "\n") || !strings.HasPrefix(got, tc.want)) {
				t.Errorf("got:\n%swant:\n%s", got, tc.want)
			}
			for _, f := range found {
				if f.Hint == "" {
					t.Errorf("no hint: %+v", f)
				}
			}
		})
	}
}

func TestExpiredCA(t *testing.T) {
	ca, caPEM, _ := issue(nil, func(c *x509.Certificate) {
		pki.Authority(c)
		c.NotBefore, c.NotAfter = now.AddDate(-2, 0, 0), now.AddDate(0, 0, -2)
	})
	_, cert, key := issue(ca, nil)
	found, _ := files{"ca": caPEM, "crt": cert, "key": key}.host().TLS(Side{Peer: true, Cert: "crt", Key: "key", CA: "ca", Several: true})
	got := text(found)
	if want := "notice peer-trusted-ca-file: ca expired on 2026-11-20\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestUntil: what the clock alone changes is looked at again when it does.
func TestUntil(t *testing.T) {
	ca, caPEM, _ := issue(nil, pki.Authority)
	for _, tc := range []struct {
		from, to time.Duration
		want     time.Duration
	}{
		{-time.Hour, 100 * day, 75*day - 15*time.Minute},
		{-300 * day, 12*day + time.Hour, time.Hour},
		{-300 * day, 10 * time.Hour, 10 * time.Hour},
		{-300 * day, -time.Hour, 335 * day}, // the CA's
		{time.Hour, 100 * day, time.Hour},
	} {
		_, cert, key := issue(ca, func(c *x509.Certificate) { c.NotBefore, c.NotAfter = now.Add(tc.from), now.Add(tc.to) })
		_, until := files{"ca": caPEM, "crt": cert, "key": key}.host().TLS(Side{Cert: "crt", Key: "key", CA: "ca"})
		if got := until.Sub(now); got != tc.want {
			t.Errorf("%v to %v: after %v, want %v", tc.from, tc.to, got, tc.want)
		}
	}
}

// TestKinds: only what etcd cannot load is waited for.
func TestKinds(t *testing.T) {
	ca, caPEM, _ := issue(nil, pki.Authority)
	_, cert, key := issue(ca, nil)
	_, _, otherKey := issue(ca, nil)
	_, otherCA, _ := issue(nil, pki.Authority)
	_, old, oldKey := issue(ca, func(c *x509.Certificate) { c.NotAfter = now.Add(-time.Minute) })
	for _, tc := range []struct {
		files files
		want  Kind
	}{
		{files{"crt": cert, "key": key}, Late},
		{files{"ca": fs.ErrPermission, "crt": cert, "key": key}, Late},
		{files{"ca": caPEM, "crt": cert, "key": otherKey}, Late},
		{files{"ca": otherCA, "crt": cert, "key": key}, Misfit},
		{files{"ca": caPEM, "crt": old, "key": oldKey}, Expired},
		{files{"ca": caPEM, "crt": cert, "key": key, "crl": ""}, Revocations},
		{files{"ca": caPEM, "crt": cert, "key": key, "crl": fs.ErrPermission}, Revocations},
		{files{"ca": caPEM, "crt": cert, "key": key, "crl": fs.ErrNotExist}, Revocations},
	} {
		side := Side{Peer: true, Cert: "crt", Key: "key", CA: "ca", Several: true}
		if tc.files["crl"] != nil {
			side.CRL = "crl"
		}
		found, _ := tc.files.host().TLS(side)
		if len(found) != 1 || found[0].Kind != tc.want {
			t.Errorf("%+v, want kind %d", found, tc.want)
		}
	}
}

func TestServerOnly(t *testing.T) {
	with := func(use ...x509.ExtKeyUsage) string {
		_, cert, _ := issue(nil, func(c *x509.Certificate) { c.ExtKeyUsage = use })
		return cert
	}
	host := files{
		"server": with(x509.ExtKeyUsageServerAuth), "both": with(x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth),
		"any": with(x509.ExtKeyUsageAny), "unsaid": with(), "empty": "", "closed": fs.ErrPermission,
	}.host()
	for path, want := range map[string]bool{"server": true, "both": false, "any": false, "unsaid": false, "empty": false, "closed": false, "none": false} {
		if got := host.ServerOnly(path); got != want {
			t.Errorf("%s: %v", path, got)
		}
	}
}

func TestNames(t *testing.T) {
	ca, _, _ := issue(nil, pki.Authority)
	_, cert, key := issue(ca, nil)
	h := files{"crt": cert, "key": key}.host()
	for _, tc := range []struct {
		hosts []string
		side  Side
		want  string
	}{
		{[]string{"10.0.0.1", "etcd-1.example"}, Side{Peer: true, Cert: "crt", Several: true}, ""},
		{[]string{"10.0.0.1", "10.0.0.2"}, Side{Peer: true, Cert: "crt", Several: true}, "problem peer-cert-file: crt is not for 10.0.0.2, under which others connect to this member; it is for etcd-1.example, 10.0.0.1\n"},
		{[]string{"etcd-2.example"}, Side{Cert: "crt", Several: true}, "notice cert-file: crt is not for etcd-2.example, under which"},
		{[]string{"fd00::1"}, Side{Peer: true, Cert: "crt"}, "notice peer-cert-file: crt is not for fd00::1"},
		{[]string{"0.0.0.0"}, Side{Peer: true, Cert: "crt", Several: true}, ""},
		{[]string{"10.0.0.2"}, Side{Peer: true, Cert: "none", Several: true}, ""}, // TLS says so
		{[]string{"10.0.0.2"}, Side{}, ""},
	} {
		if got := text(h.Names(tc.side, tc.hosts)); got != tc.want && (tc.want == "" || !strings.HasPrefix(got, tc.want)) {
			t.Errorf("%v: got %q, want %q", tc.hosts, got, tc.want)
		}
	}
}
