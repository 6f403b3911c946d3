package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/etcd-node/etcd-node/test/lab"
	"github.com/etcd-node/etcd-node/test/steps"
)

const calmAbout = `How many new terms there were, in how many tries. A new term is an election, and a leader that nobody had to replace. The disk is made slow by strace,
packets are lost by nftables, and delayed by a forwarder in front of each host: 25 ms on each cable. Loss and delay last ten minutes a try.
A host whose link goes down forgets its neighbours, asks for them while the cable is out, and asks again only a second later (ARP): after 200 ms without its cable the leader
is away for more than a second. The others replace it after half of that; stock etcd does where its timer happens to be shorter.`

// calm is a disturbance after which the leader is to be the same.
type calm struct {
	name    string
	goal    goal
	disturb func(ctx context.Context, c *cluster, leader *lab.Host, followers []*lab.Host)
}

func calmRows(o options) []row {
	var all []row
	for _, t := range []timing{near, far} {
		for _, d := range []calm{
			{"leader's cable out for 200 ms", goal{none: true}, func(ctx context.Context, c *cluster, leader *lab.Host, _ []*lab.Host) {
				steps.Must(leader.Outage(ctx, 200*time.Millisecond))
			}},
			{"a follower's cable out for 5 s", goal{none: true}, func(ctx context.Context, c *cluster, _ *lab.Host, followers []*lab.Host) {
				steps.Must(followers[0].Outage(ctx, 5*time.Second))
			}},
			{"leader's process stands still for 300 ms", goal{none: true}, func(ctx context.Context, c *cluster, leader *lab.Host, _ []*lab.Host) {
				c.freeze(ctx, 300*time.Millisecond, leader)
			}},
			{"each fdatasync of the leader takes 300 ms more, for 10 s, under 100 puts a second", goal{none: true}, func(ctx context.Context, c *cluster, leader *lab.Host, _ []*lab.Host) {
				_, clients := c.puts(c.Hosts)
				stop := load(clients, 100)
				defer stop()
				defer c.slowDisk(ctx, leader, 300*time.Millisecond)()
				pass(ctx, 10*time.Second)
			}},
			{"the processes of all followers stand still for 2 s", goal{asStock: true}, func(ctx context.Context, c *cluster, _ *lab.Host, followers []*lab.Host) {
				c.freeze(ctx, 2*time.Second, followers...)
			}},
			{"the processes of all members stand still for 2 s", goal{asStock: true}, func(ctx context.Context, c *cluster, _ *lab.Host, _ []*lab.Host) {
				c.freeze(ctx, 2*time.Second, c.Hosts...)
			}},
		} {
			all = append(all, row{name: d.name + ", new terms", setup: setup{timing: t}, figures: []figure{{unit: terms, goal: d.goal}}, series: d.terms, each: 2})
		}
		for _, d := range []calm{
			{"5 % of all packets lost", goal{asStock: true}, func(ctx context.Context, c *cluster, _ *lab.Host, _ []*lab.Host) {
				c.each(func(h *lab.Host) { steps.Of(h.Sh(ctx, lose)) })
			}},
			{"50 ms of delay between all hosts, one way", goal{asStock: true}, func(ctx context.Context, c *cluster, _ *lab.Host, _ []*lab.Host) {
				for _, h := range c.Hosts { // half of it on each cable
					restore := steps.Of(h.Delay(ctx, 25*time.Millisecond))
					c.later(func(context.Context) error { return restore() })
				}
			}},
		} {
			d := calm{d.name, d.goal, func(ctx context.Context, c *cluster, leader *lab.Host, followers []*lab.Host) {
				_, clients := c.puts(c.Hosts)
				defer load(clients, 100)()
				d.disturb(ctx, c, leader, followers)
				pass(ctx, o.rough)
				c.mend(ctx)
				c.each(func(h *lab.Host) { steps.Of(h.Sh(ctx, "nft flush ruleset")) })
			}}
			all = append(all, row{name: d.name + ", under 100 puts a second, new terms", setup: setup{timing: t},
				figures: []figure{{unit: terms, goal: d.goal}}, series: d.terms, each: 1, most: 1})
		}
	}
	return all
}

// lose makes a host lose one of twenty packets that come.
const lose = `nft -f - <<'END'
	table ip lossy {
		chain in { type filter hook input priority -300; iifname "eth0" numgen random mod 100 < 5 drop; }
	}
END`

// terms counts the new terms of each try.
func (d calm) terms(ctx context.Context, c *cluster, n int) (values [][]float64) {
	c.start(ctx)
	c.settle(ctx)
	for range n {
		leader, followers := c.leader(ctx)
		before := c.term(ctx, leader)
		d.disturb(ctx, c, leader, followers)
		pass(ctx, c.timing.timeout()) // an election may take that long to come
		c.settle(ctx)
		after := c.term(ctx, leader)
		if after != before {
			fmt.Fprintf(os.Stderr, "%s: term %d, then %d\n", c.name, before, after)
		}
		values = append(values, []float64{float64(after - before)})
	}
	return values
}

// freeze stops the serving processes on these hosts for a time.
func (c *cluster) freeze(ctx context.Context, d time.Duration, hosts ...*lab.Host) {
	var frozen []lab.Proc
	for _, h := range hosts {
		frozen = append(frozen, c.process(h))
	}
	defer func() {
		for _, p := range frozen {
			steps.Must(p.Signal(unix.SIGCONT))
		}
	}()
	for _, p := range frozen {
		steps.Must(p.Signal(unix.SIGSTOP))
	}
	pass(ctx, d)
}

// slowDisk makes each fdatasync of the serving process take longer, until the
// func that it returns is called.
func (c *cluster) slowDisk(ctx context.Context, h *lab.Host, d time.Duration) func() {
	stop := steps.Of(c.process(h).SlowDisk(ctx, d))
	return func() { steps.Must(stop()) }
}
