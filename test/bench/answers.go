package main

import (
	"context"
	"fmt"
	"os"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-node/etcd-node/test/lab"
	"github.com/etcd-node/etcd-node/test/prober"
	"github.com/etcd-node/etcd-node/test/steps"
)

// waiting is how many clients wait for their answers.
const waiting = 32

const answersAbout = `32 clients put through the members that stay, each waits for its answer before it asks again, and a millisecond more. The slowest answer
is that of all of them, and an error is an answer. The share of errors is that of the answers to what was under way in the second around the election.`

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

// elected delivers when another than this leader was first seen to lead; the zero
// time if nobody was.
func (c *cluster) elected(ctx context.Context, leader *lab.Host, survivors []*lab.Host) <-chan time.Time {
	old := c.status(ctx, leader).Header.MemberId
	found := make(chan time.Time, 1)
	var clients []*clientv3.Client
	for _, h := range survivors {
		clients = append(clients, c.client(h)) // in this goroutine
	}
	go func() {
		defer close(found)
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		for ctx.Err() == nil {
			for i, cli := range clients {
				short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
				s, err := cli.Status(short, c.clientURL(survivors[i]))
				cancel()
				if err == nil && s.Leader != 0 && s.Leader != old {
					found <- time.Now()
					return
				}
			}
			time.Sleep(5 * time.Millisecond)
		}
	}()
	return found
}
