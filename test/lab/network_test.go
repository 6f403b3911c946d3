package lab

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/etcd-node/etcd-node/test/poll"
)

// A cable is pulled for longer than etcd means to trust a silent stream, and
// plugged in again. Nothing that was sent into it is left for TCP to try again
// after ever longer pauses: what comes next takes a new connection.
func TestCablePulled(t *testing.T) {
	c := hosts(t)
	c.env(c.initialCluster())
	c.start()
	follower := c.leader()%3 + 1
	_, before := c.procs(follower)
	if err := c.host(follower).Cut(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.status(follower, "no leader", "1 of 3 members")
	// Both ends know that nothing arrives.
	pulled := time.Now()
	for i := 1; i <= 3; i++ {
		c.logs(i, "gave up connections with peers on which nothing has been acknowledged")
	}
	// TCP now tries again 12 s after it did last.
	time.Sleep(time.Until(pulled.Add(15 * time.Second)))
	if err := c.host(follower).Heal(t.Context()); err != nil {
		t.Fatal(err)
	}
	// Stock etcd needs 11 s here, and a put that is lost 7 s.
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if _, err := c.client(c.host(follower)).Put(ctx, "k", "v"); err != nil {
		t.Errorf("put through the member whose cable is back: %v", err)
	}
	for i := 1; i <= 3; i++ {
		c.status(i, "serving: ", "3 of 3 members")
	}
	if _, now := c.procs(follower); now.PID != before.PID {
		t.Errorf("the member was restarted: process %d, then %d", before.PID, now.PID)
	}
}

// logs waits until the unit on host i has logged the text.
func (c *cluster) logs(i int, text string) {
	c.t.Helper()
	poll.Eventually(c.t, func() error {
		journal, err := c.host(i).Journal(c.t.Context(), "etcd", c.since)
		if err == nil && !strings.Contains(journal, text) {
			err = fmt.Errorf("%s has not logged %q:\n%s", c.host(i).Name, text, journal)
		}
		return err
	})
}
