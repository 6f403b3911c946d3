package control

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"

	"go.uber.org/zap"
)

const (
	// callers may be connected at a time. One more waits until one of them goes,
	// which who says nothing does after readLimit.
	callers = 32
	// readLimit is for a whole request, and writeLimit for an answer that is no
	// stream: both are kilobytes between two processes of one machine.
	readLimit, writeLimit = 2 * time.Second, 5 * time.Second
	// headerLimit is more than any request of ours has, in bytes.
	headerLimit = 8 << 10
)

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
		Handler: h, ReadTimeout: readLimit, WriteTimeout: writeLimit, IdleTimeout: readLimit, MaxHeaderBytes: headerLimit,
		BaseContext: func(net.Listener) context.Context { return ctx },
		ConnContext: withCaller,
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

// door is a listener that lets in so many at a time.
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
	return &call{Conn: c, goes: sync.OnceFunc(func() { <-d.inside })}, nil
}

// call is a connection that has come through a door.
type call struct {
	net.Conn
	goes func()
}

func (c *call) Close() error {
	defer c.goes()
	return c.Conn.Close()
}
