package silence

import (
	"bytes"
	"context"
	"errors"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/etcd-node/etcd-node/test/poll"
)

// stock is an HTTP server as etcd has one at its peer port, and what it logs and
// has been asked.
type stock struct {
	*httptest.Server
	mu     sync.Mutex
	logged bytes.Buffer
	asked  int
	ended  int // connections
}

func (s *stock) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.logged.Write(b)
}

func stockServer(t *testing.T, secure bool) *stock {
	t.Helper()
	s := &stock{}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.asked++
		s.mu.Unlock()
		version(w, r)
	}))
	s.Config.ErrorLog = log.New(s, "", 0)
	s.Config.ReadTimeout = 5 * time.Minute
	s.Config.ConnState = func(_ net.Conn, is http.ConnState) {
		if is == http.StateClosed {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.ended++
		}
	}
	if secure {
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	return s
}

// answered waits until the server has been asked so often.
func (s *stock) answered(t *testing.T, n int) {
	t.Helper()
	poll.Eventually(t, func() error {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.asked != n {
			return errors.New("asked another number of times")
		}
		return nil
	})
}

func asks(t *testing.T, h *Host, n int) {
	t.Helper()
	for range n {
		if err := h.Ask(); err != nil {
			t.Fatal(err)
		}
	}
}

// What is written is a question that ends at last, and is then put anew; the host
// acknowledges each piece, and its process answers one in a hundred.
func TestTrickle(t *testing.T) {
	for name, secure := range map[string]bool{"http": false, "https": true} {
		t.Run(name, func(t *testing.T) {
			s := stockServer(t, secure)
			h, _ := asked(t, s.Server)
			asks(t, h, 1)
			s.answered(t, 1)
			asks(t, h, pieces-2)
			poll.Eventually(t, func() error {
				if l, ok := h.Look(); !ok || !l.Acked {
					return errors.New("not acknowledged")
				}
				return nil
			})
			s.answered(t, 1)
			asks(t, h, 1)
			s.answered(t, 2)
			asks(t, h, pieces)
			s.answered(t, 4)
		})
	}
}

// A server that stops ends a line at once, also in the middle of a question.
func TestTrickleDelaysNoStop(t *testing.T) {
	for name, secure := range map[string]bool{"http": false, "https": true} {
		for n, in := range map[int]string{1: "between questions", 7: "in the middle of one"} {
			t.Run(name+", "+in, func(t *testing.T) {
				s := stockServer(t, secure)
				h, line := asked(t, s.Server)
				asks(t, h, 1)
				if _, err := line.Read(make([]byte, 1<<10)); err != nil { // the answer
					t.Fatal(err)
				}
				asks(t, h, n-1)
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				defer cancel()
				begun := time.Now()
				if err := s.Config.Shutdown(ctx); err != nil || time.Since(begun) > 2*time.Second {
					t.Errorf("%v, after %v", err, time.Since(begun))
				}
			})
		}
	}
}

// A server whose peer goes away in the middle of a question says nothing of it.
func TestTrickleEndsQuietly(t *testing.T) {
	for name, secure := range map[string]bool{"http": false, "https": true} {
		t.Run(name, func(t *testing.T) {
			s := stockServer(t, secure)
			h, line := asked(t, s.Server)
			asks(t, h, 5)
			if _, err := line.Read(make([]byte, 1<<10)); err != nil { // the answer, as the holder of a line does
				t.Fatal(err)
			}
			line.Close()
			poll.Eventually(t, func() error {
				s.mu.Lock()
				defer s.mu.Unlock()
				if s.ended == 0 {
					return errors.New("the connection stands")
				}
				return nil
			})
			s.mu.Lock()
			defer s.mu.Unlock()
			if text := s.logged.String(); text != "" || s.asked != 1 {
				t.Errorf("asked %d times, says %s", s.asked, text)
			}
		})
	}
}

// All pieces of a question make one that net/http understands.
func TestPieces(t *testing.T) {
	var all strings.Builder
	for n := 1; n < pieces; n++ {
		all.WriteString(piece(n))
	}
	if text := all.String(); !strings.HasPrefix(text, question) || !strings.HasSuffix(text, end) || strings.Count(text, end) != 1 {
		t.Errorf("%q", text)
	}
	if piece(0) != piece(pieces) || strings.Count(piece(0), end) != 1 {
		t.Errorf("%q", piece(0))
	}
}
