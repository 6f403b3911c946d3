package peers

import (
	"errors"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"go.etcd.io/etcd/client/pkg/v3/transport"
	"go.uber.org/zap"

	"github.com/etcd-node/etcd-node/test/loopback"
	"github.com/etcd-node/etcd-node/test/pki"
)

func empty() Announcement { return Announcement{} }

// With TLS it answers as raft would: to those who show a certificate.
func TestAnnounceTLS(t *testing.T) {
	ca := pki.Issue(nil, pki.Authority)
	own := pki.Issue(ca, nil)
	dir := t.TempDir()
	write := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	info := transport.TLSInfo{
		CertFile: write("crt", own.Cert), KeyFile: write("key", own.Key), TrustedCAFile: write("ca", ca.Cert),
		ClientCertAuth: true, Logger: zap.NewNop(),
	}
	addr := loopback.Address()
	stop, err := Announce([]url.URL{{Scheme: "https", Host: addr}}, info, false, empty)
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	for name, tc := range map[string]struct {
		info transport.TLSInfo
		want bool
	}{"a peer": {info, true}, "without a certificate": {transport.TLSInfo{TrustedCAFile: info.TrustedCAFile, Logger: zap.NewNop()}, false}} {
		config, err := ClientTLS(tc.info, false)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := NewClient(config, nil).Members(t.Context(), "https://"+addr); errors.Is(err, ErrNoData) != tc.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// With --peer-auto-tls nothing is verified, and nothing needs to be on the disk.
func TestAnnounceAutoTLS(t *testing.T) {
	addr := loopback.Address()
	stop, err := Announce([]url.URL{{Scheme: "https", Host: addr}}, transport.TLSInfo{}, true, empty)
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	config, err := ClientTLS(transport.TLSInfo{Logger: zap.NewNop()}, true)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewClient(config, nil).Members(t.Context(), "https://"+addr); !errors.Is(err, ErrNoData) {
		t.Error(err)
	}
}

// A node without data says so, and frees its port at once for etcd.
func TestAnnounce(t *testing.T) {
	addr := loopback.Address()
	urls := []url.URL{{Scheme: "http", Host: addr}}
	for range 3 {
		stop, err := Announce(urls, transport.TLSInfo{}, false, empty)
		if err != nil {
			t.Fatal(err)
		}
		c := NewClient(nil, nil)
		if _, err := c.Members(t.Context(), "http://"+addr); !errors.Is(err, ErrNoData) || err.Error() != "127.0.0.1: no data yet" {
			t.Errorf("members: %v", err)
		}
		if f := c.Probe(t.Context(), []string{"http://" + addr}); f.OK || f.Cause != "127.0.0.1: no data yet" {
			t.Errorf("probe: %+v", f)
		}
		if c.Is(t.Context(), "http://"+addr, "c", 1) {
			t.Error("it is a member")
		}
		stop() // while a connection is open
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	free := url.URL{Scheme: "http", Host: loopback.Address()}
	if _, err := Announce([]url.URL{free, urls[0]}, transport.TLSInfo{}, false, empty); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("a busy port: %v", err)
	}
	if l, err := net.Listen("tcp", free.Host); err != nil {
		t.Errorf("the other port is not free again: %v", err)
	} else {
		l.Close()
	}
}

// What it says may change, and arrives with those who ask for the members and with
// those who only probe. What cannot be understood is no announcement.
func TestAnnouncement(t *testing.T) {
	var says atomic.Pointer[Announcement]
	addr := loopback.Address()
	stop, err := Announce([]url.URL{{Scheme: "http", Host: addr}}, transport.TLSInfo{}, false, func() Announcement { return *says.Load() })
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	c := NewClient(nil, nil)
	for _, tc := range []struct {
		Announcement
		empty bool
		want  string
	}{
		{Announcement{}, true, "no data yet"},
		{Announcement{Unlisted: 0xc}, true, "no data yet; cluster c does not list it"},
		{Announcement{ClusterID: 0xc, MemberID: 3}, false, "it waits with data of member 3 of cluster c"},
	} {
		says.Store(&tc.Announcement)
		_, err := c.Members(t.Context(), "http://"+addr)
		var w *Waits
		if !errors.As(err, &w) || w.Announcement != tc.Announcement || !errors.Is(err, ErrAnswered) || errors.Is(err, ErrNoData) != tc.empty || err.Error() != "127.0.0.1: "+tc.want {
			t.Errorf("%+v: %v", tc, err)
		}
		if f := c.Probe(t.Context(), []string{"http://" + addr}); f.OK || f.Cause != "127.0.0.1: "+tc.want {
			t.Errorf("probe: %+v", f)
		}
	}
	for _, text := range []string{"", "c", "c/", "/3", "c/0", "x/y"} {
		if a, yes := announced(http.Header{dataOf: {text}}); yes {
			t.Errorf("%q: %+v", text, a)
		}
	}
	if a, yes := announced(http.Header{noData: {"true"}, unlistedBy: {"\n"}}); !yes || a.Unlisted != 0 {
		t.Errorf("%+v, %v", a, yes)
	}
}
