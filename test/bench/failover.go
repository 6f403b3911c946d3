package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-node/etcd-node/test/lab"
	"github.com/etcd-node/etcd-node/test/prober"
	"github.com/etcd-node/etcd-node/test/steps"
)

// failoverRows are about a leader that dies without a word.
func failoverRows() []row {
	var all []row
	for _, t := range []timing{near, far} {
		add := func(name, label string, g goal, s setup, k kill) {
			s.timing = t
			f := took(g)
			if label != "" {
				f[0].chart = chart{name: "gaps-" + t.file(), label: label}
			}
			all = append(all, row{name: name, setup: s, figures: f, measure: once(k.measure)})
		}
		under := goal{worst: 0.2}
		add("leader's serving process killed, longest gap of puts through the others", "leader killed", goal{median: 0.03, worst: 0.1}, setup{}, kill{})
		add("the same under 2,000 puts a second", "killed, 2,000 puts a second", under, setup{}, kill{rate: 2000})
		add("the same under 2,000 puts a second, with TLS", "the same with TLS", under, setup{tls: true}, kill{rate: 2000})
		add("the same, each client waits for its put, 250 ms at most", "", goal{}, setup{}, kill{closed: 250 * time.Millisecond})
		add("the same, one survivor is stock etcd", "killed, one survivor is stock", goal{words: "never worse than stock", atMost: 1}, setup{mixed: true}, kill{})
		add("five members, the leader and another killed at once, gap through the others", "two of five killed", under, setup{hosts: 5}, kill{also: 1})
	}
	return all
}

// kill is a case of a leader that dies.
type kill struct {
	rate   int           // other puts a second, tried through the survivors
	also   int           // followers that die with it
	closed time.Duration // probe in a closed loop, with this as a put's limit
}

// measure is the longest gap of puts through each survivor.
func (k kill) measure(ctx context.Context, c *cluster) time.Duration {
	c.busy(ctx)
	leader, followers := c.leader(ctx)
	if c.mixed {
		last := c.Hosts[len(c.Hosts)-1]
		if p := c.process(last); p.Args[0] != stockBinary {
			steps.Fail("%s does not run stock etcd: %v", last.Name, p.Args)
		}
		if leader == last {
			c.move(ctx, leader, c.Hosts[0])
			leader, followers = c.leader(ctx)
		}
	}
	die, survive := append([]*lab.Host{leader}, followers[:k.also]...), followers[k.also:]
	targets, clients := c.puts(survive)
	defer load(clients, k.rate)()
	var doomed []lab.Proc
	for _, h := range die {
		doomed = append(doomed, c.process(h))
	}
	watched := c.watch(ctx, func() *prober.Prober {
		if k.closed > 0 {
			return prober.StartClosed(k.closed, targets...)
		}
		return prober.Start(10*time.Millisecond, 20*time.Second, targets...)
	})
	for _, p := range doomed {
		steps.Must(p.Signal(unix.SIGKILL))
	}
	// Until there is a leader, and a second more.
	for _, h := range survive {
		c.answers(ctx, h)
	}
	time.Sleep(time.Second)
	return watched.longest(targets)
}

// puts are probes through each of these hosts, and clients of each.
func (c *cluster) puts(hosts []*lab.Host) (targets []prober.Target, clients []*clientv3.Client) {
	for _, h := range hosts {
		cli := c.client(h)
		targets = append(targets, prober.Put(h.Name, cli))
		clients = append(clients, cli)
	}
	return targets, clients
}

// move hands the leadership over.
func (c *cluster) move(ctx context.Context, from, to *lab.Host) {
	steps.Of(c.client(from).MoveLeader(ctx, c.status(ctx, to).Header.MemberId))
	c.settle(ctx)
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
