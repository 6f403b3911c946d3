package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/etcd-node/etcd-node/test/lab"
	"github.com/etcd-node/etcd-node/test/prober"
	"github.com/etcd-node/etcd-node/test/steps"
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
			goal: "p90 ≤ 2 s", setup: setup{timing: near}, measure: func(ctx context.Context, c *cluster) time.Duration { return joinAlone(ctx, c, alone) }, oursOnly: true},
	)
}

func startAll(ctx context.Context, c *cluster) time.Duration {
	c.start(ctx)
	return c.untilActive(ctx, c.Hosts, c.Hosts)
}

// untilActive is the time from the first of these hosts being started until
// the last of those became active, by systemd's own stamps.
func (c *cluster) untilActive(ctx context.Context, started, active []*lab.Host) time.Duration {
	var from, to time.Duration
	for _, h := range started {
		u := steps.Of(h.Unit(ctx, c.unit))
		if from == 0 || u.InactiveExit < from {
			from = u.InactiveExit
		}
	}
	for _, h := range active {
		u := steps.Of(h.Unit(ctx, c.unit))
		if u.ActiveState != "active" {
			steps.Fail("%s: %v", h.Name, u)
		}
		to = max(to, u.ActiveEnter)
	}
	return to - from
}

// busy is a cluster that serves clients with open streams.
func (c *cluster) busy(ctx context.Context) {
	c.start(ctx)
	c.settle(ctx)
	c.streams(ctx)
}

func stopFollower(ctx context.Context, c *cluster) time.Duration {
	c.busy(ctx)
	_, followers := c.leader(ctx)
	return c.stop(ctx, followers[0])
}

func stopLeader(ctx context.Context, c *cluster) time.Duration {
	c.busy(ctx)
	leader, _ := c.leader(ctx)
	return c.stop(ctx, leader)
}

// stop is how long the unit took from SIGTERM until systemd called it inactive.
func (c *cluster) stop(ctx context.Context, h *lab.Host) time.Duration {
	steps.Of(h.Run(ctx, "systemctl", "stop", c.unit))
	u := steps.Of(h.Unit(ctx, c.unit))
	if u.ActiveState != "inactive" || u.Result != "success" {
		steps.Fail("stopped: %v", u)
	}
	return u.InactiveEnter - u.ActiveExit
}

// stopAll is the slowest of three.
func stopAll(ctx context.Context, c *cluster) time.Duration {
	c.busy(ctx)
	took := make(chan time.Duration, len(c.Hosts))
	c.each(func(h *lab.Host) { took <- c.stop(ctx, h) })
	var slowest time.Duration
	for range c.Hosts {
		slowest = max(slowest, <-took)
	}
	return slowest
}

func stopWaiting(ctx context.Context, c *cluster) time.Duration {
	c.prepare(ctx)
	h := c.Hosts[0]
	steps.Of(h.Run(ctx, "systemctl", "start", "--no-block", c.unit))
	await(ctx, "the member to wait", func() bool {
		return strings.Contains(steps.Of(h.Unit(ctx, c.unit)).StatusText, "; waiting for ")
	})
	begin := time.Now() // it was never active, so systemd has no stamp for it
	steps.Of(h.Run(ctx, "systemctl", "stop", c.unit))
	took := time.Since(begin)
	if u := steps.Of(h.Unit(ctx, c.unit)); u.ActiveState != "inactive" || u.Result != "success" {
		steps.Fail("stopped while it waited: %v", u)
	}
	return took
}

// restartEach is the longest gap of all restarts.
func restartEach(ctx context.Context, c *cluster) time.Duration {
	c.busy(ctx)
	var longest time.Duration
	for _, h := range c.Hosts {
		targets, _ := c.puts(slices.DeleteFunc(slices.Clone(c.Hosts), func(x *lab.Host) bool { return x == h }))
		probe := prober.Start(10*time.Millisecond, 20*time.Second, targets...)
		_, err := h.Run(ctx, "systemctl", "restart", c.unit)
		longest = max(longest, prober.Longest(probe.Stop()))
		steps.Must(err)
		c.settle(ctx)
	}
	return longest
}

// startSingle is the time from the start of the unit's process until systemd
// took in its READY=1, with a little data and the files in the page cache.
func startSingle(ctx context.Context, c *cluster) time.Duration {
	c.start(ctx)
	h := c.Hosts[0]
	cli := c.client(h)
	for i := range 1000 {
		steps.Of(cli.Put(ctx, fmt.Sprint("k", i), "0123456789"))
	}
	for _, verb := range []string{"stop", "start"} {
		steps.Of(h.Run(ctx, "systemctl", verb, c.unit))
	}
	u := steps.Of(h.Unit(ctx, c.unit))
	if u.ActiveState != "active" {
		steps.Fail("started: %v", u)
	}
	c.answers(ctx, h)
	return u.ActiveEnter - u.MainStart
}

// restartUnderLoad restarts every member n times, as systemctl does, and takes
// the time from the command until the member answers a linearizable read.
func restartUnderLoad(ctx context.Context, c *cluster, n int) (took []time.Duration) {
	c.start(ctx)
	c.settle(ctx)
	_, clients := c.puts(c.Hosts)
	defer load(clients, 500)()
	var followers, terms uint64
	for i := range n * len(c.Hosts) {
		leader, others := c.leader(ctx)
		// Every third the leader, the others in turn: in the order of the hosts
		// the leadership would run ahead of us.
		h := leader
		if i%3 != 2 {
			h = others[i%3]
		}
		before := c.term(ctx, h)
		begin := time.Now()
		steps.Of(h.Run(ctx, "systemctl", "restart", c.unit))
		c.answers(ctx, h)
		took = append(took, time.Since(begin))
		c.settle(ctx)
		after := c.term(ctx, h)
		if h != leader {
			followers++
			terms += after - before
		}
	}
	fmt.Fprintf(os.Stderr, "%s, %s: %d new terms in %d restarts of a follower\n", c.subject.name, c.timing, terms, followers)
	if terms > 0 && c.subject == ours {
		steps.Fail("%d new terms in %d restarts of a follower", terms, followers)
	}
	return took
}

func killSupervisor(ctx context.Context, c *cluster) time.Duration {
	c.busy(ctx)
	h := c.Hosts[0]
	member := c.process(h)
	supervisor := c.supervisor(h)
	begin := time.Now()
	steps.Must(supervisor.Signal(unix.SIGKILL))
	await(ctx, "the member to end and its ports to be free", func() bool {
		if !member.Gone() {
			return false
		}
		for _, port := range []string{":2379", ":2380"} {
			if conn, err := c.Dial(ctx, h.IP+port); err == nil {
				conn.Close()
				return false
			}
		}
		return true
	})
	return time.Since(begin)
}

// joinAlone starts host 1, keeps it waiting, and takes the time from the start
// of host 2 until both are active.
func joinAlone(ctx context.Context, c *cluster, alone time.Duration) time.Duration {
	c.prepare(ctx)
	one, two := c.Hosts[0], c.Hosts[1]
	c.dropIn(ctx, one, "bench", "TimeoutStartSec=15\n")
	steps.Of(one.Run(ctx, "systemctl", "start", "--no-block", c.unit))
	pass(ctx, alone)
	if u := steps.Of(one.Unit(ctx, c.unit)); u.ActiveState != "activating" || u.NRestarts != 0 {
		steps.Fail("alone for %v: %v; want it still activating", alone, u)
	}
	steps.Of(two.Run(ctx, "systemctl", "start", c.unit))
	await(ctx, "host 1 to become active", func() bool { return steps.Of(one.Unit(ctx, c.unit)).ActiveState == "active" })
	return c.untilActive(ctx, []*lab.Host{two}, []*lab.Host{one, two})
}
