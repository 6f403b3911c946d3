// Package prober measures for how long something did not serve.
//
// It tries every target in an open loop: a new try starts at every tick,
// whether or not the earlier ones have come back, because a client that waits
// for its own hung request measures its patience and not the service. The
// longest time between two successes that follow each other is the gap; with
// everything well it is about one tick and one round trip.
//
// In a closed loop, one client per target that waits for each answer before it
// asks again, a gap shows what such a client feels, its own timeout included.
// What many of them have in common shows the slowest answer, and an error is an
// answer: the open loop starts new tries and never looks at those that hang.
//
// [Run] asks as fast as it gets answers, for rates and the time that answers take.
package prober

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Target is one thing to try, such as a put through one member.
type Target struct {
	Name string
	// Try makes one attempt, and gives up when ctx ends. Many run at once.
	Try func(ctx context.Context) error
}

// Prober is a running probe.
type Prober struct {
	stop  context.CancelFunc
	ended sync.WaitGroup // the loop and every try
	begin time.Time

	mu      sync.Mutex // guards what is below
	marked  time.Time
	records []record // one per target
}

type record struct {
	answers []Answer // in no order
	lastErr error
}

// Answer is a try that came back.
type Answer struct {
	Begin, End time.Time
	Failed     bool // the answer is an error
}

// Took is how long it took.
func (a Answer) Took() time.Duration { return a.End.Sub(a.Begin) }

// Start begins to try every target each time the interval passes. A try that
// has not come back after timeout has failed. It ends with [Prober.Stop].
func Start(interval, timeout time.Duration, targets ...Target) *Prober {
	ctx, cancel := context.WithCancel(context.Background())
	p := &Prober{stop: cancel, begin: time.Now(), records: make([]record, len(targets))}
	p.ended.Go(func() {
		tick := time.NewTicker(interval)
		defer tick.Stop()
		for {
			for i, t := range targets {
				p.ended.Go(func() { p.try(i, t, timeout) })
			}
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	})
	return p
}

// StartClosed begins to try every target in a closed loop: one try after the
// other, a millisecond apart, each given up after timeout.
func StartClosed(timeout time.Duration, targets ...Target) *Prober {
	ctx, cancel := context.WithCancel(context.Background())
	p := &Prober{stop: cancel, begin: time.Now(), records: make([]record, len(targets))}
	for i, t := range targets {
		p.ended.Go(func() {
			for ctx.Err() == nil {
				p.try(i, t, timeout)
				select {
				case <-ctx.Done():
				case <-time.After(time.Millisecond): // also what keeps a target that refuses from being hammered
				}
			}
		})
	}
	return p
}

// try makes one attempt. The end of the probe does not cut it short: it would
// look like a failure of the target.
func (p *Prober) try(i int, t Target, timeout time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	begin := time.Now()
	err := t.Try(ctx)
	answer := Answer{Begin: begin, End: time.Now(), Failed: err != nil}

	p.mu.Lock()
	defer p.mu.Unlock()
	r := &p.records[i]
	r.answers = append(r.answers, answer)
	if err != nil {
		r.lastErr = err
	}
}

// Mark says that what is measured begins now: a gap that was over before is
// the machine's, not that of what follows, and so is an answer.
func (p *Prober) Mark() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.marked = time.Now()
}

// Result is what was seen of one target.
type Result struct {
	Tries, Failures int
	LastErr         error // of the failures
	// Gap is the longest time without a success: between two of them, before
	// the first, or from the last until the probe was stopped; of those that
	// ended after Mark, if that was called.
	Gap  time.Duration
	From time.Time // when the gap began
	// Answers are those that came after Mark, in the order of their coming, also
	// those to tries that were under way when the probe was stopped.
	Answers []Answer
}

// Slowest is how long the slowest answer took: an error is an answer too.
func (r Result) Slowest() time.Duration {
	var slowest time.Duration
	for _, a := range r.Answers {
		slowest = max(slowest, a.Took())
	}
	return slowest
}

// Errors is how many answers there are to tries that were under way at any
// moment between these two, and how many of them are errors.
func (r Result) Errors(from, to time.Time) (errors, of int) {
	for _, a := range r.Answers {
		if a.End.After(from) && a.Begin.Before(to) {
			of++
			if a.Failed {
				errors++
			}
		}
	}
	return errors, of
}

// Stop ends the probe, waits for the tries that are under way (that is what
// their timeout is for), and returns one result per target, in their order.
func (p *Prober) Stop() []Result {
	end := time.Now()
	p.stop()
	p.ended.Wait()
	results := make([]Result, len(p.records))
	for i, r := range p.records {
		slices.SortFunc(r.answers, func(a, b Answer) int { return a.End.Compare(b.End) })
		results[i] = Result{Tries: len(r.answers), LastErr: r.lastErr}
		last := p.begin
		var marks []time.Time
		for _, a := range r.answers {
			if a.Failed {
				results[i].Failures++
			} else {
				marks = append(marks, a.End)
			}
			if !a.End.Before(p.marked) {
				results[i].Answers = append(results[i].Answers, a)
			}
		}
		marks = append(marks, end)
		slices.SortFunc(marks, time.Time.Compare)
		for _, at := range marks {
			if at.After(end) {
				break // a try that was under way when the probe was stopped
			}
			if gap := at.Sub(last); gap > results[i].Gap && !at.Before(p.marked) {
				results[i].Gap, results[i].From = gap, last
			}
			last = at
		}
	}
	return results
}

// Longest is the longest gap among results.
func Longest(results []Result) time.Duration {
	var longest time.Duration
	for _, r := range results {
		longest = max(longest, r.Gap)
	}
	return longest
}

// Slowest is how long the slowest answer among results took.
func Slowest(results []Result) time.Duration {
	var slowest time.Duration
	for _, r := range results {
		slowest = max(slowest, r.Slowest())
	}
	return slowest
}
