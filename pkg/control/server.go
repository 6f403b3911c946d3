package control

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sys/unix"
)

const (
	// callers may be connected at a time. One more waits until one of them goes,
	// which who says nothing does after readLimit.
	callers = 32
	// readLimit is for a whole request, and writeLimit for an answer that is no
	// stream: both are kilobytes between two processes of one machine.
	readLimit, writeLimit = 2 * time.Second, 5 * time.Second
	// headerLimit is more than any request of ours has, in bytes, and bodyLimit more
	// than an environment may have (Linux has 128 KiB for each variable).
	headerLimit, bodyLimit = 8 << 10, 1 << 20
)

// Caller is who is at the other end, by the kernel's word: the process that has
// connected, at that time.
type Caller struct{ UID, GID, PID int }

// nobody may not change anything.
var nobody = Caller{UID: -1, GID: -1}

// MayChange reports whether the caller may do more than look: root, and the user
// who runs the daemon.
func (c Caller) MayChange() bool { return c.UID == 0 || c.UID == os.Geteuid() }

// callerKey is the key of a Caller in a request's context.
type callerKey struct{}

// CallerOf is who has made a request.
func CallerOf(r *http.Request) Caller {
	if c, ok := r.Context().Value(callerKey{}).(Caller); ok {
		return c
	}
	return nobody
}

// Serve answers requests from a listener of [Listen] until ctx ends, and then cuts
// off who is still being answered. It does not return before all handlers have,
// which therefore must heed their request's context.
func Serve(ctx context.Context, l net.Listener, h http.Handler, log *zap.Logger) error {
	complaints, err := zap.NewStdLogAt(log, zap.DebugLevel) // they are the callers' affair
	if err != nil {
		return err
	}
	var connected sync.WaitGroup
	s := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.Body = http.MaxBytesReader(w, r.Body, bodyLimit)
			h.ServeHTTP(w, r)
		}),
		ReadTimeout: readLimit, WriteTimeout: writeLimit, IdleTimeout: readLimit, MaxHeaderBytes: headerLimit,
		BaseContext: func(net.Listener) context.Context { return ctx },
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, callerKey{}, c.(*call).caller)
		},
		ConnState: func(_ net.Conn, state http.ConnState) {
			switch state {
			case http.StateNew: // by Serve itself
				connected.Add(1)
			case http.StateClosed, http.StateHijacked: // after the handler
				connected.Done()
			}
		},
		ErrorLog: complaints,
	}
	stop := context.AfterFunc(ctx, func() { s.Close() })
	defer stop()
	err = s.Serve(&door{l, ctx, make(chan struct{}, callers)})
	s.Close()
	connected.Wait()
	if errors.Is(err, http.ErrServerClosed) || ctx.Err() != nil {
		return nil
	}
	return err
}

// door is a listener that lets in so many at a time, and knows who they are.
type door struct {
	net.Listener
	ctx    context.Context
	inside chan struct{}
}

func (d *door) Accept() (net.Conn, error) {
	select {
	case d.inside <- struct{}{}:
	case <-d.ctx.Done():
		return nil, net.ErrClosed
	}
	c, err := d.Listener.Accept()
	if err != nil {
		<-d.inside
		return nil, err
	}
	return &call{Conn: c, caller: callerAt(c), goes: sync.OnceFunc(func() { <-d.inside })}, nil
}

// call is a connection that has come through a door.
type call struct {
	net.Conn
	caller Caller
	goes   func()
}

func (c *call) Close() error {
	defer c.goes()
	return c.Conn.Close()
}

// callerAt asks the kernel who has connected.
func callerAt(c net.Conn) Caller {
	u, ok := c.(*net.UnixConn)
	if !ok {
		return nobody
	}
	raw, err := u.SyscallConn()
	if err != nil {
		return nobody
	}
	caller := nobody
	_ = raw.Control(func(fd uintptr) { // else it is closed
		if is, err := unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED); err == nil {
			caller = Caller{int(is.Uid), int(is.Gid), int(is.Pid)}
		}
	})
	return caller
}
