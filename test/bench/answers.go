package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/etcd-node/etcd-node/test/lab"
	"github.com/etcd-node/etcd-node/test/prober"
	"github.com/etcd-node/etcd-node/test/steps"
)

// waiting is how many clients wait for their answers.
const waiting = 32

const answersAbout = `32 clients put through the members that stay, each waits for its answer before it asks again, and a millisecond more. The slowest answer
is that of all of them, and an error is an answer. The share of errors is that of the answers to what was under way in the second around the election. The moment of
the election is the last one at which both survivors were asked, and none knew another leader.`

// answerRows are about the clients that have asked when the leader goes.
func answerRows() []row {
	var all []row
	for _, t := range []timing{near, far} {
		for _, l := range []loss{killed, stopped, restarted, moved, powerLoss, cable} {
			quick := goal{median: 0.15, worst: 0.3}
			slowest := figure{name: "slowest answer", unit: seconds, goal: quick, chart: chart{name: "answers-" + t.file(), label: l.name}}
			errors := figure{name: "answers that are errors", unit: percent}
			if l.order {
				errors.goal = goal{median: 1}
			}
			figures := []figure{slowest, errors}
			if l.silent {
				figures[0].goal = goal{}
				figures = append(figures, figure{name: "slowest answer from the moment of the election", unit: seconds, goal: quick})
			}
			all = append(all, row{name: l.name + ", 32 clients wait for their puts", setup: setup{timing: t}, figures: figures, measure: l.answers})
		}
	}
	return all
}

// answers are how long the slowest took, how many of a hundred are errors, and
// where the loss is silent how long the slowest took from the election on.
func (l loss) answers(ctx context.Context, c *cluster) []float64 {
	c.busy(ctx)
	leader, survivors := c.leader(ctx)
	var targets []prober.Target
	for i := range waiting {
		h := survivors[i%len(survivors)]
		targets = append(targets, prober.Put(fmt.Sprintf("%s/%d", h.Name, i), c.client(h)))
	}
	watched := c.watch(ctx, func() *prober.Prober { return prober.StartClosed(time.Minute, targets...) })
	elected := c.elected(ctx, leader, survivors)
	l.strike(ctx, c, leader, survivors[0])
	election := <-elected
	if election.IsZero() {
		steps.Fail("no new leader within %v", patience)
	}
	for _, h := range survivors {
		c.answers(ctx, h)
	}
	time.Sleep(time.Second)
	results := watched.stop()
	var failed, of int
	var after time.Duration
	from, to := election.Add(-time.Second/2), election.Add(time.Second/2)
	var last error
	for _, r := range results {
		f, n := r.Errors(from, to)
		failed, of = failed+f, of+n
		for _, a := range r.Answers {
			begin := a.Begin
			if begin.Before(election) {
				begin = election
			}
			after = max(after, a.End.Sub(begin))
		}
		if r.LastErr != nil {
			last = r.LastErr
		}
	}
	if last != nil {
		fmt.Fprintf(os.Stderr, "%s: %d of %d answers are errors, such as: %v\n", c.name, failed, of, last)
	}
	values := []float64{prober.Slowest(results).Seconds(), 100 * float64(failed) / float64(max(1, of))}
	if l.silent {
		values = append(values, after.Seconds())
	}
	return values
}

// elected delivers the last moment at which none of the survivors knew another
// leader than this; the zero time if that lasted.
func (c *cluster) elected(ctx context.Context, leader *lab.Host, survivors []*lab.Host) <-chan time.Time {
	old := c.status(ctx, leader).Header.MemberId
	var ask []func(context.Context) bool
	for _, h := range survivors {
		cli, url := c.client(h), c.clientURL(h) // in this goroutine
		ask = append(ask, func(ctx context.Context) bool {
			s, err := cli.Status(ctx, url)
			return err == nil && s.Leader != 0 && s.Leader != old
		})
	}
	found := make(chan time.Time, 1)
	go func() {
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		found <- lastWithout(ctx, ask)
	}()
	return found
}

// lastWithout asks all at once, again and again, until one says yes. It returns
// when it last began to ask and none did, or the zero time if none ever does.
// One that does not answer has said no.
func lastWithout(ctx context.Context, ask []func(context.Context) bool) time.Time {
	last := time.Now()
	for ctx.Err() == nil {
		begin := time.Now()
		short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		answers := make(chan bool, len(ask))
		for _, a := range ask {
			go func() { answers <- a(short) }()
		}
		yes := false
		for range ask {
			if yes = <-answers; yes {
				break // the others need not answer
			}
		}
		cancel()
		if yes {
			return last
		}
		last = begin
		time.Sleep(5 * time.Millisecond)
	}
	return time.Time{}
}
