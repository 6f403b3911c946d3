package lab

import (
	"context"
	"fmt"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/etcd-node/etcd-node/test/poll"
)

// The member dies: systemd does not even notice, and it is back.
func TestMemberKilled(t *testing.T) {
	c := hosts(t)
	c.env(c.initialCluster())
	c.start()
	follower := c.leader()%3 + 1
	before := c.unit(follower)
	supervisor, member := c.procs(follower)
	if err := member.Signal(unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	c.status(follower, "serving: follower of ", "3 of 3 members", "restarted 1 time", "killed by signal 9")
	after := c.unit(follower)
	// The same instant of becoming active: it never was anything else.
	if after.ActiveState != "active" || after.ActiveEnter != before.ActiveEnter || after.MainPID != before.MainPID || after.NRestarts != 0 {
		t.Errorf("before: %v\nafter: %v\nwant the unit untouched", before, after)
	}
	// Both processes' lines: the supervisor's of the end, and one with which each of etcd's starts begins.
	if out := c.warnings(follower); !containsAll(out, "killed by signal 9", `"caller":"embed/`) {
		t.Errorf("journalctl -p warning:\n%s", out)
	}
	again, reborn := c.procs(follower)
	if again.PID != supervisor.PID || reborn.PID == member.PID {
		t.Errorf("supervisor %d then %d, member %d then %d; want the same one and a new one", supervisor.PID, again.PID, member.PID, reborn.PID)
	}
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	if _, err := c.client(c.host(follower)).Put(ctx, "k", "v"); err != nil {
		t.Errorf("put through the member that was killed: %v", err)
	}
}

// The supervisor dies: its member does not outlive it, ports and locks are
// free, and systemd starts the unit again.
func TestSupervisorKilled(t *testing.T) {
	c := hosts(t)
	c.env(c.initialCluster())
	c.start()
	before := c.unit(1)
	supervisor, member := c.procs(1)
	if err := supervisor.Signal(unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	killed := time.Now()
	// RestartSec=1s: a second member on the port would only come after that.
	poll.Eventually(t, func() error {
		if !member.Gone() {
			return fmt.Errorf("member %d lives on without its supervisor", member.PID)
		}
		return nil
	})
	t.Logf("member gone %v after its supervisor", time.Since(killed))
	after := c.await(1, "active again", func(u Unit) bool {
		return u.ActiveState == "active" && u.MainPID != before.MainPID
	})
	if after.NRestarts != 1 {
		t.Errorf("%d restarts by systemd, want 1: %v", after.NRestarts, after)
	}
	c.status(1, "serving: ", "3 of 3 members")
}

// Power loss of one machine, while it and the others serve: they go on, and it
// comes back by itself at boot.
func TestPowerLoss(t *testing.T) {
	c := hosts(t)
	c.env(c.initialCluster())
	c.start()
	if err := c.host(2).PowerLoss(t.Context()); err != nil {
		t.Fatal(err)
	}
	// If it led, puts have to wait for an election.
	others := c.client(c.host(1), c.host(3))
	poll.Eventually(t, func() error {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := others.Put(ctx, "while", "away")
		return err
	})
	c.status(1, "2 of 3 members", "etcd-2 (")
	if err := c.host(2).Boot(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.await(2, "active", func(u Unit) bool { return u.ActiveState == "active" })
	c.serves(nil)
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	if got, err := c.client(c.host(2)).Get(ctx, "while"); err != nil || len(got.Kvs) != 1 {
		t.Errorf("the one that was off has %v, %v", got, err)
	}
}
