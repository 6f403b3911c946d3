package control

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// Socket is the socket's name in its directory.
	Socket = "control.sock"
	// mode lets the group in as far as the directory does. To connect takes the
	// right to write.
	mode = 0o660
	// pathLimit is sizeof(sockaddr_un.sun_path), of which a zero byte is the end.
	pathLimit = 108
	// livesLimit is how long it is tried whether somebody listens already.
	livesLimit = time.Second
)

// ErrTaken says that a daemon listens there already.
var ErrTaken = errors.New("another daemon answers")

// Listen makes the socket in a directory. One that was left behind is replaced,
// one that answers is not: [ErrTaken]. Close removes it.
func Listen(dir string) (net.Listener, error) {
	at, err := reach(dir, Socket)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), livesLimit)
	defer cancel()
	if c, err := dial(ctx, at); err == nil {
		c.Close()
		at.Close()
		return nil, fmt.Errorf("%w at %s", ErrTaken, filepath.Join(dir, Socket))
	}
	l, err := at.listen()
	if err != nil {
		at.Close()
		return nil, err
	}
	return listener{l, sync.OnceValue(func() error { return errors.Join(l.Close(), at.Close()) })}, nil
}

// IsNobody reports whether an error of [Ask] says that nobody listens.
func IsNobody(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ENOTDIR)
}

// place is the socket's path, and the directory by which it is reached, if it is
// too long otherwise.
type place struct {
	path string
	dir  *os.File
}

func reach(dir, socket string) (place, error) {
	if path := filepath.Join(dir, socket); len(path) < pathLimit {
		return place{path: path}, nil
	}
	d, err := os.OpenFile(dir, unix.O_PATH|unix.O_DIRECTORY, 0)
	if err != nil {
		return place{}, err
	}
	return place{filepath.Join("/proc/self/fd", strconv.Itoa(int(d.Fd())), socket), d}, nil
}

func (p place) Close() error {
	if p.dir == nil {
		return nil
	}
	return p.dir.Close()
}

func (p place) listen() (net.Listener, error) {
	if err := os.Remove(p.path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	l, err := net.Listen("unix", p.path)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(p.path, mode); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

func dial(ctx context.Context, p place) (net.Conn, error) {
	c, err := (&net.Dialer{}).DialContext(ctx, "unix", p.path)
	if op := (*net.OpError)(nil); errors.As(err, &op) {
		err = op.Err // the path may be one below /proc, which tells nobody anything
	}
	return c, err
}

// listener keeps the directory open by which its path is reached: Close removes
// the socket by that path.
type listener struct {
	net.Listener
	close func() error
}

// Close may be called again, as net/http does.
func (l listener) Close() error { return l.close() }
