package main

import (
	"context"
	"fmt"
	"os"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"

	"github.com/etcd-node/etcd-node/test/lab"
	"github.com/etcd-node/etcd-node/test/prober"
	"github.com/etcd-node/etcd-node/test/steps"
)

// kindOfClient is what a Go client sets.
type kindOfClient struct {
	name      string
	limit     time.Duration // for a put
	time      time.Duration // DialKeepAliveTime; 0: no keepalive
	timeout   time.Duration // DialKeepAliveTimeout
	survivors bool          // only they are endpoints, not all members
	watches   bool          // it puts nothing, and watches what others put
}

var kindsOfClients = []kindOfClient{
	{name: "puts with 2 s, no keepalive", limit: 2 * time.Second},
	{name: "puts with 2 s, keepalive 10 s and 2 s", limit: 2 * time.Second, time: 10 * time.Second, timeout: 2 * time.Second},
	{name: "puts with 60 s, no keepalive", limit: time.Minute},
	{name: "puts with 60 s, keepalive 30 s and 10 s", limit: time.Minute, time: 30 * time.Second, timeout: 10 * time.Second},
	{name: "puts with 60 s, keepalive 10 s and 2 s", limit: time.Minute, time: 10 * time.Second, timeout: 2 * time.Second},
	{name: "puts with 2 s, the other members as endpoints", limit: 2 * time.Second, survivors: true},
	{name: "watch, no keepalive", watches: true},
	{name: "watch, keepalive 10 s and 2 s", watches: true, time: 10 * time.Second, timeout: 2 * time.Second},
}

const (
	putters  = 4  // of each kind
	watching = 12 // enough for one of them to watch the member that is lost
	away     = 22 * time.Second
)

// clientRow is about what is felt by clients that are connected to the host that
// is gone: each has all members as endpoints, as an application should.
func clientRow() row {
	r := row{name: "leader's cable pulled for 22 s, clients of all members", setup: setup{timing: near}, measure: feltByClients}
	for _, k := range kindsOfClients {
		r.figures = append(r.figures, figure{name: k.name + ", longest gap", unit: seconds})
		if !k.watches {
			r.figures = append(r.figures, figure{name: k.name + ", puts that failed", unit: times})
		}
	}
	return r
}

func feltByClients(ctx context.Context, c *cluster) (values []float64) {
	c.busy(ctx)
	leader, survivors := c.leader(ctx)
	clients := make([][]*clientv3.Client, len(kindsOfClients))
	for n, k := range kindsOfClients {
		hosts, count := c.Hosts, putters
		if k.survivors {
			hosts = survivors
		}
		if k.watches {
			count = watching
		}
		for range count {
			cli := c.clientAs(k, hosts)
			defer cli.Close()
			steps.Of(cli.Get(ctx, "clients"))
			clients[n] = append(clients[n], cli)
		}
	}
	pass(ctx, time.Second) // until each is connected to all: else many watch the same member
	var probes []*prober.Prober
	for n, k := range kindsOfClients {
		limit := k.limit
		if k.watches {
			limit = time.Minute
		}
		var targets []prober.Target
		for i, cli := range clients[n] {
			key := fmt.Sprintf("clients/%d/%d", n, i)
			try := func(ctx context.Context) error {
				_, err := cli.Put(ctx, key, "")
				if err == nil {
					time.Sleep(30 * time.Millisecond)
				}
				return err
			}
			if k.watches {
				events := cli.Watch(ctx, "clients/", clientv3.WithPrefix())
				try = func(ctx context.Context) error {
					select {
					case <-events:
						return nil
					case <-ctx.Done():
						return ctx.Err()
					}
				}
			}
			targets = append(targets, prober.Target{Name: key, Try: try})
		}
		probes = append(probes, prober.StartClosed(limit, targets...))
	}
	pass(ctx, 3*time.Second)
	for _, p := range probes {
		p.Mark()
	}
	c.later(leader.Heal)
	steps.Must(leader.Cut(ctx))
	pass(ctx, away)
	steps.Must(leader.Heal(ctx))
	pass(ctx, 15*time.Second)
	for i := len(probes) - 1; i >= 0; i-- { // those that watch first, while others still put
		results, k := probes[i].Stop(), kindsOfClients[i]
		failed := 0
		var last error
		for _, r := range results {
			if failed += r.Failures; r.LastErr != nil {
				last = r.LastErr
			}
		}
		fmt.Fprintf(os.Stderr, "%s: %s: %d failed, such as: %v\n", c.subject.name, k.name, failed, last)
		some := []float64{prober.Longest(results).Seconds()}
		if !k.watches {
			some = append(some, float64(failed))
		}
		values = append(some, values...)
	}
	return values
}

// clientAs is a client that leaves all else to etcd's, unlike [cluster.client].
func (c *cluster) clientAs(k kindOfClient, hosts []*lab.Host) *clientv3.Client {
	var endpoints []string
	for _, h := range hosts {
		endpoints = append(endpoints, c.clientURL(h))
	}
	return steps.Of(clientv3.New(clientv3.Config{
		Endpoints: endpoints, DialKeepAliveTime: k.time, DialKeepAliveTimeout: k.timeout,
		Logger: zap.NewNop(), DialOptions: []grpc.DialOption{grpc.WithContextDialer(c.Dial)},
	}))
}
