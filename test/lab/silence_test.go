package lab

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"golang.org/x/sys/unix"

	"github.com/etcd-node/etcd-node/test/poll"
)

// slowTimers makes etcd's own elections take five seconds and more.
var slowTimers = []string{"ETCD_HEARTBEAT_INTERVAL=1000", "ETCD_ELECTION_TIMEOUT=5000"}

// The leader's cable is pulled, and at last the power is lost: the others replace
// it before etcd's timers could have.
func TestLeaderHostGone(t *testing.T) {
	c := hosts(t)
	c.env(append(slowTimers, c.initialCluster())...)
	c.start()
	lost := c.leader()
	kept := c.keepsAlive(c.host(lost%3 + 1))
	gone := time.Now()
	if err := c.host(lost).Cut(t.Context()); err != nil {
		t.Fatal(err)
	}
	one, two := lost%3+1, (lost+1)%3+1
	poll.Eventually(t, func() error {
		for _, i := range []int{one, two} {
			if text := c.unit(i).StatusText; strings.HasPrefix(text, "serving: leader") {
				return nil
			}
		}
		return errors.New("no other leader")
	})
	if took := time.Since(gone); took >= 5*time.Second {
		t.Errorf("replaced after %v: etcd's timer takes that long by itself", took)
	}
	c.status(one, "missing "+c.host(lost).Name)
	t.Logf("called missing after %v", time.Since(gone))
	c.logs(one, "the leader's host is silent; asking for an election now")
	c.logs(two, "the leader's host is silent; asking for an election now")
	// etcd forwards them to the leader's host by HTTP, and waits 15 s for an answer;
	// TCP gives up sooner where the connections are minded, 4 s.
	if took := kept(); took >= 3*time.Second {
		t.Errorf("a lease was kept alive after %v", took)
	}
	if err := c.host(lost).Heal(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i := 1; i <= 3; i++ {
		c.status(i, "serving: ", "3 of 3 members")
	}
}

// TestLeaderKilledOnSlowDisks: each write takes 300 ms, on every host. What was
// under way when the leader died is ended; what was begun after that waits for the
// next leader, and its disk, and is not.
func TestLeaderKilledOnSlowDisks(t *testing.T) {
	if _, err := exec.LookPath("strace"); err != nil {
		t.Skip("no strace to make the disks slow with")
	}
	c := hosts(t)
	c.env(append(slowTimers, c.initialCluster())...)
	c.start()
	lost := c.leader()
	for i := 1; i <= 3; i++ {
		_, member := c.procs(i)
		stop, err := member.SlowDisk(t.Context(), 300*time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		defer stop() //nolint:errcheck // of the one that is killed there may be nothing
	}
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	var (
		putting sync.WaitGroup
		killed  atomic.Pointer[time.Time]
		ended   atomic.Int32 // with the error, of those begun before
	)
	for i := range 16 {
		client := c.client(c.host((lost+i%2)%3 + 1))
		putting.Go(func() {
			for after := 0; after < 3 && ctx.Err() == nil; {
				begun := time.Now()
				_, err := client.Put(ctx, fmt.Sprint("k", i), "v")
				at := killed.Load()
				switch {
				case at == nil && err != nil:
					t.Errorf("before the leader is killed: %v", err)
					return
				case at == nil:
					// Else all are answered with one write, and then sent with one: none is
					// in the leader's queue.
					time.Sleep(rand.N(300 * time.Millisecond))
				// It is noticed within milliseconds; a machine with much to do takes longer.
				case err == nil && begun.After(at.Add(500*time.Millisecond)):
					after++
				case err != nil && begun.After(at.Add(500*time.Millisecond)):
					t.Errorf("begun %v after the leader was killed, and ended after %v: %v", begun.Sub(*at), time.Since(begun), err)
					return
				case err != nil:
					ended.Add(1)
				}
			}
		})
	}
	_, member := c.procs(lost)
	// Until puts are on their way all the time.
	poll.Eventually(t, func() error {
		resp, err := c.client(c.host(lost%3+1)).Get(ctx, "k", clientv3.WithPrefix(), clientv3.WithCountOnly())
		if err == nil && resp.Count < 16 {
			err = errors.New("not every client has put")
		}
		return err
	})
	now := time.Now()
	killed.Store(&now)
	if err := member.Signal(unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	putting.Wait()
	if err := ctx.Err(); err != nil {
		t.Error(err)
	}
	t.Logf("%d that were begun before were ended", ended.Load())
}

// keepsAlive keeps a lease alive through a host, and returns what stops that and
// says how long the slowest answer took.
func (c *cluster) keepsAlive(h *Host) (slowest func() time.Duration) {
	c.t.Helper()
	client := c.client(h)
	lease, err := client.Grant(c.t.Context(), 60)
	if err != nil {
		c.t.Fatal(err)
	}
	var longest time.Duration
	enough, done := make(chan struct{}), make(chan error, 1)
	go func() {
		for {
			begun := time.Now()
			if _, err := client.KeepAliveOnce(c.t.Context(), lease.ID); err != nil {
				done <- err
				return
			}
			longest = max(longest, time.Since(begun))
			select {
			case <-enough:
				done <- nil
				return
			case <-time.After(10 * time.Millisecond): // a client's pause
			}
		}
	}()
	return func() time.Duration {
		close(enough)
		if err := <-done; err != nil {
			c.t.Errorf("keep a lease alive through %s: %v", h.Name, err)
		}
		return longest
	}
}

// A process that is frozen acknowledges: its host does.
func TestLeaderFrozen(t *testing.T) {
	c := hosts(t)
	c.env(append(slowTimers, c.initialCluster())...)
	c.start()
	leader := c.leader()
	_, member := c.procs(leader)
	if err := member.Signal(unix.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	time.Sleep(2 * time.Second) // it is about what does not happen
	if err := member.Signal(unix.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if now := c.leader(); now != leader {
		t.Errorf("%d led, now %d leads", leader, now)
	}
	for i := 1; i <= 3; i++ {
		if out := c.run(i, "etcd-node", "status"); strings.Contains(out, "silent host") && !strings.Contains(out, " 0 silent hosts") {
			t.Errorf("status of host %d:\n%s", i, out)
		}
	}
}
