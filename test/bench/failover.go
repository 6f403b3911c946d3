package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-node/etcd-node/test/prober"
)

// failoverRows are about a leader that dies without a word.
func failoverRows() []row {
	var all []row
	for _, t := range []timing{near, far} {
		all = append(all,
			row{name: "leader's serving process killed, longest gap of puts through the others", goal: "median < 30 ms, worst < 100 ms", timing: t,
				measure: func(ctx context.Context, c *cluster) (time.Duration, error) { return killLeader(ctx, c, 0) }},
			row{name: "the same under 2,000 puts a second", goal: "worst < 200 ms", timing: t,
				measure: func(ctx context.Context, c *cluster) (time.Duration, error) { return killLeader(ctx, c, 2000) }},
		)
	}
	return all
}

// killLeader is the longest gap of an open loop of puts through each survivor,
// while rate other puts a second are tried through them.
func killLeader(ctx context.Context, c *cluster, rate int) (time.Duration, error) {
	if err := c.busy(ctx); err != nil {
		return 0, err
	}
	leader, followers, err := c.leader(ctx)
	if err != nil {
		return 0, err
	}
	var targets []prober.Target
	var clients []*clientv3.Client
	for _, h := range followers {
		cli, err := c.client(h)
		if err != nil {
			return 0, err
		}
		targets = append(targets, prober.Put(h.Name, cli))
		clients = append(clients, cli)
	}
	unload := load(clients, rate)
	defer unload()
	p, err := c.process(leader)
	if err != nil {
		return 0, err
	}
	probe := prober.Start(10*time.Millisecond, 20*time.Second, targets...)
	time.Sleep(time.Second) // what is usual
	if err := p.Signal(unix.SIGKILL); err != nil {
		return 0, err
	}
	// Until there is a leader, and a second more.
	for _, h := range followers {
		if err := c.answers(ctx, h); err != nil {
			return 0, err
		}
	}
	time.Sleep(time.Second)
	return prober.Longest(probe.Stop()), nil
}

// load tries rate puts a second, in an open loop, until the func that it
// returns is called.
func load(clients []*clientv3.Client, rate int) func() {
	if rate == 0 {
		return func() {}
	}
	const tick = 10 * time.Millisecond
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		t := time.NewTicker(tick)
		defer t.Stop()
		for n := 0; ; {
			select {
			case <-ctx.Done():
				return
			case <-t.C:
			}
			for range rate * int(tick) / int(time.Second) {
				n++
				n := n
				wg.Go(func() {
					ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
					defer cancel()
					_, _ = clients[n%len(clients)].Put(ctx, fmt.Sprint("load/", n%1000), "0123456789") // what fails is the probe's business
				})
			}
		}
	})
	return func() { cancel(); wg.Wait() }
}
