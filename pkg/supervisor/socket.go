package supervisor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"go.uber.org/zap"
)

// socketTimeout bounds one answer; a status is a few kilobytes and fits into
// the socket's buffer.
const socketTimeout = time.Second

// ServeStatus answers each connection to the unix socket at path with the
// status as JSON, until ctx ends. Only root and the service user can open the
// socket. It returns once the socket listens; done is closed when it no longer
// does.
func (s *Supervisor) ServeStatus(ctx context.Context, path string) (done <-chan struct{}, err error) {
	// One that answers is another unit's, which has the same RuntimeDirectory=. One
	// that does not was left behind by a supervisor that was killed.
	if c, err := net.DialTimeout("unix", path, socketTimeout); err == nil {
		c.Close()
		return nil, fmt.Errorf("status socket: another daemon answers at %s: give this unit a RuntimeDirectory= of its own", path)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("status socket: %w", err)
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("status socket: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		l.Close()
		return nil, fmt.Errorf("status socket: %w", err)
	}
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() { l.Close() })
	go func() {
		defer close(ended)
		defer stop()
		for {
			c, err := l.Accept()
			if err != nil {
				if ctx.Err() == nil {
					s.opts.Log.Warn("the status socket ended", zap.Error(err))
				}
				return
			}
			s.answer(ctx, c)
		}
	}()
	return ended, nil
}

// answer writes the status. One caller at a time: the answer is quick, and the
// supervisor stays small.
func (s *Supervisor) answer(ctx context.Context, c net.Conn) {
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(socketTimeout))
	if st, ok := s.Status(ctx); ok {
		_ = st.Encode(c) // the caller went away: its affair
	}
}
