package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-node/etcd-node/test/lab"
	"github.com/etcd-node/etcd-node/test/prober"
)

// rows is the table. alone is how long host 1 waits for the others in the row
// about that.
func rows(alone time.Duration) []row {
	var all []row
	for _, t := range []timing{near, far} {
		leaderGoal := "< 0.3 s"
		if t == far {
			leaderGoal = "< 1.3 s"
		}
		all = append(all,
			row{name: "start of all three at once until all are active", goal: "≤ 1.1 × stock", setup: setup{timing: t}, measure: startAll},
			row{name: "stop of a follower, streams open", goal: "< 0.3 s", setup: setup{timing: t}, measure: stopFollower},
			row{name: "stop of the leader, streams open", goal: leaderGoal, setup: setup{timing: t}, measure: stopLeader},
			row{name: "stop of all three at once, streams open", goal: "< 2 s", setup: setup{timing: t}, measure: stopAll},
			row{name: "stop while waiting for the others", goal: "< 0.3 s", setup: setup{timing: t}, measure: stopWaiting, oursOnly: true},
			row{name: "restart of each in turn, longest gap of puts through the others", goal: "< 0.3 s", setup: setup{timing: t}, measure: restartEach},
			row{name: "single member with data on loopback, from exec to serving", goal: "< 60 ms", setup: setup{timing: t, hosts: 1}, measure: startLocal},
			row{name: "the same as a unit, from systemd's fork to READY", goal: "", setup: setup{timing: t, hosts: 1}, measure: startSingle},
			row{name: "restart of each in turn under 500 puts a second until it serves; no new term for a follower", goal: "p99 < 1 s",
				setup: setup{timing: t}, series: restartUnderLoad},
			row{name: "follower's serving process killed until it serves again", goal: "< 1 s", setup: setup{timing: t}, measure: killFollower},
			row{name: "follower's cable pulled, and plugged in again 30 s later, until it serves again", goal: "", setup: setup{timing: t}, measure: cutFollower},
		)
	}
	all = append(all, failoverRows()...)
	all = append(all, deceptionRows()...)
	return append(all,
		row{name: "private memory of the leader's supervisor", goal: "", setup: setup{timing: near}, measure: supervisorMemory, oursOnly: true, show: mebibytes},
		row{name: "supervisor killed until its member is gone and the port free", goal: "< 50 ms", setup: setup{timing: near}, measure: killSupervisor, oursOnly: true},
		row{name: fmt.Sprintf("%v alone with TimeoutStartSec=15, then a second host: until both are active", alone),
			goal: "p90 ≤ 2 s", setup: setup{timing: near}, measure: func(ctx context.Context, c *cluster) (time.Duration, error) { return joinAlone(ctx, c, alone) }, oursOnly: true},
	)
}

func startAll(ctx context.Context, c *cluster) (time.Duration, error) {
	if err := c.start(ctx); err != nil {
		return 0, err
	}
	return c.untilActive(ctx, c.Hosts, c.Hosts)
}

// untilActive is the time from the first of these hosts being started until
// the last of those became active, by systemd's own stamps.
func (c *cluster) untilActive(ctx context.Context, started, active []*lab.Host) (time.Duration, error) {
	var from, to time.Duration
	for _, h := range started {
		u, err := h.Unit(ctx, c.unit)
		if err != nil {
			return 0, err
		}
		if from == 0 || u.InactiveExit < from {
			from = u.InactiveExit
		}
	}
	for _, h := range active {
		u, err := h.Unit(ctx, c.unit)
		if err != nil {
			return 0, err
		}
		if u.ActiveState != "active" {
			return 0, fmt.Errorf("%s: %v", h.Name, u)
		}
		to = max(to, u.ActiveEnter)
	}
	return to - from, nil
}

// busy is a cluster that serves clients with open streams.
func (c *cluster) busy(ctx context.Context) error {
	if err := c.start(ctx); err != nil {
		return err
	}
	if err := c.settle(ctx); err != nil {
		return err
	}
	return c.streams(ctx)
}

func stopFollower(ctx context.Context, c *cluster) (time.Duration, error) {
	if err := c.busy(ctx); err != nil {
		return 0, err
	}
	_, followers, err := c.leader(ctx)
	if err != nil {
		return 0, err
	}
	return c.stop(ctx, followers[0])
}

func stopLeader(ctx context.Context, c *cluster) (time.Duration, error) {
	if err := c.busy(ctx); err != nil {
		return 0, err
	}
	leader, _, err := c.leader(ctx)
	if err != nil {
		return 0, err
	}
	return c.stop(ctx, leader)
}

// stop is how long the unit took from SIGTERM until systemd called it inactive.
func (c *cluster) stop(ctx context.Context, h *lab.Host) (time.Duration, error) {
	if _, err := h.Run(ctx, "systemctl", "stop", c.unit); err != nil {
		return 0, err
	}
	u, err := h.Unit(ctx, c.unit)
	if err != nil {
		return 0, err
	}
	if u.ActiveState != "inactive" || u.Result != "success" {
		return 0, fmt.Errorf("stopped: %v", u)
	}
	return u.InactiveEnter - u.ActiveExit, nil
}

// stopAll is the slowest of three.
func stopAll(ctx context.Context, c *cluster) (time.Duration, error) {
	if err := c.busy(ctx); err != nil {
		return 0, err
	}
	took := make(chan time.Duration, len(c.Hosts))
	err := c.Each(func(h *lab.Host) error {
		d, err := c.stop(ctx, h)
		took <- d
		return err
	})
	var slowest time.Duration
	for range c.Hosts {
		slowest = max(slowest, <-took)
	}
	return slowest, err
}

func stopWaiting(ctx context.Context, c *cluster) (time.Duration, error) {
	if err := c.prepare(ctx); err != nil {
		return 0, err
	}
	h := c.Hosts[0]
	if _, err := h.Run(ctx, "systemctl", "start", "--no-block", c.unit); err != nil {
		return 0, err
	}
	if err := poll(ctx, "the member to wait", func() (bool, error) {
		u, err := h.Unit(ctx, c.unit)
		return strings.Contains(u.StatusText, "; waiting for "), err
	}); err != nil {
		return 0, err
	}
	begin := time.Now() // it was never active, so systemd has no stamp for it
	if _, err := h.Run(ctx, "systemctl", "stop", c.unit); err != nil {
		return 0, err
	}
	took := time.Since(begin)
	if u, err := h.Unit(ctx, c.unit); err != nil || u.ActiveState != "inactive" || u.Result != "success" {
		return 0, fmt.Errorf("stopped while it waited: %v, %v", u, err)
	}
	return took, nil
}

// restartEach is the longest gap of all restarts.
func restartEach(ctx context.Context, c *cluster) (time.Duration, error) {
	if err := c.busy(ctx); err != nil {
		return 0, err
	}
	var longest time.Duration
	for _, h := range c.Hosts {
		var targets []prober.Target
		for _, other := range c.Hosts {
			if other != h {
				cli, err := c.client(other)
				if err != nil {
					return 0, err
				}
				targets = append(targets, prober.Put(other.Name, cli))
			}
		}
		probe := prober.Start(10*time.Millisecond, 20*time.Second, targets...)
		_, err := h.Run(ctx, "systemctl", "restart", c.unit)
		longest = max(longest, prober.Longest(probe.Stop()))
		if err != nil {
			return 0, err
		}
		if err := c.settle(ctx); err != nil {
			return 0, err
		}
	}
	return longest, nil
}

// startSingle is the time from the start of the unit's process until systemd
// took in its READY=1, with a little data and the files in the page cache.
func startSingle(ctx context.Context, c *cluster) (time.Duration, error) {
	if err := c.start(ctx); err != nil {
		return 0, err
	}
	h := c.Hosts[0]
	cli, err := c.client(h)
	if err != nil {
		return 0, err
	}
	for i := range 1000 {
		if _, err := cli.Put(ctx, fmt.Sprint("k", i), "0123456789"); err != nil {
			return 0, err
		}
	}
	for _, verb := range []string{"stop", "start"} {
		if _, err := h.Run(ctx, "systemctl", verb, c.unit); err != nil {
			return 0, err
		}
	}
	u, err := h.Unit(ctx, c.unit)
	if err != nil || u.ActiveState != "active" {
		return 0, fmt.Errorf("started: %v, %v", u, err)
	}
	return u.ActiveEnter - u.MainStart, c.answers(ctx, h)
}

// restartUnderLoad restarts every member n times, as systemctl does, and takes
// the time from the command until the member answers a linearizable read.
func restartUnderLoad(ctx context.Context, c *cluster, n int) ([]time.Duration, error) {
	if err := c.start(ctx); err != nil {
		return nil, err
	}
	if err := c.settle(ctx); err != nil {
		return nil, err
	}
	var clients []*clientv3.Client
	for _, h := range c.Hosts {
		cli, err := c.client(h)
		if err != nil {
			return nil, err
		}
		clients = append(clients, cli)
	}
	defer load(clients, 500)()
	var took []time.Duration
	var followers, terms uint64
	for i := range n * len(c.Hosts) {
		leader, others, err := c.leader(ctx)
		if err != nil {
			return nil, err
		}
		// Every third the leader, the others in turn: in the order of the hosts
		// the leadership would run ahead of us.
		h := leader
		if i%3 != 2 {
			h = others[i%3]
		}
		before, err := c.term(ctx, h)
		if err != nil {
			return nil, err
		}
		begin := time.Now()
		if _, err := h.Run(ctx, "systemctl", "restart", c.unit); err != nil {
			return nil, err
		}
		if err := c.answers(ctx, h); err != nil {
			return nil, err
		}
		took = append(took, time.Since(begin))
		if err := c.settle(ctx); err != nil {
			return nil, err
		}
		after, err := c.term(ctx, h)
		if err != nil {
			return nil, err
		}
		if h != leader {
			followers++
			terms += after - before
		}
	}
	fmt.Fprintf(os.Stderr, "%s, %s: %d new terms in %d restarts of a follower\n", c.subject.name, c.timing, terms, followers)
	if terms > 0 && c.subject == ours {
		return nil, fmt.Errorf("%d new terms in %d restarts of a follower", terms, followers)
	}
	return took, nil
}

func killSupervisor(ctx context.Context, c *cluster) (time.Duration, error) {
	if err := c.busy(ctx); err != nil {
		return 0, err
	}
	h := c.Hosts[0]
	member, err := c.process(h)
	if err != nil {
		return 0, err
	}
	supervisor, err := c.supervisor(h)
	if err != nil {
		return 0, err
	}
	begin := time.Now()
	if err := supervisor.Signal(unix.SIGKILL); err != nil {
		return 0, err
	}
	err = poll(ctx, "the member to end and its ports to be free", func() (bool, error) {
		if !member.Gone() {
			return false, nil
		}
		for _, port := range []string{":2379", ":2380"} {
			if conn, err := c.Dial(ctx, h.IP+port); err == nil {
				return false, conn.Close()
			}
		}
		return true, nil
	})
	return time.Since(begin), err
}

// joinAlone starts host 1, keeps it waiting, and takes the time from the start
// of host 2 until both are active.
func joinAlone(ctx context.Context, c *cluster, alone time.Duration) (time.Duration, error) {
	if err := c.prepare(ctx); err != nil {
		return 0, err
	}
	one, two := c.Hosts[0], c.Hosts[1]
	if err := c.dropIn(ctx, one, "bench", "TimeoutStartSec=15\n"); err != nil {
		return 0, err
	}
	if _, err := one.Run(ctx, "systemctl", "start", "--no-block", c.unit); err != nil {
		return 0, err
	}
	select {
	case <-time.After(alone):
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	u, err := one.Unit(ctx, c.unit)
	if err != nil || u.ActiveState != "activating" || u.NRestarts != 0 {
		return 0, fmt.Errorf("alone for %v: %v, %v; want it still activating", alone, u, err)
	}
	if _, err := two.Run(ctx, "systemctl", "start", c.unit); err != nil {
		return 0, err
	}
	if err := poll(ctx, "host 1 to become active", func() (bool, error) {
		u, err := one.Unit(ctx, c.unit)
		return u.ActiveState == "active", err
	}); err != nil {
		return 0, err
	}
	return c.untilActive(ctx, []*lab.Host{two}, []*lab.Host{one, two})
}
