package prober

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := Run(t.Context(), 4, 10*time.Second, func(ctx context.Context, client, n int) error {
			switch {
			case client == 3: // one that gets nothing but errors
				time.Sleep(100 * time.Millisecond)
				return errors.New("refused")
			case client == 0 && n%20 == 19:
				time.Sleep(50 * time.Millisecond)
			default:
				time.Sleep(10 * time.Millisecond)
			}
			return nil
		})
		if got := r.PerSecond(); got < 280 || got > 290 {
			t.Errorf("%.1f answers a second, want a little less than 300", got)
		}
		if r.Errors < 99 || r.Errors > 101 || r.LastErr == nil {
			t.Errorf("%d errors, last %v; want 100", r.Errors, r.LastErr)
		}
		for q, want := range map[float64]time.Duration{0.5: 10 * time.Millisecond, 0.999: 50 * time.Millisecond} {
			if got := r.Quantile(q); got < want*99/100 || got > want*101/100 {
				t.Errorf("quantile %v is %v, want %v", q, got, want)
			}
		}
	})
}

// A client is not lost that waits for longer than is told apart.
func TestRunSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := Run(t.Context(), 1, 5*time.Minute, func(context.Context, int, int) error {
			time.Sleep(2 * time.Minute)
			return nil
		})
		if got := r.Quantile(0.5); r.Answers != 2 || got < longest*99/100 || got > longest*101/100 {
			t.Errorf("%d answers, median %v; want 2 of %v", r.Answers, got, longest)
		}
	})
}
