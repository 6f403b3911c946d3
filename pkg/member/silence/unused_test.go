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

// A question that was left alone for a second is no evidence: it is asked again, at
// every step, and the whole limit counts from then, as after any step that was late.
func TestLeftAlone(t *testing.T) {
	s := Suspicion{Limit: 400 * ms}
	at := epoch
	look := func(unused bool) (Move, Evidence, time.Duration) {
		l := Look{At: at, Trip: ms, Again: 204 * ms, Reached: epoch}
		if !s.asked.IsZero() {
			l.Dialed = at.Add(-time.Minute) // begun before it was asked
		}
		return s.Step(l, unused)
	}
	if do, is, next := look(true); do != Ask || is != None || next != Whenever {
		t.Fatalf("at first %v, %v, %v", do, is, next)
	}
	at = at.Add(calm)
	asked := 0
	for begun := at; at.Sub(begun) < 400*ms; {
		do, is, next := look(true)
		if is == Whole || is == Half && at.Sub(begun) < 200*ms || next > step || next <= 0 {
			t.Fatalf("after %v more: %v, %v, next after %v", at.Sub(begun), do, is, next)
		}
		if do == Ask {
			asked++
		}
		at = at.Add(next)
	}
	if asked < 2 {
		t.Errorf("asked %d times more", asked)
	}
}
