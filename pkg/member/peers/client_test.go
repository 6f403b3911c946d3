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
	"syscall"
	"testing"
	"time"

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
	trusting := NewClient(&tls.Config{RootCAs: roots})
	strict := NewClient(&tls.Config{RootCAs: x509.NewCertPool()})

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
		{"our certificate refused", NewClient(&tls.Config{InsecureSkipVerify: true}), []string{demanding.URL}, "127.0.0.1: TLS: it refuses our certificate"},
		{"another service", trusting, []string{web.URL}, "is not an etcd peer port (HTTP 404)"},
		{"unix socket", trusting, []string{"unix://localhost:1"}, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := tc.p.Probe(t.Context(), tc.urls)
			if got.OK != (tc.want == "") || !strings.Contains(got.Cause, tc.want) {
				t.Errorf("found %+v, want cause %q", got, tc.want)
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
	p := NewClient(&tls.Config{InsecureSkipVerify: true})
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
		p := NewClient(nil)
		p.http.Transport.(*http.Transport).Proxy = nil
		p.http.Transport.(*http.Transport).DialContext = (&net.Dialer{Control: func(string, string, syscall.RawConn) error { return errno }}).DialContext
		if got := p.Probe(t.Context(), []string{"http://192.0.2.1:2380"}); got.Cause != "192.0.2.1: "+want {
			t.Errorf("%v: %q", errno, got.Cause)
		}
	}
}

func TestFindings(t *testing.T) {
	var f Findings
	peers := []Peer{{URLs: []string{"b"}}, {URLs: []string{"c"}}}
	down := Finding{Cause: "mute"}
	other := Finding{OK: true, ClusterID: "other"}
	own := Finding{OK: true, ClusterID: "own"}

	f.put(peers, []Finding{down, own})
	if f.Silent(peers[0]) {
		t.Error("silent after one failure")
	}
	f.put(peers, []Finding{down, own})
	if !f.Silent(peers[0]) || f.Silent(peers[1]) {
		t.Error("not silent after two failures, or both are")
	}
	f.put(peers, []Finding{own, own})
	if f.Silent(peers[0]) {
		t.Error("silent although it answered")
	}

	// One of three is outvoted by two that agree; nobody is by one.
	for _, tc := range []struct {
		b, c Finding
		size int
		want string
	}{
		{other, other, 3, "other"},
		{other, own, 3, ""},
		{other, down, 3, ""},
		{other, Finding{OK: true, ClusterID: "third"}, 3, ""},
		{other, other, 5, ""},
	} {
		f.put(peers, []Finding{tc.b, tc.c})
		if got := f.Foreign("own", tc.size, 4); got != tc.want {
			t.Errorf("%+v %+v of %d: %q, want %q", tc.b, tc.c, tc.size, got, tc.want)
		}
	}
	var fresh Findings
	fresh.put(peers, []Finding{other, other})
	if fresh.Foreign("own", 3, 4) != "" {
		t.Error("believed after one round")
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
