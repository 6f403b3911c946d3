package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/etcd-node/etcd-node/test/lab"
	"github.com/etcd-node/etcd-node/test/steps"
)

// row is one line of the table.
type row struct {
	name string
	goal string // of etcd-node, in words
	setup
	// measure does it once, on a cluster that is down, and cleans up nothing. Its
	// steps end it where they fail.
	measure func(ctx context.Context, c *cluster) time.Duration
	// series does it n times on one cluster instead.
	series func(ctx context.Context, c *cluster, n int) []time.Duration
	// show prints a result; nil: as a duration.
	show func(time.Duration) string
	// Stock etcd has no such thing, or does not survive it.
	oursOnly bool
}

// setup is what a cluster of the row looks like.
type setup struct {
	timing timing
	hosts  int  // 0: three
	tls    bool // for clients and peers
	dnat   bool // the peer port that others know is not the one that is listened on
	// mixed: in our cluster the last host runs stock etcd.
	mixed bool
}

func (s setup) size() int { return cmp.Or(s.hosts, 3) }

// timing is heartbeat interval and election timeout in milliseconds.
type timing struct{ heartbeat, election int }

func (t timing) String() string { return fmt.Sprintf("%d/%d", t.heartbeat, t.election) }

var (
	near = timing{100, 1000}
	far  = timing{1000, 5000}
)

// print measures n times, taking turns with the other subject so that what the
// machine does beside it hits both, and prints the line.
func (r row) print(ctx context.Context, l *lab.Lab, n int, other *subject) error {
	if r.show == nil {
		r.show = short
	}
	took := map[*subject][]time.Duration{}
	rounds := n
	if r.series != nil {
		rounds = 1
	} else {
		r.series = func(ctx context.Context, c *cluster, _ int) []time.Duration {
			return []time.Duration{r.measure(ctx, c)}
		}
	}
	for i := range rounds {
		for _, s := range []*subject{ours, other} {
			if s == stock && r.oursOnly {
				continue
			}
			c := &cluster{Lab: l.First(r.size()), subject: s, setup: r.setup}
			some, err := c.measure(ctx, r, n)
			if err != nil {
				return fmt.Errorf("%s, number %d: %w", s.name, i+1, err)
			}
			for _, d := range some {
				fmt.Fprintf(os.Stderr, "%s %s, %s: %v\n", r.name, r.timing, s.name, r.show(d))
			}
			took[s] = append(took[s], some...)
		}
	}
	fmt.Printf("| %s, %s | %s | %s | %s | %d |\n", r.name, r.timing, r.goal, r.summary(took[ours]), r.summary(took[other]), len(took[ours]))
	return nil
}

// measure measures on fresh hosts and leaves them stopped.
func (c *cluster) measure(ctx context.Context, r row, n int) (took []time.Duration, err error) {
	defer c.close()
	err = steps.Run(func() {
		c.wipe(ctx)
		took = r.series(ctx, c, n)
	})
	if err != nil {
		c.describe(context.WithoutCancel(ctx))
		return nil, err
	}
	return took, steps.Run(func() { c.wipe(ctx) })
}

// describe shows what the members said before a measurement failed.
func (c *cluster) describe(ctx context.Context) {
	for _, h := range c.Hosts {
		// The puts that were slow or hung say so one by one.
		out, err := h.Sh(ctx, "journalctl --no-pager --output=cat --unit="+c.unit+" | grep -v -e 'request stats' -e trace_id -e 'took too long' | tail -60")
		fmt.Fprintf(os.Stderr, "%s: %v\n%s\n", h.Name, err, out)
	}
}

func (r row) summary(took []time.Duration) string {
	if len(took) == 0 {
		return "-"
	}
	slices.Sort(took)
	median := (took[(len(took)-1)/2] + took[len(took)/2]) / 2
	p90 := took[(len(took)*9+9)/10-1]
	return fmt.Sprintf("%s (p90 %s, worst %s)", r.show(median), r.show(p90), r.show(took[len(took)-1]))
}

func short(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%.3g ms", float64(d)/float64(time.Millisecond))
	}
	return fmt.Sprintf("%.2f s", d.Seconds())
}
