package main

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-node/etcd-node/test/steps"
)

// warm and cold are whether data dir and program are in the page cache.
const (
	warm = "in the page cache"
	cold = "not in the page cache"
)

// sizedRows are about a start with much data, which has to be read.
func sizedRows() (all []row) {
	for _, gb := range []float64{0.1, 0.8} {
		all = append(all, row{
			name: fmt.Sprintf("single member with %g GB of keys of 1 KiB, as a unit, from systemd's fork to READY", gb), setup: setup{timing: near, hosts: 1},
			figures: []figure{
				{name: warm, unit: seconds, goal: goal{atMost: 1.1}, chart: chart{"start", warm, gb}},
				{name: cold, unit: seconds, goal: goal{atMost: 1.1}, chart: chart{"start", cold, gb}},
			},
			series: func(ctx context.Context, c *cluster, n int) [][]float64 { return startSized(ctx, c, n, int(gb*1e9)) },
			each:   5, most: 2,
		})
	}
	return all
}

func startSized(ctx context.Context, c *cluster, n, size int) (values [][]float64) {
	c.start(ctx)
	h := c.Hosts[0]
	c.fill(ctx, size)
	again := func(before string) float64 {
		steps.Of(h.Run(ctx, "systemctl", "stop", c.unit))
		steps.Of(h.Sh(ctx, "sync; "+before))
		steps.Of(h.Run(ctx, "systemctl", "start", c.unit))
		u := steps.Of(h.Unit(ctx, c.unit))
		if u.ActiveState != "active" {
			steps.Fail("started: %v", u)
		}
		c.answers(ctx, h)
		return (u.ActiveEnter - u.MainStart).Seconds()
	}
	for range n {
		values = append(values, []float64{
			again("find /var/lib/etcd /var/lib/stock -type f -exec cat {} + >/dev/null 2>&1 || true"),
			// The kernel forgets what of these files nobody has mapped.
			again("find /var/lib/etcd /var/lib/stock /usr/bin/etcd /usr/bin/etcd-node /usr/local/bin/etcd-node -type f -exec dd if={} iflag=nocache count=0 status=none \\; 2>/dev/null || true"),
		})
	}
	return values
}

// fill puts keys until there is so much data, many in a transaction.
func (c *cluster) fill(ctx context.Context, size int) {
	const writers, ops, each = 4, 100, 1 << 10
	text := strings.Repeat("v", each)
	clients := c.many(writers)
	var left atomic.Int64
	left.Store(int64(size / each / ops))
	errs := make([]error, writers)
	var wg sync.WaitGroup
	for w, cli := range clients {
		wg.Go(func() {
			for {
				n := left.Add(-1)
				if n < 0 || errs[w] != nil {
					return
				}
				var puts []clientv3.Op
				for i := range ops {
					puts = append(puts, clientv3.OpPut(fmt.Sprintf("fill/%06d/%03d", n, i), text))
				}
				_, errs[w] = cli.Txn(ctx).Then(puts...).Commit()
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		steps.Must(err)
	}
	time.Sleep(time.Second) // until that is committed
}
