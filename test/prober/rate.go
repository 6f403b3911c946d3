package prober

import (
	"context"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Rate is what clients got that asked again as soon as they had an answer.
type Rate struct {
	Answers, Errors int
	Took            time.Duration
	LastErr         error
	durations       *hdrhistogram.Histogram // in microseconds, of answers that are no errors
}

// Run lets so many clients ask in closed loops, without a pause, and counts what
// comes back within this time. try is called with the number of the client, and
// of its question.
func Run(ctx context.Context, clients int, length time.Duration, try func(ctx context.Context, client, n int) error) Rate {
	end := time.Now().Add(length)
	each := make([]Rate, clients)
	var wg sync.WaitGroup
	for i := range each {
		wg.Go(func() {
			r := &each[i]
			r.durations = newHistogram()
			for n := 0; ctx.Err() == nil; n++ {
				asked := time.Now()
				if !asked.Before(end) {
					return
				}
				err := try(ctx, i, n)
				answered := time.Now()
				if answered.After(end) {
					return
				}
				r.Answers++
				if err != nil {
					r.Errors, r.LastErr = r.Errors+1, err
					continue
				}
				_ = r.durations.RecordValue(min(answered.Sub(asked).Microseconds(), longest.Microseconds())) // it is in range
			}
		})
	}
	wg.Wait()
	total := Rate{Took: length, durations: newHistogram()}
	for _, r := range each {
		total.Answers += r.Answers
		total.Errors += r.Errors
		total.durations.Merge(r.durations)
		if r.LastErr != nil {
			total.LastErr = r.LastErr
		}
	}
	return total
}

// longest is what is told apart: what took longer took this.
const longest = time.Minute

// newHistogram has three digits.
func newHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(1, longest.Microseconds(), 3)
}

// PerSecond is how many answers came in a second that are no errors.
func (r Rate) PerSecond() float64 { return float64(r.Answers-r.Errors) / r.Took.Seconds() }

// Quantile is within which time a share of these answers came, such as 0.99.
func (r Rate) Quantile(q float64) time.Duration {
	return time.Duration(r.durations.ValueAtQuantile(q*100)) * time.Microsecond
}
