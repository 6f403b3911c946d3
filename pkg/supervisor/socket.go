package supervisor

import (
	"context"
	"fmt"
	"net"
	"time"

	"go.uber.org/zap"

	"github.com/etcd-node/etcd-node/pkg/control"
)

// socketTimeout bounds one answer; a status is a few kilobytes and fits into
// the socket's buffer.
const socketTimeout = time.Second

// ServeStatus answers each connection to the socket in a directory (package
// control) with the status as JSON, until ctx ends. It returns once the socket
// listens; done is closed when it no longer does.
func (s *Supervisor) ServeStatus(ctx context.Context, dir string) (done <-chan struct{}, err error) {
	l, err := control.Listen(dir)
	if err != nil {
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
