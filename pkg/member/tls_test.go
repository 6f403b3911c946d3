package member

import (
	"context"
	"crypto/x509"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.etcd.io/etcd/server/v3/embed"

	"github.com/etcd-node/etcd-node/test/loopback"
	"github.com/etcd-node/etcd-node/test/pki"
)

// TestLoadTLS: what etcd cannot load is known before it starts; what it does not
// load, or takes, is not in the way.
func TestLoadTLS(t *testing.T) {
	dir := t.TempDir()
	ca := pki.Issue(nil, pki.Authority)
	good, old := pki.Issue(ca, nil), pki.Issue(ca, func(c *x509.Certificate) { c.NotAfter = c.NotBefore.AddDate(0, 0, 1) })
	for name, data := range map[string][]byte{
		"ca": ca.Cert, "crt": good.Cert, "key": good.Key, "old": old.Cert, "old.key": old.Key, "empty": nil, "negative": good.NegativeSerial(), "bundle": slices.Concat(ca.Cert, good.NegativeSerial()),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	in := func(name string) string { return filepath.Join(dir, name) }
	for _, tc := range []struct {
		crt, key, ca string
		want         string
	}{
		{"crt", "key", "ca", ""},
		{"old", "old.key", "ca", ""},
		{"none", "key", "ca", "none: no such file"},
		{"empty", "key", "ca", "failed to find any PEM data"},
		{"crt", "old.key", "ca", "private key does not match"},
		{"negative", "key", "ca", "negative serial number"},
		{"crt", "key", "bundle", "negative serial number"},
		{"crt", "key", "none", "none: no such file"},
	} {
		for _, peer := range []bool{true, false} {
			cfg := embed.NewConfig()
			info := &cfg.ClientTLSInfo
			if peer {
				info = &cfg.PeerTLSInfo
			}
			info.CertFile, info.KeyFile, info.TrustedCAFile = in(tc.crt), in(tc.key), in(tc.ca)
			if err := loadTLS(cfg); !peer && err != nil {
				t.Errorf("%+v: no URL needs it: %v", tc, err)
			}
			cfg.ListenClientUrls = loopback.URLs("https://127.0.0.1:1")
			err := loadTLS(cfg)
			if (err != nil) != (tc.want != "") || err != nil && !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%+v, peer %v: %v", tc, peer, err)
			}
		}
	}
}

func TestAuthorities(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ca")
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("one")
	var a authorities
	a.remember(path, path, "", filepath.Join(t.TempDir(), "none"))
	news := make(chan int)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); a.watch(ctx, func(changed []string) { news <- len(changed) }) }()
	if a.hasChanged(path) != "" {
		t.Error("it has not")
	}
	write("two")
	if n := <-news; n != 1 || a.hasChanged(path) != path+" has changed since it was read; it counts from the next restart" || len(a.conditions()) != 1 {
		t.Errorf("%d, %+v", n, a.conditions())
	}
	write("one")
	if n := <-news; n != 0 || len(a.conditions()) > 0 {
		t.Errorf("%d, %+v", n, a.conditions())
	}
	cancel()
	<-ended
}
