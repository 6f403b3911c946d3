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
)

// failoverRows are about a leader that dies without a word.
func failoverRows() []row {
	var all []row
	add := func(name, goal string, s setup, k kill) {
		all = append(all, row{name: name, goal: goal, setup: s, measure: k.measure})
	}
	for _, t := range []timing{near, far} {
		add("leader's serving process killed, longest gap of puts through the others", "median < 30 ms, worst < 100 ms", setup{timing: t}, kill{})
		add("the same under 2,000 puts a second", "worst < 200 ms", setup{timing: t}, kill{rate: 2000})
		add("the same under 2,000 puts a second, with TLS", "worst < 200 ms", setup{timing: t, tls: true}, kill{rate: 2000})
		add("the same, each client waits for its put, 250 ms at most", "", setup{timing: t}, kill{closed: 250 * time.Millisecond})
		add("the same, one survivor is stock etcd", "never worse than stock", setup{timing: t, mixed: true}, kill{})
		add("five members, the leader and another killed at once, gap through the others", "worst < 200 ms", setup{timing: t, hosts: 5}, kill{also: 1})
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
func (k kill) measure(ctx context.Context, c *cluster) (time.Duration, error) {
	if err := c.busy(ctx); err != nil {
		return 0, err
	}
	leader, followers, err := c.leader(ctx)
	if err != nil {
		return 0, err
	}
	if c.mixed {
		last := c.Hosts[len(c.Hosts)-1]
		if p, err := c.process(last); err != nil || p.Args[0] != stockBinary {
			return 0, fmt.Errorf("%s does not run stock etcd: %v, %v", last.Name, p.Args, err)
		}
		if leader == last {
			if err := c.move(ctx, leader, c.Hosts[0]); err != nil {
				return 0, err
			}
			if leader, followers, err = c.leader(ctx); err != nil {
				return 0, err
			}
		}
	}
	die, survive := append([]*lab.Host{leader}, followers[:k.also]...), followers[k.also:]
	targets, clients, err := c.puts(survive)
	if err != nil {
		return 0, err
	}
	defer load(clients, k.rate)()
	var doomed []lab.Proc
	for _, h := range die {
		p, err := c.process(h)
		if err != nil {
			return 0, err
		}
		doomed = append(doomed, p)
	}
	watched, err := c.watch(ctx, func() *prober.Prober {
		if k.closed > 0 {
			return prober.StartClosed(k.closed, targets...)
		}
		return prober.Start(10*time.Millisecond, 20*time.Second, targets...)
	})
	if err != nil {
		return 0, err
	}
	for _, p := range doomed {
		if err := p.Signal(unix.SIGKILL); err != nil {
			return 0, err
		}
	}
	// Until there is a leader, and a second more.
	for _, h := range survive {
		if err := c.answers(ctx, h); err != nil {
			return 0, err
		}
	}
	time.Sleep(time.Second)
	return watched.longest(targets)
}

// puts are probes through each of these hosts, and clients of each.
func (c *cluster) puts(hosts []*lab.Host) (targets []prober.Target, clients []*clientv3.Client, err error) {
	for _, h := range hosts {
		cli, err := c.client(h)
		if err != nil {
			return nil, nil, err
		}
		targets = append(targets, prober.Put(h.Name, cli))
		clients = append(clients, cli)
	}
	return targets, clients, nil
}

// move hands the leadership over.
func (c *cluster) move(ctx context.Context, from, to *lab.Host) error {
	cli, err := c.client(from)
	if err != nil {
		return err
	}
	heir, err := c.client(to)
	if err != nil {
		return err
	}
	s, err := heir.Status(ctx, c.clientURL(to))
	if err != nil {
		return err
	}
	if _, err := cli.MoveLeader(ctx, s.Header.MemberId); err != nil {
		return err
	}
	return c.settle(ctx)
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
