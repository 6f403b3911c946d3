package silence

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/etcd-node/etcd-node/pkg/pace"
)

// unused runs a watch of a member that nobody uses, and returns its host after ten
// seconds.
func unused(t *testing.T) (f *fakeHost, activity *pace.Activity) {
	f, activity = &fakeHost{others: true, mute: true}, new(pace.Activity)
	w := f.watch()
	w.Activity = activity
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); w.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	time.Sleep(10*time.Second + calm/2)
	f.locked(func() {
		if f.asks < 5 || f.looks > 12 {
			t.Errorf("%d questions and %d looks in ten seconds: each look is a wake-up", f.asks, f.looks)
		}
		if len(f.told) > 0 {
			t.Errorf("a host that lives: %v", f.told)
		}
	})
	return f, activity
}

// While nobody uses the member, its leader's host is looked for seldom, and found
// gone all the same.
func TestUnused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, _ := unused(t)
		f.locked(func() { f.gone, f.begun = true, time.Now() })
		time.Sleep(4 * calm)
		f.locked(func() {
			if want := []Evidence{Half, Whole}; !slices.Equal(f.told, want) || f.at[1] > 2*calm+404*ms {
				t.Errorf("told %v after %v", f.told, f.at)
			}
		})
	})
}

// The first request has it looked for as if there had been some all the time.
func TestUsedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, activity := unused(t)
		f.locked(func() { f.gone, f.begun = true, time.Now() })
		activity.Touch()
		time.Sleep(4 * calm)
		f.locked(func() {
			if want := []Evidence{Half, Whole}; !slices.Equal(f.told, want) || f.at[1] > every+404*ms {
				t.Errorf("told %v after %v", f.told, f.at)
			}
		})
	})
}
