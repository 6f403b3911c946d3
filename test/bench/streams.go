package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-node/etcd-node/test/steps"
)

// watchers is how many watch the same key.
const watchers = 300

// fanOutRow is about an event that many watch: one client puts, and puts again
// once all have seen it.
func fanOutRow(o options) row {
	return row{
		name: fmt.Sprintf("a put until the last of %d watchers has it", watchers), setup: setup{timing: near},
		figures: []figure{
			{name: "puts a second", unit: rate, goal: goal{atLeast: 0.97}},
			{name: "p50", unit: seconds},
			{name: "p99", unit: seconds, goal: goal{atMost: 1.05}},
			{name: "p99.9", unit: seconds},
			{name: "CPU for each put", unit: seconds, goal: goal{atMost: 1.01}},
		},
		measure: func(ctx context.Context, c *cluster) []float64 {
			c.led(ctx)
			clients := c.many(connections)
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			seen := make(chan struct{}, watchers)
			var ended sync.WaitGroup
			defer ended.Wait()
			defer cancel()
			for i := range watchers {
				w := clients[i%len(clients)].Watch(ctx, "watched", clientv3.WithCreatedNotify())
				select {
				case <-w:
				case <-time.After(patience):
					steps.Fail("watcher %d does not begin", i)
				}
				ended.Go(func() {
					for r := range w {
						for range r.Events {
							select {
							case seen <- struct{}{}:
							case <-ctx.Done():
							}
						}
					}
				})
			}
			return c.rate(ctx, 1, o.length, func(ctx context.Context, _, _ int) error {
				if _, err := clients[0].Put(ctx, "watched", value); err != nil {
					return err
				}
				for range watchers {
					select {
					case <-seen:
					case <-ctx.Done():
						return ctx.Err()
					}
				}
				return nil
			})
		},
	}
}

// leaseRow is about leases that come and go: granted, one key put on it, revoked.
func leaseRow(o options) row {
	const clients = 16
	return row{
		name: fmt.Sprintf("leases granted, a key put on each, and revoked, %d clients", clients), setup: setup{timing: near},
		figures: []figure{
			{name: "leases a second", unit: rate, goal: goal{atLeast: 0.97}},
			{name: "p50", unit: seconds},
			{name: "p99", unit: seconds, goal: goal{atMost: 1.05}},
			{name: "p99.9", unit: seconds},
			{name: "CPU for each lease", unit: seconds, goal: goal{atMost: 1.01}},
		},
		measure: func(ctx context.Context, c *cluster) []float64 {
			c.led(ctx)
			all := c.many(clients)
			return c.rate(ctx, clients, o.length, func(ctx context.Context, i, n int) error {
				lease, err := all[i].Grant(ctx, 60)
				if err != nil {
					return err
				}
				if _, err := all[i].Put(ctx, fmt.Sprint("leased/", i), value, clientv3.WithLease(lease.ID)); err != nil {
					return err
				}
				_, err = all[i].Revoke(ctx, lease.ID)
				return err
			})
		},
	}
}
