package prober

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

const (
	tick    = 10 * time.Millisecond
	timeout = time.Second
)

func TestGap(t *testing.T) {
	for _, tc := range []struct {
		name string
		// serve says how a try ends that starts at the given time.
		serve        func(at time.Duration) (after time.Duration, err error)
		gap, from    time.Duration
		minFailures  int
		wantNoErrors bool
	}{{
		name:         "all well",
		serve:        func(time.Duration) (time.Duration, error) { return 0, nil },
		gap:          tick,
		wantNoErrors: true,
	}, {
		name: "refused for 300 ms",
		serve: func(at time.Duration) (time.Duration, error) {
			if at >= 505*time.Millisecond && at < 805*time.Millisecond {
				return 0, errors.New("refused")
			}
			return 0, nil
		},
		gap: 310 * time.Millisecond, from: 500 * time.Millisecond, minFailures: 30,
	}, {
		name: "tries in flight hang, new ones succeed",
		serve: func(at time.Duration) (time.Duration, error) {
			if at < 505*time.Millisecond && at > 450*time.Millisecond {
				return 10 * time.Second, nil // past the timeout
			}
			return 0, nil
		},
		gap: 60 * time.Millisecond, from: 450 * time.Millisecond, minFailures: 5,
	}, {
		name: "dead until the end",
		serve: func(at time.Duration) (time.Duration, error) {
			if at > 505*time.Millisecond {
				return 0, errors.New("refused")
			}
			return 0, nil
		},
		gap: 1500 * time.Millisecond, from: 500 * time.Millisecond, minFailures: 100,
	}, {
		name: "under way at the end: what comes after it does not count",
		serve: func(at time.Duration) (time.Duration, error) {
			if at > 1905*time.Millisecond {
				return 500 * time.Millisecond, nil
			}
			return 0, nil
		},
		gap: 100 * time.Millisecond, from: 1900 * time.Millisecond, wantNoErrors: true,
	}, {
		name: "late at the beginning",
		serve: func(at time.Duration) (time.Duration, error) {
			if at < 1900*time.Millisecond {
				return 0, errors.New("refused")
			}
			return 0, nil
		},
		gap: 1900 * time.Millisecond, minFailures: 100,
	}} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				p := Start(tick, timeout, Target{Name: "x", Try: func(ctx context.Context) error {
					after, err := tc.serve(time.Since(begin))
					select {
					case <-time.After(after):
						return err
					case <-ctx.Done():
						return ctx.Err()
					}
				}})
				time.Sleep(2 * time.Second) // the bubble's clock
				r := p.Stop()[0]
				if r.Gap != tc.gap || r.Failures < tc.minFailures || (r.LastErr == nil) != tc.wantNoErrors {
					t.Errorf("got gap %v, %d of %d failed, %v; want gap %v, at least %d failures",
						r.Gap, r.Failures, r.Tries, r.LastErr, tc.gap, tc.minFailures)
				}
				if from := r.From.Sub(begin); tc.from != 0 && from != tc.from {
					t.Errorf("the gap began after %v, want %v", from, tc.from)
				}
				// Open loop: the hanging ones held nothing up.
				if r.Tries < 200 {
					t.Errorf("only %d tries in 200 ticks", r.Tries)
				}
			})
		})
	}
}

// A gap that was over when the measured thing was done is not of its making;
// one that was under way then may be.
func TestMark(t *testing.T) {
	for _, tc := range []struct {
		mark, gap time.Duration
	}{
		{mark: 600 * time.Millisecond, gap: 310 * time.Millisecond},
		{mark: 1000 * time.Millisecond, gap: tick},
	} {
		t.Run(tc.mark.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				p := Start(tick, timeout, Target{Name: "x", Try: func(context.Context) error {
					if at := time.Since(begin); at >= 505*time.Millisecond && at < 805*time.Millisecond {
						return errors.New("refused")
					}
					return nil
				}})
				time.Sleep(tc.mark)
				p.Mark()
				time.Sleep(2*time.Second - tc.mark)
				if r := p.Stop()[0]; r.Gap != tc.gap {
					t.Errorf("got gap %v, want %v", r.Gap, tc.gap)
				}
			})
		})
	}
}

func TestLongest(t *testing.T) {
	if got := Longest([]Result{{Gap: 1}, {Gap: 3}, {Gap: 2}}); got != 3 {
		t.Errorf("got %d, want 3", got)
	}
}

// A closed loop waits for its answer: what an open loop sees as 60 ms is a
// client's whole timeout, and nothing is asked meanwhile.
func TestClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		p := StartClosed(timeout, Target{Name: "x", Try: func(ctx context.Context) error {
			if at := time.Since(begin); at > 500*time.Millisecond && at < 560*time.Millisecond {
				<-ctx.Done()
				return ctx.Err()
			}
			time.Sleep(10 * time.Millisecond)
			return nil
		}})
		time.Sleep(2 * time.Second)
		r := p.Stop()[0]
		if r.Failures != 1 || r.Gap < timeout || r.Gap > timeout+50*time.Millisecond {
			t.Errorf("got gap %v and %d failures of %d; want %v and a little, and 1", r.Gap, r.Failures, r.Tries, timeout)
		}
		if r.Tries > 100 {
			t.Errorf("%d tries of 11 ms in a second: not a closed loop", r.Tries)
		}
		if r.Slowest() != timeout {
			t.Errorf("the slowest answer took %v, want %v: an error is an answer", r.Slowest(), timeout)
		}
	})
}

// Of what was under way when the probe was stopped the answers count: such a
// one is the slowest. What was answered before the mark does not.
func TestAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		p := StartClosed(10*time.Second, Target{Name: "x", Try: func(ctx context.Context) error {
			switch at := time.Since(begin); {
			case at < 100*time.Millisecond:
				time.Sleep(300 * time.Millisecond)
			case at >= 900*time.Millisecond && at < 910*time.Millisecond:
				return errors.New("refused")
			case at >= 910*time.Millisecond:
				time.Sleep(5 * time.Second)
				return errors.New("timed out")
			}
			time.Sleep(9 * time.Millisecond)
			return nil
		}})
		time.Sleep(600*time.Millisecond - time.Microsecond)
		p.Mark()
		marked := time.Now()
		time.Sleep(time.Second)
		results := p.Stop()
		if got := Slowest(results); got != 5*time.Second {
			t.Errorf("the slowest answer took %v, want 5 s", got)
		}
		r := results[0]
		failed, of := r.Errors(marked, marked.Add(time.Second))
		if failed != 11 || of != len(r.Answers) || of < 38 || of > 42 {
			t.Errorf("%d errors of %d answers, want 11 of 40 or so", failed, of)
		}
		if failed, of = r.Errors(marked, marked.Add(100*time.Millisecond)); failed != 0 || of < 9 || of > 11 {
			t.Errorf("in the first tenth of a second %d errors of %d answers, want 0 of 10 or so", failed, of)
		}
	})
}
