package lab

import (
	"strings"
	"testing"
	"time"
)

// The first of three machines is started long before the others, by a tool
// that does one after the other. It waits for as long as it takes, and says
// for whom and why.
func TestAloneWaits(t *testing.T) {
	c := hosts(t)
	c.env(c.initialCluster())
	const timeout = 3 * time.Second
	c.dropIn(1, "[Service]\nTimeoutStartSec=3\n")
	if err := c.host(3).Cut(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.run(1, "systemctl", "start", "--no-block", "etcd")
	// etcd-2 answers that nobody listens, etcd-3 does not answer at all.
	u := c.status(1, "joining: 1 of 3 members; waiting for ",
		"etcd-2 ("+c.host(2).IP+": connection refused)", "etcd-3 ("+c.host(3).IP+": ")
	for Now() < u.InactiveExit+3*timeout {
		now := c.unit(1)
		if now.ActiveState != "activating" || now.MainPID != u.MainPID || now.NRestarts != 0 {
			t.Fatalf("%v after the start, with TimeoutStartSec=%v: %v", Now()-now.InactiveExit, timeout, now)
		}
		time.Sleep(100 * time.Millisecond)
	}
	c.start(2) // two of three are a quorum
	c.await(1, "active", func(u Unit) bool { return u.ActiveState == "active" })
	for i := 1; i <= 2; i++ {
		c.status(i, "serving: ", "2 of 3 members", "etcd-3 (has never started; "+c.host(3).IP)
	}
}

// Whoever waits can be stopped.
func TestStopWhileActivating(t *testing.T) {
	c := hosts(t)
	c.env(c.initialCluster())
	c.run(1, "systemctl", "start", "--no-block", "etcd")
	c.status(1, "joining: 1 of 3 members")
	c.run(1, "systemctl", "stop", "etcd")
	u := c.unit(1)
	if u.ActiveState != "inactive" || u.Result != "success" || u.ExitStatus != 0 {
		t.Errorf("stopped while activating: %v", u)
	}
	if u.ActiveEnter != 0 && u.ActiveEnter > u.InactiveExit {
		t.Error("it called itself ready")
	}
	// Stock etcd never returns from this one and is killed after 90 s.
	if journal, err := c.host(1).Journal(t.Context(), "etcd", c.since); err != nil || strings.Contains(journal, "SIGKILL") {
		t.Errorf("systemd had to kill it (%v):\n%s", err, journal)
	}
}
