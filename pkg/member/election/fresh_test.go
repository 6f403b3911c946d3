package election

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/etcd-node/etcd-node/test/poll"
)

// said is what a server logs.
type said struct {
	mu   sync.Mutex
	text strings.Builder
}

func (s *said) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(b)
}

// A fresh connection to a peer with TLS shakes hands before it ends, also where
// the peer URL is an IP address, for which TLS sends no name: else the peer would
// log a rejected connection.
func TestFreshShakesHands(t *testing.T) {
	for _, name := range []string{"127.0.0.1", "example.com"} { // both in httptest's certificate
		t.Run(name, func(t *testing.T) {
			var complains said
			server := httptest.NewUnstartedServer(http.NotFoundHandler())
			server.Config.ErrorLog = log.New(&complains, "", 0)
			var mu sync.Mutex
			closed := 0
			server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
				if s == http.StateClosed {
					mu.Lock()
					defer mu.Unlock()
					closed++
				}
			}
			server.StartTLS()
			defer server.Close()
			u, err := url.Parse(server.URL)
			if err != nil {
				t.Fatal(err)
			}
			trusted := x509.NewCertPool()
			trusted.AddCert(server.Certificate())
			n := Network{TLS: &tls.Config{RootCAs: trusted}, Dial: func(ctx context.Context, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, "tcp", u.Host)
			}}
			line, err := n.open(t.Context(), "https://"+net.JoinHostPort(name, u.Port()))
			if err != nil {
				t.Fatal(err)
			}
			defer line.Close()
			answered, err := n.fresh(t.Context(), line, func(c net.Conn) { n.close(t.Context(), line, c) })
			if !answered || err != nil {
				t.Errorf("%v, %v", answered, err)
			}
			poll.Eventually(t, func() error {
				mu.Lock()
				defer mu.Unlock()
				if closed == 0 {
					return errors.New("the fresh connection stands")
				}
				return nil
			})
			complains.mu.Lock()
			defer complains.mu.Unlock()
			if text := complains.text.String(); text != "" {
				t.Errorf("the peer complains: %s", text)
			}
		})
	}
}

// A fresh connection leads where the line leads, and tells whether the host
// answers.
func TestFresh(t *testing.T) {
	ours, theirs := net.Pipe()
	defer theirs.Close()
	for name, tc := range map[string]struct {
		err      error
		answered bool
		ours     bool
	}{
		"accepted":        {nil, true, false},
		"refused":         {syscall.ECONNREFUSED, true, false},
		"reset":           {syscall.ECONNRESET, true, false},
		"no answer":       {syscall.ETIMEDOUT, false, false},
		"no such host":    {syscall.EHOSTUNREACH, false, false},
		"no network here": {syscall.ENETUNREACH, false, true},
		"no descriptor":   {syscall.EMFILE, false, true},
	} {
		closed := 0
		n := Network{Dial: func(_ context.Context, address string) (net.Conn, error) {
			if address != ours.RemoteAddr().String() {
				t.Errorf("%s: dialed %s", name, address)
			}
			if tc.err != nil {
				return nil, tc.err
			}
			return ours, nil
		}}
		answered, err := n.fresh(t.Context(), ours, func(net.Conn) { closed++ })
		if answered != tc.answered || err != nil != tc.ours || closed > 0 != (tc.err == nil) {
			t.Errorf("%s: answered %v, %v; closed %d", name, answered, err, closed)
		}
	}
}

func TestReaches(t *testing.T) {
	n := Network{Dial: func(ctx context.Context, address string) (net.Conn, error) {
		switch address {
		case "there:1":
			ours, theirs := net.Pipe()
			theirs.Close()
			return ours, nil
		case "away:1":
			<-ctx.Done()
			return nil, ctx.Err()
		}
		return nil, errors.New("refused")
	}}
	there, away, refuses := []string{"http://there:1"}, []string{"http://away:1"}, []string{"http://refuses:1"}
	for _, tc := range []struct {
		members [][]string
		want    int
		reached bool
	}{
		{[][]string{there}, 1, true},
		{[][]string{refuses}, 1, false},
		{[][]string{away, there, refuses}, 1, true}, // and does not wait
		{[][]string{there, refuses, there}, 2, true},
		{[][]string{there, refuses}, 2, false},
		{nil, 0, true},
		{nil, 1, false},
	} {
		if got := n.reaches(t.Context(), tc.members, tc.want); got != tc.reached {
			t.Errorf("%v, %d wanted: %v", tc.members, tc.want, got)
		}
	}
}
