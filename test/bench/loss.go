package main

import (
	"context"
	"time"

	"golang.org/x/sys/unix"

	"github.com/etcd-node/etcd-node/test/lab"
	"github.com/etcd-node/etcd-node/test/prober"
	"github.com/etcd-node/etcd-node/test/steps"
)

// loss is a way in which a cluster loses its leader.
type loss struct {
	name   string
	strike func(ctx context.Context, c *cluster, leader, other *lab.Host)
	// In good order: the leader knows that it is to go.
	order bool
	// Nothing refuses and nothing closes: others have to notice.
	silent bool
}

var (
	killed = loss{name: "leader's serving process killed", strike: func(ctx context.Context, c *cluster, leader, _ *lab.Host) {
		steps.Must(c.process(leader).Signal(unix.SIGKILL))
	}}
	stopped = loss{name: "leader stopped", order: true, strike: func(ctx context.Context, c *cluster, leader, _ *lab.Host) {
		steps.Of(leader.Run(ctx, "systemctl", "stop", c.unit))
	}}
	restarted = loss{name: "leader restarted", order: true, strike: func(ctx context.Context, c *cluster, leader, _ *lab.Host) {
		steps.Of(leader.Run(ctx, "systemctl", "restart", c.unit))
	}}
	moved = loss{name: "leadership moved to another", order: true, strike: func(ctx context.Context, c *cluster, leader, other *lab.Host) {
		steps.Of(c.client(leader).MoveLeader(ctx, c.status(ctx, other).Header.MemberId))
	}}
	powerLoss = loss{name: "leader's host loses its power", silent: true, strike: func(ctx context.Context, c *cluster, leader, _ *lab.Host) {
		c.later(leader.Boot)
		steps.Must(leader.PowerLoss(ctx))
	}}
	cable = loss{name: "leader's cable pulled", silent: true, strike: func(ctx context.Context, c *cluster, leader, _ *lab.Host) {
		c.later(leader.Heal)
		steps.Must(leader.Cut(ctx))
	}}
)

const lossAbout = "Nothing refuses and nothing closes, so the others have to notice. A power loss keeps the page cache here: it proves nothing about fsync."

// lossRows are about a leader's host that is gone, as clients see it who ask
// again and again.
func lossRows() []row {
	var all []row
	for _, t := range []timing{near, far} {
		for _, l := range []loss{powerLoss, cable} {
			f := took(goal{median: 0.6, worst: 1})
			f[0].chart = chart{name: "gaps-" + t.file(), label: l.name}
			all = append(all, row{name: l.name + ", longest gap of puts through the others", setup: setup{timing: t}, figures: f, measure: once(l.gap)})
		}
	}
	return append(all, clientRow())
}

// gap is the longest gap of puts through each survivor.
func (l loss) gap(ctx context.Context, c *cluster) time.Duration {
	c.busy(ctx)
	leader, survivors := c.leader(ctx)
	targets, _ := c.puts(survivors)
	watched := c.watch(ctx, func() *prober.Prober { return prober.Start(10*time.Millisecond, 20*time.Second, targets...) })
	l.strike(ctx, c, leader, survivors[0])
	for _, h := range survivors {
		c.answers(ctx, h)
	}
	time.Sleep(time.Second)
	return watched.longest(targets)
}
