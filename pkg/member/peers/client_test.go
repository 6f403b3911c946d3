package peers

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"

	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.etcd.io/etcd/server/v3/lease"

	"github.com/etcd-node/etcd-node/test/pki"
)

// Real sockets answer the way the peers of a real operator do.
func TestProbeCauses(t *testing.T) {
	etcd := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/members" {
			t.Errorf("asked for %s", r.URL.Path)
		}
		w.Header().Set("X-Etcd-Cluster-ID", "cdf818194e3a8c32")
		fmt.Fprint(w, "[]")
	})
	plain := httptest.NewServer(etcd)
	t.Cleanup(plain.Close)
	secure := httptest.NewTLSServer(etcd)
	t.Cleanup(secure.Close)
	secure.Config.ErrorLog = nil
	web := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(web.Close)
	mute := listen(t) // the kernel completes the handshake, nobody answers
	elsewhere := httptest.NewServer(http.RedirectHandler(plain.URL+"/members", http.StatusFound))
	t.Cleanup(elsewhere.Close)
	refused := listen(t)
	refused.Close()
	reset := listen(t)
	go func() {
		for {
			c, err := reset.Accept()
			if err != nil {
				return
			}
			c.(*net.TCPConn).SetLinger(0) // close sends RST
			c.Read(make([]byte, 1))
			c.Close()
		}
	}()
	demanding := httptest.NewUnstartedServer(etcd)
	demanding.TLS = &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: x509.NewCertPool()}
	demanding.StartTLS()
	t.Cleanup(demanding.Close)
	expired := serveCert(t, func(c *x509.Certificate) {
		c.IPAddresses, c.NotAfter = []net.IP{{127, 0, 0, 1}}, time.Now().Add(-time.Hour)
	})
	wrongName := serveCert(t, func(c *x509.Certificate) { c.DNSNames = []string{"other.example"} })

	roots := x509.NewCertPool()
	roots.AddCert(secure.Certificate())
	roots.AddCert(expired.Certificate())
	roots.AddCert(wrongName.Certificate())
	trusting := NewClient(&tls.Config{RootCAs: roots}, nil)
	strict := NewClient(&tls.Config{RootCAs: x509.NewCertPool()}, nil)

	for _, tc := range []struct {
		name string
		p    *Client
		urls []string
		want string // part of the cause; "" = it answers
	}{
		{"answers", trusting, []string{plain.URL}, ""},
		{"answers with TLS", trusting, []string{secure.URL}, ""},
		{"second URL answers", trusting, []string{"http://" + refused.Addr().String(), plain.URL}, ""},
		{"refused", trusting, []string{"http://" + refused.Addr().String()}, "127.0.0.1: connection refused"},
		{"mute", trusting, []string{"http://" + mute.Addr().String()}, "127.0.0.1: no answer in 1s; is it up, and TCP "},
		{"reset", trusting, []string{"http://" + reset.Addr().String()}, "127.0.0.1: connection reset"},
		{"no such name", trusting, []string{"http://etcd-2.invalid:2380"}, "etcd-2.invalid: the name "},
		{"TLS at a plain peer", trusting, []string{"https://" + plain.Listener.Addr().String()}, "127.0.0.1: does not speak TLS, but its peer URL says https"},
		{"plain at a TLS peer", trusting, []string{"http://" + secure.Listener.Addr().String()}, "127.0.0.1: speaks TLS, but its peer URL says http"},
		{"unknown authority", strict, []string{secure.URL}, "127.0.0.1: TLS: its certificate is signed by an unknown authority; see ETCD_PEER_TRUSTED_CA_FILE"},
		{"expired", trusting, []string{expired.URL}, "127.0.0.1: TLS: its certificate is not valid: x509: certificate has expired"},
		{"wrong name", trusting, []string{wrongName.URL}, "127.0.0.1: TLS: its certificate is not valid for this address"},
		{"our certificate refused", NewClient(&tls.Config{InsecureSkipVerify: true}, nil), []string{demanding.URL}, "127.0.0.1: TLS: it refuses our certificate"},
		{"another service", trusting, []string{web.URL}, "is not an etcd peer port (HTTP 404)"},
		{"sends us elsewhere", trusting, []string{elsewhere.URL}, "is not an etcd peer port (HTTP 302)"},
		{"credentials, refused", trusting, []string{"http://user:s3cret@" + refused.Addr().String()}, "127.0.0.1: connection refused"},
		{"credentials, no such name", trusting, []string{"http://user:s3cret@etcd-2.invalid:2380"}, "etcd-2.invalid: the name "},
		{"credentials, TLS at a plain peer", trusting, []string{"https://user:s3cret@" + plain.Listener.Addr().String()}, "127.0.0.1: does not speak TLS"},
		{"credentials, another service", trusting, []string{strings.Replace(web.URL, "://", "://user:s3cret@", 1)}, "is not an etcd peer port"},
		{"unix socket", trusting, []string{"unix://localhost:1"}, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := tc.p.Probe(t.Context(), tc.urls)
			if got.OK != (tc.want == "") || !strings.Contains(got.Cause, tc.want) {
				t.Errorf("found %+v, want cause %q", got, tc.want)
			}
			if strings.Contains(got.Cause, "s3cret") {
				t.Errorf("the cause tells a password: %s", got.Cause)
			}
			if tc.name == "answers" && got.ClusterID != "cdf818194e3a8c32" {
				t.Errorf("cluster ID %q", got.ClusterID)
			}
		})
	}
}

// Nothing may be left of a probe of a frozen peer: there is one every second
// or so, for as long as it is frozen.
func TestProbeLeavesNothing(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // the kernel accepts, nobody answers
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	p := NewClient(&tls.Config{InsecureSkipVerify: true}, nil)
	before := runtime.NumGoroutine()
	var probes sync.WaitGroup
	for range 5 {
		probes.Go(func() {
			if f := p.Probe(t.Context(), []string{"https://" + l.Addr().String()}); f.OK || !strings.Contains(f.Cause, "no answer in 1s") {
				t.Errorf("found %+v", f)
			}
		})
	}
	probes.Wait()
	for deadline := time.Now().Add(time.Minute); runtime.NumGoroutine() > before; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines are left of %d", runtime.NumGoroutine(), before)
		}
	}
}

// What loopback cannot be made to answer.
func TestExplainRoutes(t *testing.T) {
	for errno, want := range map[syscall.Errno]string{
		syscall.EHOSTUNREACH: "no route to host; is TCP 2380 open in its firewall?",
		syscall.ENETUNREACH:  "network is unreachable",
	} {
		p := NewClient(nil, (&net.Dialer{Control: func(string, string, syscall.RawConn) error { return errno }}).DialContext)
		if got := p.Probe(t.Context(), []string{"http://192.0.2.1:2380"}); got.Cause != "192.0.2.1: "+want {
			t.Errorf("%v: %q", errno, got.Cause)
		}
	}
}

// A peer is asked for its members over and over: its connection is used again.
// A question about the leadership has a new one each time.
func TestConnections(t *testing.T) {
	var opened atomic.Int32
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Etcd-Cluster-ID", "1")
		fmt.Fprintln(w, "[]") // as etcd's encoder ends it
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	c := NewClient(nil, nil)
	for range 3 {
		if f := c.Probe(t.Context(), []string{s.URL}); !f.OK {
			t.Fatal(f.Cause)
		}
		if _, err := c.Members(t.Context(), s.URL); err != nil {
			t.Fatal(err)
		}
	}
	if n := opened.Load(); n != 1 {
		t.Errorf("%d connections for 6 questions", n)
	}
	for range 3 {
		c.Leads(t.Context(), []string{s.URL})
	}
	if n := opened.Load(); n != 4 {
		t.Errorf("%d connections more for 3 questions about the leadership", n-1)
	}
}

// What members say of themselves; TestWhoLeads of package election asks real ones.
func TestLeads(t *testing.T) {
	says := func(text string) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodPost || r.URL.Path != "/leases" {
				t.Errorf("asked to %s %s", r.Method, r.URL)
			}
			http.Error(w, text, http.StatusNotFound)
		}))
		t.Cleanup(s.Close)
		return s.URL
	}
	leads, follows, web := says(lease.ErrLeaseNotFound.Error()), says(lease.ErrNotPrimary.Error()), says("not found")
	gone := listen(t)
	gone.Close()
	refuses := "http://" + gone.Addr().String()
	for name, tc := range map[string]struct {
		urls []string
		want Leadership
	}{
		"leads":                             {[]string{leads}, Leads},
		"follows":                           {[]string{follows}, Follows},
		"not there":                         {[]string{refuses}, Follows},
		"not there at the first, leads":     {[]string{refuses, leads}, Leads},
		"something else":                    {[]string{web}, Unknown},
		"something else and not there":      {[]string{web, refuses}, Unknown},
		"no answer at the first, follows":   {[]string{web, follows}, Follows},
		"a URL that cannot be asked at all": {[]string{"http://127.0.0.1:port"}, Unknown},
	} {
		if got := NewClient(nil, nil).Leads(t.Context(), tc.urls); got != tc.want {
			t.Errorf("%s: %d, want %d", name, got, tc.want)
		}
	}
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// serveCert serves TLS with a self-signed certificate.
func serveCert(t *testing.T, change func(*x509.Certificate)) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.TLS = pki.Issue(nil, func(c *x509.Certificate) {
		pki.Authority(c)
		change(c)
	}).TLS()
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}
