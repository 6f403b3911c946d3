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
