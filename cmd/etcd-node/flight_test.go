package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/etcdserver/api/v3lock/v3lockpb"
	"google.golang.org/grpc/metadata"

	"github.com/etcd-node/etcd-node/test/poll"
)

// callers are clients each of which waits for its answer, however long that
// takes, before it asks again.
type callers struct {
	stop    context.CancelFunc
	ended   sync.WaitGroup
	mu      sync.Mutex
	answers int
	slowest time.Duration
	errs    map[string]int
}

// call begins to put through these nodes, 16 callers through each.
func call(t *testing.T, nodes ...*node) *callers {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	c := &callers{stop: stop, errs: map[string]int{}}
	t.Cleanup(func() { stop(); c.ended.Wait() })
	for _, n := range nodes {
		cli := n.etcd()
		for i := range 16 {
			c.ended.Go(func() {
				for ctx.Err() == nil {
					begun := time.Now()
					_, err := cli.Put(context.Background(), fmt.Sprint(n.Name, i), "")
					c.note(time.Since(begun), err)
				}
			})
		}
	}
	c.busy(t)
	return c
}

func (c *callers) note(took time.Duration, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answers++
	c.slowest = max(c.slowest, took)
	if err != nil {
		c.errs[err.Error()]++
	}
}

// busy waits until many more answers have come.
func (c *callers) busy(t *testing.T) {
	t.Helper()
	count := func() int { c.mu.Lock(); defer c.mu.Unlock(); return c.answers }
	from := count()
	poll.Eventually(t, func() error {
		if got := count() - from; got < 500 {
			return fmt.Errorf("%d answers", got)
		}
		return nil
	})
}

// end lets each caller have its last answer.
func (c *callers) end() {
	c.stop()
	c.ended.Wait()
}

const leaderFailed = "etcdserver: request timed out, possibly due to previous leader failure"

// No request waits for etcd's timeout, which is 13 s here, when the leader is
// lost, in whatever way; and where it goes in good order none is lost.
func TestRequestsUnderWay(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		lose  func(t *testing.T, leader, heir *node)
		lossy bool
	}{
		{"killed", func(t *testing.T, leader, _ *node) {
			if err := syscall.Kill(leader.status().MemberPID, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
		}, true},
		{"stopped", func(_ *testing.T, leader, _ *node) { leader.stop() }, false},
		{"moved", func(t *testing.T, leader, heir *node) {
			st, err := heir.etcd().Status(t.Context(), heir.Client)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := leader.etcd().MoveLeader(t.Context(), st.Header.MemberId); err != nil {
				t.Fatal(err)
			}
		}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			nodes, i := threeAndLeader(t, "--heartbeat-interval=400", "--election-timeout=4000")
			leader, others := nodes[i], []*node{nodes[(i+1)%3], nodes[(i+2)%3]}
			c := call(t, others...)
			tc.lose(t, leader, others[0])
			c.busy(t)
			c.end()
			ended := others[0].status().View.Requests.Ended + others[1].status().View.Requests.Ended
			t.Logf("slowest of %d answers %v; errors %v; %d ended", c.answers, c.slowest, c.errs, ended)
			if c.slowest > 4*time.Second {
				t.Errorf("an answer took %v", c.slowest)
			}
			lost := c.errs[leaderFailed]
			delete(c.errs, leaderFailed)
			// Each of the 32 callers loses one request to a transfer that nobody prepares. On
			// a machine that is very busy a follower may hear of it too late.
			if len(c.errs) > 0 || lost != ended || tc.lossy && lost == 0 || !tc.lossy && lost > 8 {
				t.Errorf("%d were lost, of which the status says %d; and there are other errors: %v", lost, ended, c.errs)
			}
		})
	}
}

// Requests of each kind that were proposed to a leader that stands still, with auth
// on, over gRPC and the gateway: all are answered when it is killed.
func TestRequestsOfEachKind(t *testing.T) {
	t.Parallel()
	nodes, i := threeAndLeader(t, "--heartbeat-interval=1000", "--election-timeout=10000", "--bcrypt-cost=4")
	leader, n := nodes[i], nodes[(i+1)%3]
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	plain := n.etcd()
	_, err1 := plain.UserAdd(ctx, "root", "pw")
	_, err2 := plain.UserGrantRole(ctx, "root", "root")
	_, err3 := plain.AuthEnable(ctx)
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	cli, err := clientv3.New(clientv3.Config{Endpoints: []string{n.Client}, Username: "root", Password: "pw"})
	if err != nil {
		t.Fatal(err)
	}
	defer cli.Close()
	auth, err := plain.Authenticate(ctx, "root", "pw")
	if err != nil {
		t.Fatal(err)
	}
	lock, err := v3lockpb.NewLockClient(cli.ActiveConnection()).Lock(metadata.AppendToOutgoingContext(ctx, "token", auth.Token), &v3lockpb.LockRequest{Name: []byte("l")})
	if err != nil {
		t.Fatal(err)
	}
	const id = 0x1234

	// Whoever may not move the leadership keeps nobody's requests back either.
	st, err := cli.Status(ctx, n.Client)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := leader.etcd().MoveLeader(ctx, st.Header.MemberId); err == nil {
		t.Error("etcd moves the leadership for nobody")
	}
	if log := strings.Join(n.Lines(), "\n"); strings.Contains(log, "MsgTransferLeader") {
		t.Error("a handover was prepared for nobody")
	}

	if err := syscall.Kill(leader.status().MemberPID, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	kinds := map[string]func() error{
		"put":         func() error { _, err := cli.Put(ctx, "k", "v"); return err },
		"delete":      func() error { _, err := cli.Delete(ctx, "k"); return err },
		"transaction": func() error { _, err := cli.Txn(ctx).Then(clientv3.OpPut("k", "v")).Commit(); return err },
		"compaction":  func() error { _, err := cli.Compact(ctx, 1); return err },
		"lease with an ID of the client's": func() error {
			_, err := clientv3.RetryLeaseClient(cli).LeaseGrant(ctx, &etcdserverpb.LeaseGrantRequest{TTL: 60, ID: id})
			return err
		},
		"users":  func() error { _, err := cli.UserList(ctx); return err },
		"alarms": func() error { _, err := cli.AlarmList(ctx); return err },
		"unlock": func() error {
			_, err := v3lockpb.NewLockClient(cli.ActiveConnection()).Unlock(metadata.AppendToOutgoingContext(ctx, "token", auth.Token), &v3lockpb.UnlockRequest{Key: lock.Key})
			return err
		},
		"put through the gateway": func() error {
			body := strings.NewReader(`{"key":"Zw==","value":"Zw=="}`)
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, n.Client+"/v3/kv/put", body)
			if err != nil {
				return err
			}
			req.Header.Set("Authorization", auth.Token)
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				return err
			}
			defer resp.Body.Close()
			said, err := io.ReadAll(resp.Body)
			return errors.Join(err, errors.New(string(said)))
		},
	}
	type answer struct {
		kind string
		err  error
	}
	answers := make(chan answer)
	for kind, ask := range kinds {
		go func() { answers <- answer{kind, ask()} }()
	}
	poll.Eventually(t, func() error { // until all are under way
		metrics := (&site{node: n}).fetch(n.Client+"/metrics", nil, nil)
		if want := fmt.Sprintf("\netcd_server_proposals_pending %d\n", len(kinds)); !strings.Contains(metrics, want) {
			return errors.New("not all are under way")
		}
		return nil
	})
	if err := syscall.Kill(leader.status().MemberPID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	// One that still lay in a queue reaches the leader's successor in the same place,
	// and is carried out. The client itself repeats what only asks.
	begun := time.Now()
	failed := map[string]bool{}
	for range kinds {
		a := <-answers
		if failed[a.kind] = a.err != nil; failed[a.kind] && !strings.Contains(a.err.Error(), "possibly due to previous leader failure") {
			t.Errorf("%s: %v", a.kind, a.err)
		}
	}
	if took := time.Since(begun); took > 10*time.Second { // etcd's own timeout is 25 s
		t.Errorf("took %v", took)
	}
	if got := n.status().View.Requests.Ended; got < len(kinds)/2 {
		t.Errorf("%d of %d, says the status", got, len(kinds))
	}
	// What must not be repeated was not: the second try would be told that the lease
	// exists.
	metrics := (&site{node: n}).fetch(n.Client+"/metrics", nil, nil)
	const once = `grpc_server_started_total{grpc_method="LeaseGrant",grpc_service="etcdserverpb.Lease",grpc_type="unary"} 1`
	if !strings.Contains(metrics, once) {
		t.Error("etcd's client has granted the lease twice")
	}
}
