package member

import (
	"crypto/tls"
	"net"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"go.etcd.io/etcd/pkg/v3/featuregate"

	"github.com/etcd-node/etcd-node/test/loopback"
	"github.com/etcd-node/etcd-node/test/pki"
)

// The probe comes from where raft comes from.
func TestDialer(t *testing.T) {
	for gate, want := range map[string]string{"SetMemberLocalAddr=false": "", "SetMemberLocalAddr=true": "192.0.2.7"} {
		m := newTestMember()
		m.Config.AdvertisePeerUrls = loopback.URLs("http://127.0.0.1:2380", "http://c.example:2380", "http://192.0.2.7:2380")
		if err := m.Config.ServerFeatureGate.(featuregate.MutableFeatureGate).Set(gate); err != nil {
			t.Fatal(err)
		}
		got := ""
		if a, ok := m.dialer().LocalAddr.(*net.TCPAddr); ok {
			got = a.IP.String()
		}
		if got != want {
			t.Errorf("%s: from %q, want %q", gate, got, want)
		}
	}
}

// It speaks the TLS that raft speaks.
func TestClientTLS(t *testing.T) {
	m := newTestMember()
	m.Config.TlsMinVersion, m.Config.TlsMaxVersion = "TLS1.3", "TLS1.3"
	m.Config.CipherSuites = []string{"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"}
	c, dir := pki.Issue(nil, nil), t.TempDir()
	info := &m.Config.PeerTLSInfo
	info.CertFile, info.KeyFile = filepath.Join(dir, "crt"), filepath.Join(dir, "key")
	for path, content := range map[string][]byte{info.CertFile: c.Cert, info.KeyFile: c.Key} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := m.clientTLS()
	if err != nil {
		t.Fatal(err)
	}
	if got.MinVersion != tls.VersionTLS13 || got.MaxVersion != tls.VersionTLS13 || !slices.Equal(got.CipherSuites, []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}) {
		t.Errorf("%x to %x, %x", got.MinVersion, got.MaxVersion, got.CipherSuites)
	}
}

// Members go past proxies. A first start by discovery may need one.
func TestGoPastProxies(t *testing.T) {
	for name, tc := range map[string]struct {
		discovery, data bool
		left            []string
	}{
		"a static list":                        {false, false, nil},
		"discovery, the first start":           {true, false, []string{"HTTP_PROXY", "https_proxy"}},
		"discovery, data, which outranks that": {true, true, nil},
	} {
		t.Setenv("HTTP_PROXY", "http://192.0.2.1:3128")
		t.Setenv("https_proxy", "http://192.0.2.1:3128")
		m := newTestMember()
		m.Config.Dir = t.TempDir()
		if tc.discovery {
			m.Config.DiscoveryCfg.Endpoints = []string{"http://192.0.2.2:2379"}
		}
		if tc.data {
			if err := os.MkdirAll(filepath.Join(m.Config.Dir, "member/wal"), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(m.Config.Dir, "member/wal/0000000000000000-0000000000000000.wal"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		m.goPastProxies()
		if got := proxies(); !slices.Equal(got, tc.left) {
			t.Errorf("%s: %q", name, got)
		}
	}
}
