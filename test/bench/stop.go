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

// stopRows are about how long a stop takes, and what a restart costs.
func stopRows() []row {
	var all []row
	for _, t := range []timing{near, far} {
		leaderGoal := goal{worst: 0.3}
		if t == far {
			leaderGoal = goal{worst: 1.3}
		}
		restart := took(goal{worst: 0.3})
		restart[0].chart = chart{name: "gaps-" + t.file(), label: "restart of each"}
		all = append(all,
			row{name: "stop of a follower, streams open", setup: setup{timing: t}, figures: took(goal{worst: 0.3}), measure: once(stopFollower)},
			row{name: "stop of the leader, streams open", setup: setup{timing: t}, figures: took(leaderGoal), measure: once(stopLeader)},
			row{name: "stop of all three at once, streams open", setup: setup{timing: t}, figures: took(goal{worst: 2}), measure: once(stopAll)},
			row{name: "stop while waiting for the others", setup: setup{timing: t}, figures: took(goal{worst: 0.3}), measure: once(stopWaiting), oursOnly: true},
			row{name: "restart of each in turn, longest gap of puts through the others", setup: setup{timing: t}, figures: restart, measure: once(restartEach)},
			row{name: "restart of each in turn under 500 puts a second until it serves; no new term for a follower", setup: setup{timing: t},
				figures: took(goal{p99: 1}), series: restartUnderLoad},
		)
	}
	return append(all,
		row{name: "supervisor killed until its member is gone and the port free", setup: setup{timing: near}, figures: took(goal{worst: 0.05}), measure: once(killSupervisor), oursOnly: true},
	)
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

// restartUnderLoad restarts every member n times, as systemctl does, and takes
// the time from the command until the member answers a linearizable read.
func restartUnderLoad(ctx context.Context, c *cluster, n int) (took [][]float64) {
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
		took = append(took, []float64{time.Since(begin).Seconds()})
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
