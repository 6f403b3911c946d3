package lab

import (
	"errors"
	"strings"
	"testing"
	"time"

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
	c.logs(one, "the leader's host is silent; asking for an election now")
	c.logs(two, "the leader's host is silent; asking for an election now")
	if err := c.host(lost).Heal(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i := 1; i <= 3; i++ {
		c.status(i, "serving: ", "3 of 3 members")
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
