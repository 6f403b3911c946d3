package control

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
)

// served serves in a directory of its own until the test ends, and returns that and
// what ends it before.
func served(t *testing.T, h http.HandlerFunc) (dir string, end func()) {
	t.Helper()
	dir, err := os.MkdirTemp("", "c")
	if err != nil {
		t.Fatal(err)
	}
	l, err := Listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- Serve(ctx, l, h, zap.NewNop()) }()
	ended := false
	end = func() {
		if ended {
			return
		}
		ended = true
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(func() { end(); os.RemoveAll(dir) })
	return dir, end
}

func connect(t *testing.T, dir string) net.Conn {
	t.Helper()
	c, err := net.Dial("unix", filepath.Join(dir, Socket))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// Garbage, much of it, and silence: whoever asks properly meanwhile gets an answer.
func TestHostile(t *testing.T) {
	dir, _ := served(t, func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
			return
		}
		io.WriteString(w, "well")
	})
	for name, sends := range map[string]string{
		"garbage":       "\x00\xff\x16\x03\x01 no\r\n\r\n",
		"a long header": "GET /status HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("x", 1<<20) + "\r\n\r\n",
		"a huge body":   "POST /status HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000000\r\n\r\n" + strings.Repeat("x", 2<<20),
		"chunks":        "POST /status HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + strings.Repeat("100000\r\n"+strings.Repeat("x", 1<<20)+"\r\n", 3),
		"half of one":   "GET /sta",
		"nothing":       "",
	} {
		c := connect(t, dir)
		_ = c.SetDeadline(time.Now().Add(readLimit + writeLimit))
		go io.Copy(c, strings.NewReader(sends)) //nolint:errcheck // it is cut off
		answer, err := io.ReadAll(bufio.NewReader(c))
		if errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: still connected, after %q", name, answer)
		}
		if bytes.Contains(answer, []byte(" 200 ")) {
			t.Errorf("%s: %q", name, answer)
		}
		if got, err := ask(t, dir); got != "well" || err != nil {
			t.Errorf("after %s: %q, %v", name, got, err)
		}
	}
}

// Who takes all places and says nothing loses them.
func TestMany(t *testing.T) {
	dir, _ := served(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "well") })
	for range 2 * callers {
		connect(t, dir)
	}
	begun := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), 4*readLimit)
	defer cancel()
	if got, err := Ask(ctx, dir); string(got) != "well" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if took := time.Since(begun); took < readLimit/2 {
		t.Errorf("%d were let in at once (%v)", 2*callers, took)
	}
}

// The end does not wait for a caller, only for the handlers, which hear of it.
func TestEnd(t *testing.T) {
	begun := make(chan struct{})
	ended := make(chan struct{})
	dir, end := served(t, func(_ http.ResponseWriter, r *http.Request) {
		close(begun)
		<-r.Context().Done()
		close(ended)
	})
	go Ask(t.Context(), dir) //nolint:errcheck // it is cut off
	<-begun
	end()
	select {
	case <-ended:
	default:
		t.Error("a handler runs")
	}
	if _, err := ask(t, dir); !IsNobody(err) {
		t.Errorf("%v", err)
	}
}

// A daemon that was not restarted since an upgrade answers at the former socket.
func TestFormerDaemon(t *testing.T) {
	dir, err := os.MkdirTemp("", "c")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	l, err := net.Listen("unix", filepath.Join(dir, formerSocket))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for c, err := l.Accept(); err == nil; c, err = l.Accept() {
			io.WriteString(c, "as ever")
			c.Close()
		}
	}()
	if got, err := ask(t, dir); got != "as ever" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

func TestErrorOfTheDaemon(t *testing.T) {
	dir, _ := served(t, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "too early", http.StatusConflict) })
	if _, err := ask(t, dir); err == nil || !strings.HasSuffix(err.Error(), Socket+": /status: too early") {
		t.Errorf("%v", err)
	}
}
