package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/etcd-node/etcd-node/test/lab"
	"github.com/etcd-node/etcd-node/test/steps"
)

// row is one thing that is measured, and each of its figures a line of the table.
type row struct {
	name string
	setup
	figures []figure
	// measure does it once, on a cluster that is down, and cleans up nothing. Its
	// steps end it where they fail. It returns a value for each figure.
	measure func(ctx context.Context, c *cluster) []float64
	// series does it several times on one cluster instead: as often as each says,
	// or as often as there are measurements, on one cluster alone.
	series func(ctx context.Context, c *cluster, n int) [][]float64
	each   int
	// most bounds how many clusters there are, for what takes long; 0: nothing does.
	most int
	// Stock etcd has no such thing, or does not survive it.
	oursOnly bool
	// packages are what the hosts need besides, as in LAB_PACKAGES. Such a row is
	// measured when it is asked for only: it needs hosts of its own.
	packages string
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

// file is the timing in the name of a file.
func (t timing) file() string { return fmt.Sprintf("%d-%d", t.heartbeat, t.election) }

// timeout is the election timeout.
func (t timing) timeout() time.Duration { return time.Duration(t.election) * time.Millisecond }

var (
	near = timing{100, 1000}
	far  = timing{1000, 5000}
)

// title is the row's name for -run.
func (r row) title() string { return r.name + ", " + r.timing.String() }

// line is the name of a figure's line.
func (r row) line(f figure) string {
	if f.name == "" {
		return r.title()
	}
	return r.title() + ": " + f.name
}

// once makes a measurement of one that gives a time.
func once(f func(ctx context.Context, c *cluster) time.Duration) func(context.Context, *cluster) []float64 {
	return func(ctx context.Context, c *cluster) []float64 { return []float64{f(ctx, c).Seconds()} }
}

// took is the one figure of a row that is about a time.
func took(g goal) []figure { return []figure{{unit: seconds, goal: g}} }

// play measures, the subjects taking turns, so that what the machine does
// beside it hits both. Each begins every other time. With an error it returns
// what was measured until then.
func (r row) play(ctx context.Context, l *lab.Lab, n int, other *subject) ([]result, error) {
	results := make([]result, len(r.figures))
	for i, f := range r.figures {
		results[i] = result{Line: r.line(f), Unit: f.unit, Goal: f.goal.text(f.unit), Load: [2]float64{loadAverage(), 0}}
	}
	series, rounds := r.series, n
	switch {
	case series == nil:
		series = func(ctx context.Context, c *cluster, _ int) [][]float64 { return [][]float64{r.measure(ctx, c)} }
	case r.each > 0:
		n = min(n, r.each)
	default:
		rounds = 1
	}
	if r.most > 0 {
		rounds = min(rounds, r.most)
	}
	for i := range rounds {
		turn := []*subject{ours, other}
		if i%2 == 1 {
			turn = []*subject{other, ours}
		}
		for _, s := range turn {
			if s == stock && r.oursOnly {
				continue
			}
			now := loadAverage()
			some, err := (&cluster{Lab: l.First(r.size()), subject: s, setup: r.setup}).play(ctx, series, n)
			if err != nil {
				return results, fmt.Errorf("%s, number %d: %w", s.name, i+1, err)
			}
			for _, values := range some {
				var said []string
				for j, v := range values {
					to := &results[j]
					to.Load = [2]float64{min(to.Load[0], now), max(to.Load[1], now)}
					said = append(said, strings.TrimPrefix(r.figures[j].name+" "+to.Unit.show(v), " "))
					if s == ours {
						to.Ours = append(to.Ours, v)
					} else {
						to.Others = append(to.Others, v)
					}
				}
				fmt.Fprintf(os.Stderr, "%s, %s: %s\n", r.title(), s.name, strings.Join(said, ", "))
			}
		}
	}
	return results, nil
}

// loadAverage is the machine's, of the last minute.
func loadAverage() (average float64) {
	raw, _ := os.ReadFile("/proc/loadavg") // it is 0 then
	_, _ = fmt.Sscan(string(raw), &average)
	return average
}

// play measures on fresh hosts and leaves them stopped.
func (c *cluster) play(ctx context.Context, series func(context.Context, *cluster, int) [][]float64, n int) (values [][]float64, err error) {
	defer c.close()
	err = steps.Run(func() {
		c.wipe(ctx)
		values = series(ctx, c, n)
	})
	after := context.WithoutCancel(ctx)
	if mending := steps.Run(func() { c.mend(after) }); err == nil {
		err = mending
	}
	if err != nil {
		c.describe(after)
		return nil, err
	}
	return values, steps.Run(func() { c.wipe(ctx) })
}

// describe shows what the members said before a measurement failed.
func (c *cluster) describe(ctx context.Context) {
	for _, h := range c.Hosts {
		// The puts that were slow or hung say so one by one.
		out, err := h.Sh(ctx, "journalctl --no-pager --output=cat --unit="+c.unit+" | grep -v -e 'request stats' -e trace_id -e 'took too long' | tail -60")
		fmt.Fprintf(os.Stderr, "%s: %v\n%s\n", h.Name, err, out)
	}
}
