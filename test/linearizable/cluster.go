package main

import (
	"context"
	"fmt"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-node/etcd-node/test/poll"
)

// The ways in which a leader is lost.
const (
	kill  = "kill"  // its member process is killed
	stop  = "stop"  // the daemon is stopped in good order, and started again
	host  = "host"  // its host loses its power, and boots again
	cable = "cable" // its host's cable is pulled, and plugged in again
)

// member is one of a cluster.
type member struct {
	*clientv3.Client // of this member alone
	url              string
}

// cluster is three daemons that can be mistreated.
type cluster interface {
	members() []member
	// version is that of etcd-node.
	version(ctx context.Context) (string, error)
	// lose takes member i away and brings it back. It reports whether it was there.
	lose(ctx context.Context, kind string, i int) (bool, error)
	close() error
}

// leader waits until one of the members says that it is the leader, and
// returns which and its term.
func leader(ctx context.Context, c cluster) (leader int, term uint64, err error) {
	err = poll.Until(ctx, 10*time.Millisecond, func() error {
		for i, m := range c.members() {
			s, err := m.status(ctx)
			if err == nil && s.Leader != 0 && s.Leader == s.Header.MemberId {
				leader, term = i, s.RaftTerm
				return nil
			}
		}
		return fmt.Errorf("none of %d members says that it leads", len(c.members()))
	})
	return leader, term, err
}

func (m member) status(ctx context.Context) (*clientv3.StatusResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
	defer cancel()
	return m.Status(ctx, m.url)
}

// pass lets time go by.
func pass(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
