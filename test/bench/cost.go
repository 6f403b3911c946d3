package main

import (
	"context"
	"time"

	"github.com/etcd-node/etcd-node/test/lab"
	"github.com/etcd-node/etcd-node/test/prober"
	"github.com/etcd-node/etcd-node/test/steps"
)

const costAbout = `Of all processes of the unit: etcd-node has two. *Idle* is without clients, 20 s after the start, for 20 s; CPU in percent of one core, and how often a
thread was put on a core, together on all hosts. *Pss* counts what processes share in part, *private* is what they alone have.`

// costRows are about what a cluster takes of its machines.
func costRows() []row {
	var all []row
	for _, t := range []timing{near, far} {
		for _, hosts := range []int{1, 3, 5} {
			if t == far && hosts != 3 {
				continue
			}
			name := map[int]string{1: "one member idle", 3: "three members idle", 5: "five members idle"}[hosts]
			all = append(all, row{name: name, setup: setup{timing: t, hosts: hosts}, measure: atRest, figures: []figure{
				{name: "CPU", unit: percent, goal: goal{atMost: 1.2}},
				{name: "context switches", unit: rate},
			}})
		}
	}
	memory := []figure{{name: "Pss", unit: size}, {name: "private", unit: size}}
	return append(all,
		row{name: "memory of the leader, idle", setup: setup{timing: near}, figures: memory, measure: func(ctx context.Context, c *cluster) []float64 {
			c.led(ctx)
			pass(ctx, 15*time.Second)
			return c.memory(c.Hosts[0])
		}},
		row{name: "memory of the leader, after 20 s of puts of 64 clients", setup: setup{timing: near}, figures: memory, measure: func(ctx context.Context, c *cluster) []float64 {
			c.led(ctx)
			clients := c.many(connections)
			prober.Run(ctx, 64, 20*time.Second, func(ctx context.Context, i, n int) error {
				_, err := clients[i%len(clients)].Put(ctx, key(n%keys), value)
				return err
			})
			return c.memory(c.Hosts[0])
		}},
		row{name: "private memory of the leader's supervisor", setup: setup{timing: near}, figures: []figure{{unit: size}}, measure: supervisorMemory, oursOnly: true},
	)
}

// atRest is what the units use in percent of a core, and how often their threads
// are put on one in a second.
func atRest(ctx context.Context, c *cluster) []float64 {
	c.start(ctx)
	c.settle(ctx)
	c.close() // clients send keep-alives
	c.clients = nil
	pass(ctx, 20*time.Second) // after 15 it counts as unused
	began, cpu, switches := time.Now(), c.cpu(), c.switches()
	pass(ctx, 20*time.Second)
	took := time.Since(began)
	return []float64{100 * (c.cpu() - cpu).Seconds() / took.Seconds(), float64(c.switches()-switches) / took.Seconds()}
}

// switches are those of the units of all hosts.
func (c *cluster) switches() (n int) {
	for _, h := range c.Hosts {
		for _, p := range steps.Of(h.Procs(c.unit)) {
			n += steps.Of(p.Switches())
		}
	}
	return n
}

// memory is Pss and private memory of the unit on h.
func (c *cluster) memory(h *lab.Host) []float64 {
	var all lab.Memory
	for _, p := range steps.Of(h.Procs(c.unit)) {
		m := steps.Of(p.Memory())
		all.Pss += m.Pss
		all.Private += m.Private
	}
	return []float64{float64(all.Pss), float64(all.Private)}
}

// supervisorMemory is what only the leader's supervisor has in memory, which the
// price of a second process is.
func supervisorMemory(ctx context.Context, c *cluster) []float64 {
	c.busy(ctx)
	leader, _ := c.leader(ctx)
	return []float64{float64(steps.Of(c.supervisor(leader).Memory()).Private)}
}
