package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"

	"github.com/etcd-node/etcd-node/test/lab"
)

const (
	// acknowledged begins the keys of the writes that must never be lost.
	acknowledged = "acknowledged/"
	// glance is how long one question to a member may take.
	glance = 500 * time.Millisecond
)

func newHostClient(h *lab.Host) (*clientv3.Client, error) {
	return clientv3.New(clientv3.Config{
		Endpoints: []string{"http://" + h.IP + ":2379"},
		Logger:    zap.NewNop(), // a member that is down is no news here
		DialOptions: []grpc.DialOption{
			grpc.WithContextDialer(h.Dial),
			grpc.WithConnectParams(grpc.ConnectParams{
				Backoff:           backoff.Config{BaseDelay: 10 * time.Millisecond, Multiplier: 1.2, MaxDelay: 50 * time.Millisecond},
				MinConnectTimeout: glance,
			}),
		},
	})
}

// put writes a new key through one of the hosts, as soon as that is
// acknowledged. Each try has a key of its own: one that was not acknowledged may
// be applied much later, when a cut cable lets through what it has held.
func (s *scene) put(hosts ...int) {
	s.await("acknowledged", func() (err error) {
		for _, i := range hosts {
			s.puts++
			key := fmt.Sprintf("%s%03d", acknowledged, s.puts)
			c := s.client(i)
			ctx, cancel := context.WithTimeout(s.ctx, glance)
			_, err = c.Put(ctx, key, "")
			cancel()
			_ = c.Close()
			if err == nil {
				s.acked = append(s.acked, key)
				return nil
			}
		}
		return err
	})
}

// reads is one linearizable read through host i, which must return all that
// was acknowledged.
func (s *scene) reads(i int) error { return s.readsFrom(s.host(i)) }

func (s *scene) readsFrom(h *lab.Host) error {
	c, err := newHostClient(h)
	s.must(err)
	defer c.Close()
	ctx, cancel := context.WithTimeout(s.ctx, glance)
	defer cancel()
	r, err := c.Get(ctx, acknowledged, clientv3.WithPrefix(), clientv3.WithKeysOnly())
	if err != nil {
		return err
	}
	has := map[string]bool{}
	for _, kv := range r.Kvs {
		has[string(kv.Key)] = true
	}
	for _, key := range s.acked {
		if !has[key] {
			s.failf("LOST: %s was acknowledged, and %s has only %v", key, h.Name, r.Kvs)
		}
	}
	return nil
}

// serves waits until host i has what was acknowledged, and returns when that
// was. Its STATUS must soon say that it serves.
func (s *scene) serves(i int) time.Duration {
	s.await("serving", func() error { return s.reads(i) })
	return lab.Now()
}

// leader is the host whose member leads.
func (s *scene) leader() (leader int) {
	s.await("led", func() error {
		for i := range 3 {
			c := s.client(i + 1)
			defer c.Close()
			ctx, cancel := context.WithTimeout(s.ctx, glance)
			defer cancel()
			if st, err := c.Status(ctx, c.Endpoints()[0]); err == nil && st.Leader != 0 && st.Leader == st.Header.MemberId {
				leader = i + 1
				return nil
			}
		}
		return fmt.Errorf("no host leads")
	})
	return leader
}

// others are the hosts but one.
func others(i int) []int {
	return slices.DeleteFunc([]int{1, 2, 3}, func(j int) bool { return j == i })
}

// struck is the leader, or a follower.
func (s *scene) struck(leads bool) int {
	if leads {
		return s.leader()
	}
	return s.leader()%3 + 1
}

func (s *scene) term(i int) (term uint64) {
	s.await("telling its term", func() error {
		c := s.client(i)
		defer c.Close()
		ctx, cancel := context.WithTimeout(s.ctx, glance)
		defer cancel()
		st, err := c.Status(ctx, c.Endpoints()[0])
		if err != nil {
			return fmt.Errorf("status of %s: %w", s.host(i).Name, err)
		}
		term = st.RaftTerm
		return nil
	})
	return term
}
