package main

import (
	"context"
	"fmt"
	"time"

	"github.com/etcd-node/etcd-node/test/lab"
	"github.com/etcd-node/etcd-node/test/steps"
)

// startRows are about how long members take until they serve.
func startRows(o options) []row {
	var all []row
	for _, t := range []timing{near, far} {
		all = append(all,
			row{name: "start of all three at once until all are active", setup: setup{timing: t}, figures: took(goal{atMost: 1.1}), measure: once(startAll)},
			row{name: "single member with data on loopback, from exec to serving", setup: setup{timing: t, hosts: 1}, figures: took(goal{median: 0.06}), measure: once(startLocal)},
		)
		single := row{name: "the same as a unit, from systemd's fork to READY", setup: setup{timing: t, hosts: 1}, figures: took(goal{}), measure: once(startSingle)}
		if t == near {
			single.figures[0].chart = chart{name: "start", label: warm, x: 0}
		}
		all = append(all, single)
	}
	all = append(all, sizedRows()...)
	return append(all,
		row{name: fmt.Sprintf("%v alone with TimeoutStartSec=15, then a second host: until both are active", o.alone), setup: setup{timing: near},
			figures: took(goal{p90: 2}), oursOnly: true,
			measure: once(func(ctx context.Context, c *cluster) time.Duration { return joinAlone(ctx, c, o.alone) })},
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
