package control

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// serve answers every request with a text.
func serve(t *testing.T, dir, text string) net.Listener {
	t.Helper()
	l, err := Listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	go http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, text) })) //nolint:errcheck // until it is closed
	return l
}

func ask(t *testing.T, dir string) (string, error) {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	raw, err := Ask(ctx, dir)
	return string(raw), err
}

// However deep its directory lies, a daemon answers there, and leaves nothing.
func TestDeepDirectory(t *testing.T) {
	short, err := os.MkdirTemp("", "c")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(short)
	deep := filepath.Join(short, strings.Repeat("d", 60), strings.Repeat("e", 60))
	if err := os.MkdirAll(deep, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{short, deep} {
		l := serve(t, dir, "hello")
		if got, err := ask(t, dir); got != "hello" || err != nil {
			t.Errorf("%d bytes: %q, %v", len(dir), got, err)
		}
		if info, err := os.Stat(filepath.Join(dir, Socket)); err != nil || info.Mode().Perm() != 0o660 {
			t.Errorf("%v, %v", info, err)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(filepath.Join(dir, Socket)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("left behind: %v", err)
		}
		if _, err := ask(t, dir); !errors.Is(err, fs.ErrNotExist) || strings.Contains(err.Error(), "/proc/") {
			t.Errorf("nobody there: %v", err)
		}
	}
}

// A daemon that was killed leaves its socket: the next one takes its place. One
// that lives keeps it.
func TestTakesThePlaceOfTheDead(t *testing.T) {
	dir, err := os.MkdirTemp("", "c")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	dead, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(dir, Socket)})
	if err != nil {
		t.Fatal(err)
	}
	dead.SetUnlinkOnClose(false)
	dead.Close()
	if _, err := ask(t, dir); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("the dead one: %v", err)
	}
	defer serve(t, dir, "alive").Close()
	if _, err := Listen(dir); !errors.Is(err, ErrTaken) {
		t.Errorf("the second: %v", err)
	}
	if got, err := ask(t, dir); got != "alive" || err != nil {
		t.Errorf("after that %q, %v", got, err)
	}
}

// Somebody who takes the connection and says nothing does not hold the asker.
func TestMute(t *testing.T) {
	dir, err := os.MkdirTemp("", "c")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	l, err := Listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := Ask(ctx, dir); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}
