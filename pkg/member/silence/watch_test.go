package silence

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// fakeHost is a host that can vanish.
type fakeHost struct {
	mu       sync.Mutex
	gone     bool
	mute     bool // it acknowledges, and sends nothing of its own
	noLine   bool
	noDial   error // why no fresh connection can be asked for
	others   bool  // are reached
	heard    time.Time
	asked    bool // and not acknowledged
	asks     int
	looks    int
	dialing  int
	begun    time.Time
	told     []Evidence
	at       []time.Duration
	refreshs int
}

func (f *fakeHost) locked(do func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	do()
}

func (f *fakeHost) watch() Watch {
	return Watch{
		Limit: 400 * ms,
		Look: func() (l Look, ok bool) {
			f.locked(func() {
				f.looks++
				if !f.gone && (!f.mute || f.asked) {
					f.heard, f.asked = time.Now(), false
				}
				l, ok = Look{At: time.Now(), Heard: f.heard, Acked: !f.asked, Again: 204 * ms}, !f.noLine
			})
			return l, ok
		},
		Ask: func() error { f.locked(func() { f.asks++; f.asked = true }); return nil },
		Dial: func(ctx context.Context) (bool, error) {
			var gone bool
			var err error
			f.locked(func() { f.dialing++; gone, err = f.gone, f.noDial })
			defer f.locked(func() { f.dialing-- })
			if err != nil || !gone {
				return !gone, err
			}
			<-ctx.Done()
			return false, nil
		},
		Quorum:  func(context.Context) (yes bool) { f.locked(func() { yes = f.others }); return yes },
		Refresh: func() { f.locked(func() { f.refreshs++ }) },
		Tell: func(is Evidence, _ time.Time) {
			f.locked(func() { f.told, f.at = append(f.told, is), append(f.at, time.Since(f.begun)) })
		},
	}
}

// watched runs a watch for a second, lets the host do something, and goes on for
// two.
func watched(t *testing.T, do func(*fakeHost)) (f *fakeHost, stop func()) {
	f = &fakeHost{others: true}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); f.watch().Run(ctx) }()
	time.Sleep(time.Second)
	f.locked(func() {
		if len(f.told) > 0 {
			t.Errorf("a host that lives: %v", f.told)
		}
		f.begun = time.Now()
		do(f)
	})
	time.Sleep(2 * time.Second)
	return f, func() { cancel(); <-done }
}

func TestWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, stop := watched(t, func(f *fakeHost) { f.gone = true })
		f.locked(func() {
			if want := []Evidence{Half, Whole}; !slices.Equal(f.told, want) || f.at[1] > 2*Quiet+404*ms {
				t.Errorf("told %v after %v", f.told, f.at)
			}
			if f.refreshs != 1 || f.dialing != 1 {
				t.Errorf("refreshed %d times, dialing %d", f.refreshs, f.dialing)
			}
			f.gone = false
		})
		time.Sleep(time.Second)
		f.locked(func() {
			if want := []Evidence{Half, Whole, None}; !slices.Equal(f.told, want) || f.dialing != 0 {
				t.Errorf("told %v, dialing %d", f.told, f.dialing)
			}
		})
		stop()
	})
}

func TestWatchSeesNothing(t *testing.T) {
	for name, do := range map[string]func(*fakeHost){
		"without a line":        func(f *fakeHost) { f.gone, f.noLine = true, true },
		"cut off":               func(f *fakeHost) { f.gone, f.others = true, false },
		"nothing can be dialed": func(f *fakeHost) { f.gone, f.noDial = true, errors.New("too many open files") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, stop := watched(t, do)
				stop()
				if slices.Contains(f.told, Whole) {
					t.Errorf("told %v", f.told)
				}
				if f.dialing != 0 {
					t.Error("still dialing")
				}
			})
		})
	}
}

// Whoever is told may take its time, which counts as ours.
func TestWatchToldSlowly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeHost{others: true, gone: true, heard: time.Now()}
		w, tell := f.watch(), f.watch().Tell
		w.Tell = func(is Evidence, asked time.Time) {
			tell(is, asked)
			if is == Half && len(f.told) < 2 {
				time.Sleep(time.Second)
			}
		}
		f.begun = time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		w.Run(ctx)
		if i := slices.Index(f.told, Whole); i < 0 || f.at[i] < time.Second+Quiet+600*ms {
			t.Errorf("told %v after %v", f.told, f.at)
		}
	})
}
