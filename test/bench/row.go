package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/etcd-node/etcd-node/test/lab"
)

// row is one line of the table.
type row struct {
	name   string
	goal   string // of etcd-node, in words
	timing timing
	// measure does it once, on a cluster that is down, and cleans up nothing.
	measure func(ctx context.Context, c *cluster) (time.Duration, error)
	// Stock etcd has no such thing, or does not survive it.
	oursOnly bool
}

// timing is heartbeat interval and election timeout in milliseconds.
type timing struct{ heartbeat, election int }

func (t timing) String() string { return fmt.Sprintf("%d/%d", t.heartbeat, t.election) }

var (
	near = timing{100, 1000}
	far  = timing{1000, 5000}
)

// print measures n times, taking turns with stock etcd so that what the
// machine does beside it hits both, and prints the line.
func (r row) print(ctx context.Context, l *lab.Lab, n int) error {
	took := map[*subject][]time.Duration{}
	for i := range n {
		for _, s := range subjects {
			if s == stock && r.oursOnly {
				continue
			}
			c := &cluster{Lab: l, subject: s, timing: r.timing}
			d, err := c.once(ctx, r)
			if err != nil {
				return fmt.Errorf("%s, number %d: %w", s.name, i+1, err)
			}
			fmt.Fprintf(os.Stderr, "%s %s, %s: %v\n", r.name, r.timing, s.name, d.Round(time.Microsecond))
			took[s] = append(took[s], d)
		}
	}
	fmt.Printf("| %s, %s | %s | %s | %s | %d |\n", r.name, r.timing, r.goal, summary(took[ours]), summary(took[stock]), n)
	return nil
}

// once measures on fresh hosts and leaves them stopped.
func (c *cluster) once(ctx context.Context, r row) (time.Duration, error) {
	defer c.close()
	if err := c.wipe(ctx); err != nil {
		return 0, err
	}
	d, err := r.measure(ctx, c)
	if err != nil {
		return 0, err
	}
	return d, c.wipe(ctx)
}

func summary(took []time.Duration) string {
	if len(took) == 0 {
		return "-"
	}
	slices.Sort(took)
	median := (took[(len(took)-1)/2] + took[len(took)/2]) / 2
	p90 := took[(len(took)*9+9)/10-1]
	return fmt.Sprintf("%s (p90 %s, worst %s)", short(median), short(p90), short(took[len(took)-1]))
}

func short(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%.3g ms", float64(d)/float64(time.Millisecond))
	}
	return fmt.Sprintf("%.2f s", d.Seconds())
}
