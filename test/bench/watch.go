package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/etcd-node/etcd-node/test/prober"
	"github.com/etcd-node/etcd-node/test/steps"
)

// noticed is the gap from which on it is printed where and when it was.
const noticed = 50 * time.Millisecond

// watched is a probe, and what the disk did meanwhile.
type watched struct {
	*cluster
	probe  *prober.Prober
	disk   *diskWatch
	struck time.Time
}

// watch begins to probe and returns when the fault may strike. End it with longest or stop.
func (c *cluster) watch(ctx context.Context, start func() *prober.Prober) *watched {
	// What was wiped before is freed now, and not in the middle of it.
	steps.Of(c.Hosts[0].Sh(ctx, "sync -f /var/lib"))
	disk := steps.Of(watchDisk())
	w := &watched{cluster: c, probe: start(), disk: disk}
	time.Sleep(time.Second) // until every connection is warm
	w.probe.Mark()
	w.struck = time.Now()
	return w
}

// stop ends both.
func (w *watched) stop() []prober.Result {
	results := w.probe.Stop()
	steps.Must(w.disk.close())
	return results
}

// longest is the longest gap that the fault made, or that came after it.
func (w *watched) longest(targets []prober.Target) time.Duration {
	results := w.stop()
	for i, r := range results {
		if r.Gap > noticed {
			fmt.Fprintf(os.Stderr, "%s: a gap of %v at %s that began %v after the fault; meanwhile one write to another file on this disk took up to %v\n",
				w.name, r.Gap.Round(time.Microsecond), targets[i].Name, r.From.Sub(w.struck).Round(time.Microsecond),
				w.disk.slowest(r.From, r.From.Add(r.Gap)).Round(time.Microsecond))
		}
	}
	return prober.Longest(results)
}
