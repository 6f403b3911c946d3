package pace

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestUntil(t *testing.T) {
	second := time.Unix(1e9, 0)
	for _, row := range []struct {
		past, d, want time.Duration
	}{
		{0, time.Second, time.Second},
		{300 * time.Millisecond, time.Second, 700 * time.Millisecond},
		{900 * time.Millisecond, time.Second, 100 * time.Millisecond},
		{999 * time.Millisecond, time.Second, 1001 * time.Millisecond}, // the clock was a millisecond early
		{1500 * time.Millisecond, 2 * time.Second, 500 * time.Millisecond},
	} {
		if got := Until(second.Add(row.past), row.d); got != row.want {
			t.Errorf("%v past, every %v: %v, want %v", row.past, row.d, got, row.want)
		}
	}
}

// TestAfter: who begins to wait at different times wakes up at the same.
func TestAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var woke [2]time.Time
		var done sync.WaitGroup
		for i := range woke {
			time.Sleep(150 * time.Millisecond)
			done.Go(func() { <-After(time.Second); woke[i] = time.Now() })
		}
		done.Wait()
		if !woke[0].Equal(woke[1]) {
			t.Errorf("woke up at %v and %v", woke[0], woke[1])
		}
	})
}

func TestActivity(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var a Activity
		woken, calm := a.Calm()
		if !calm {
			t.Fatal("used before it was")
		}
		a.Touch()
		select {
		case <-woken:
		default:
			t.Error("a request that woke nobody up")
		}
		time.Sleep(window - time.Millisecond)
		if _, calm := a.Calm(); calm {
			t.Error("calm within the window")
		}
		time.Sleep(2 * time.Millisecond)
		if _, calm := a.Calm(); !calm {
			t.Error("not calm after the window")
		}
		if _, calm := (*Activity)(nil).Calm(); calm {
			t.Error("nobody knows whether it is used, and it is calm")
		}
	})
}

// TestNoRequestIsMissed: whoever was told that all is calm hears of the next
// request, also of one that comes in this moment.
func TestNoRequestIsMissed(t *testing.T) {
	for range 2000 {
		var a Activity
		var touched sync.WaitGroup
		touched.Go(a.Touch)
		woken, calm := a.Calm()
		touched.Wait()
		if !calm {
			continue
		}
		select {
		case <-woken:
		default:
			t.Fatal("it was not heard of")
		}
	}
}
