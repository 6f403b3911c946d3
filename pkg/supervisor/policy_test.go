package supervisor

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/status"
)

func TestBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := run(t, func(_ *Options, r *rig) {
			r.onStart = func(p *fakeProc) {
				if len(r.procs) <= 10 {
					p.exited <- killed()
				}
			}
		})
		r.pass(8 * time.Second) // the ten delays take 4.9 s
		var gaps []time.Duration
		for i := 1; i < len(r.starts); i++ {
			gaps = append(gaps, r.starts[i].Sub(r.starts[i-1]))
		}
		ms := time.Millisecond
		want := []time.Duration{0, 100 * ms, 200 * ms, 400 * ms, 700 * ms, 700 * ms, 700 * ms, 700 * ms, 700 * ms, 700 * ms}
		if !slices.Equal(gaps, want) {
			t.Errorf("gaps %v, want %v", gaps, want)
		}
		r.stop()
	})
}

func TestHealthySpellResetsBackoff(t *testing.T) {
	for _, tc := range []struct {
		healthy, want time.Duration
	}{{9 * time.Second, 400 * time.Millisecond}, {10 * time.Second, 0}} {
		synctest.Test(t, func(t *testing.T) {
			r := run(t, func(_ *Options, r *rig) {
				r.onStart = func(p *fakeProc) {
					if len(r.procs) <= 3 {
						p.exited <- killed()
					}
				}
			})
			r.pass(time.Second)
			r.proc().serve()
			r.beat(tc.healthy)
			ended := time.Now()
			r.proc().end(killed())
			r.pass(time.Second)
			if got := r.starts[len(r.starts)-1].Sub(ended); got != tc.want {
				t.Errorf("after %s of serving the restart came after %s, want %s", tc.healthy, got, tc.want)
			}
			r.stop()
		})
	}
}

func TestJitter(t *testing.T) {
	for _, tc := range []struct {
		class  failure.Class
		n      int
		jitter float64
		want   time.Duration
	}{
		{failure.Transient, 0, 0.9, 0},
		{failure.Transient, 1, 0, 80 * time.Millisecond},
		{failure.Transient, 1, 1, 120 * time.Millisecond},
		{failure.Transient, 85, 0.5, 700 * time.Millisecond},
		{failure.Transient, 86, 0.5, 3 * time.Second},
		{failure.Operator, 0, 0.5, 30 * time.Second},
	} {
		if got := delay(tc.class, tc.n, tc.jitter); got != tc.want {
			t.Errorf("delay(%s, %d, %v) = %s, want %s", tc.class, tc.n, tc.jitter, got, tc.want)
		}
	}
}

func TestStartTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := run(t, func(o *Options, _ *rig) { o.StartTimeout = 20 * time.Second })
		r.proc().view(status.View{Members: []status.Member{{Name: "a", Self: true, Connected: true}, {Name: "b", Cause: "refused"}}})
		r.beat(18 * time.Second)
		begun := time.Now()
		err := <-r.result
		var f *failure.Failure
		if !errors.As(err, &f) || f.Exit != failure.ExitTimeout || !strings.Contains(f.Error(), "waiting for b (refused)") {
			t.Errorf("Run = %v", err)
		}
		if d := time.Since(begun); d != 2*time.Second {
			t.Errorf("ended %s after 18 s", d)
		}
	})
}

// systemd is kept waiting while it is right to wait, but not for a failure
// that only the operator can end.
func TestExtendsStartTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := run(t, nil)
		r.beat(12 * time.Second)
		if len(r.extends) != 3 { // at 0, 5, 10 s
			t.Errorf("extended %d times in 12 s", len(r.extends))
		}
		f := failure.New("data-dir-access", "")
		r.proc().fail(f)
		r.pass(35 * time.Second) // 5 s into the next attempt
		if len(r.extends) != 3 {
			t.Errorf("extended %d times, also for a failure that comes back", len(r.extends))
		}
		r.proc().view(status.View{Members: single}) // it has got past that
		r.beat(7 * time.Second)
		if len(r.extends) != 5 {
			t.Errorf("extended %d times, want 5 when it waits again", len(r.extends))
		}
		r.proc().serve()
		r.beat(20 * time.Second)
		if len(r.extends) != 5 {
			t.Errorf("extended %d times, also while serving", len(r.extends))
		}
		r.stop()
	})
}

// A wait in the member before there are members, for a disk or a lock, is as good
// as one with them. What a start that fails again is at on its way is none.
func TestExtendsForAWaitAfterAFailure(t *testing.T) {
	for name, tc := range map[string]struct {
		view status.View
		want int
	}{
		"a wait":    {status.View{Progress: "waiting for its disk to be mounted", Conditions: []status.Condition{{ID: failure.IDWiped}}}, 3},
		"no wait":   {status.View{Progress: "opening the data"}, 1},
		"a warning": {status.View{Progress: "opening the data", Conditions: []status.Condition{{ID: failure.IDDiskLow, Text: "little is free"}}}, 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := run(t, nil) // extended at 0 s
			r.proc().end(killed())
			r.pass(time.Second)
			r.proc().view(tc.view)
			r.beat(12 * time.Second)
			if len(r.extends) != tc.want {
				t.Errorf("%s: extended %d times, want %d", name, len(r.extends), tc.want)
			}
			r.stop()
		})
	}
}

// A start that fails again and again fails as a whole, with its own cause and
// an exit after which systemd begins another one. It is never an attempt that
// runs which is ended.
func TestFailingStartEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		r := run(t, func(_ *Options, r *rig) {
			r.onStart = func(p *fakeProc) {
				if time.Since(begun) < 55*time.Second {
					p.end(ended(failure.New(failure.IDDiskFull, "")))
				}
			}
		})
		r.pass(59 * time.Second)
		if len(r.result) > 0 {
			t.Error("ended before its minute was over")
		}
		r.beat(15 * time.Second)
		if len(r.result) > 0 {
			t.Error("ended an attempt that runs")
		}
		r.proc().end(ended(failure.New(failure.IDDiskFull, "")))
		r.pass(2 * time.Second)
		select {
		case err := <-r.result:
			if f, ok := err.(*failure.Failure); !ok || f.ID != failure.IDDiskFull || f.Exit != failure.ExitTimeout {
				t.Errorf("%v", err)
			}
		default:
			t.Error("goes on for ever")
			r.stop()
		}
	})
}

// Without systemd a script waits: any failure before the first Serving ends
// the process, afterwards the classes apply.
func TestUnmanaged(t *testing.T) {
	unmanaged := func(o *Options, _ *rig) { o.Notify = nil }
	synctest.Test(t, func(t *testing.T) {
		r := run(t, unmanaged)
		r.proc().fail(failure.New("port-busy", "listen tcp 127.0.0.1:2379: bind: address already in use"))
		if err := <-r.result; err == nil {
			t.Error("Run = nil after a failed start")
		}
		r.wantTrace(status.Starting, status.Joining, status.Failed)
	})
	synctest.Test(t, func(t *testing.T) {
		r := run(t, unmanaged)
		r.proc().serve()
		r.proc().end(killed())
		synctest.Wait()
		r.stop()
		r.wantTrace(status.Starting, status.Joining, status.Serving, status.Backoff, status.Joining, status.Stopping, status.Stopped)
	})
}

func TestPermanentFailureEndsRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := run(t, nil)
		r.proc().view(status.View{MemberID: "8e9e05c52164694d"})
		r.proc().fail(failure.New(failure.IDRemoved, ""))
		err := <-r.result
		var f *failure.Failure
		if !errors.As(err, &f) || f.Exit != failure.ExitRemoved {
			t.Fatalf("Run = %v, want the failure %q", err, failure.IDRemoved)
		}
		last := r.told[len(r.told)-1]
		for _, part := range []string{"STATUS=failed: this member was removed", "; next: ", "member remove 8e9e05c52164694d", "member add a "} {
			if !strings.Contains(last, part) {
				t.Errorf("the last status lacks %q: %s", part, last)
			}
		}
		r.wantTrace(status.Starting, status.Joining, status.Failed)
	})
}

// What follows one failure, by its class and by what was before.
func TestAfter(t *testing.T) {
	now := time.Now()
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	const again = -1
	for name, tc := range map[string]struct {
		p     policy
		class failure.Class
		wait  time.Duration // as many seconds as there were attempts
		exit  int           // of the end; again: there is none
	}{
		"first":                            {policy{managed: true, extended: now}, failure.Transient, 0, again},
		"fourth":                           {policy{managed: true, extended: now, attempts: 3}, failure.Transient, 3 * time.Second, again},
		"of a kind to repair":              {policy{managed: true, extended: now}, failure.Operator, 0, again},
		"permanent":                        {policy{managed: true, extended: now}, failure.Permanent, 0, 1},
		"permanent after it served":        {policy{managed: true, served: true}, failure.Permanent, 0, 1},
		"nobody waits for the start":       {policy{}, failure.Transient, 0, 1},
		"nobody waited, it has served":     {policy{served: true, attempts: 2}, failure.Transient, 2 * time.Second, again},
		"just served":                      {policy{managed: true, served: true, servingSince: ago(9 * time.Second), attempts: 2}, failure.Transient, 2 * time.Second, again},
		"served for a while":               {policy{managed: true, served: true, servingSince: ago(10 * time.Second), attempts: 2}, failure.Transient, 0, again},
		"fails for nearly a minute":        {policy{managed: true, extended: ago(59 * time.Second), attempts: 2}, failure.Transient, 2 * time.Second, again},
		"fails for a minute":               {policy{managed: true, extended: ago(time.Minute)}, failure.Transient, 0, failure.ExitTimeout},
		"fails for a minute, permanent":    {policy{managed: true, extended: ago(time.Minute)}, failure.Permanent, 0, 1},
		"fails for a minute after serving": {policy{managed: true, served: true, extended: ago(time.Minute)}, failure.Transient, 0, again},
	} {
		p := tc.p
		p.delay = func(_ failure.Class, n int) time.Duration { return time.Duration(n) * time.Second }
		f := &failure.Failure{Class: tc.class, Exit: 1}
		wait, end := p.after(f, now)
		exit := again
		if end != nil {
			exit = end.Exit
		}
		if wait != tc.wait || exit != tc.exit || f.Exit != 1 {
			t.Errorf("%s: wait %s, exit %d; want %s, %d", name, wait, exit, tc.wait, tc.exit)
		}
		if p.failing != tc.class || !p.servingSince.IsZero() {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

// What one damaged message can cause is no verdict on the data: the member is
// started once more, and believed at the second time.
func TestOneDamagedMessage(t *testing.T) {
	lost := failure.FromText("tocommit(127) is out of range [lastIndex(9)]. Was the raft log corrupted, truncated, or lost?")
	if lost == nil || lost.ID != failure.IDWALLost || !lost.Wire {
		t.Fatalf("%+v", lost)
	}
	for name, tc := range map[string]struct {
		served time.Duration // between the two
		ends   bool
	}{
		"at once again":        {0, true},
		"within a moment":      {9 * time.Second, true},
		"after a healthy time": {10 * time.Second, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := run(t, nil)
				r.proc().serve()
				synctest.Wait()
				r.proc().fail(lost)
				r.pass(time.Second)
				if len(r.procs) != 2 || r.s.st.LastEnd.ID != failure.IDMessage || !strings.Contains(r.s.st.LastEnd.Cause, "tocommit(127)") {
					t.Fatalf("%d starts, last end %+v", len(r.procs), r.s.st.LastEnd)
				}
				if tc.served > 0 {
					r.proc().serve()
					r.beat(tc.served)
				}
				r.proc().fail(lost)
				r.pass(time.Second)
				if !tc.ends {
					if len(r.procs) != 3 {
						t.Errorf("%d starts", len(r.procs))
					}
					r.stop()
					return
				}
				var f *failure.Failure
				if err := <-r.result; !errors.As(err, &f) || f.ID != failure.IDWALLost || f.Exit != failure.ExitData {
					t.Errorf("ended with %v", err)
				}
			})
		})
	}
}

// A log that ends for good too early is believed at once: nobody is there to see
// a second start.
func TestOneDamagedMessageByHand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := run(t, func(o *Options, _ *rig) { o.Notify = nil })
		r.proc().fail(failure.FromText("tocommit(127) is out of range [lastIndex(9)]"))
		var f *failure.Failure
		if err := <-r.result; !errors.As(err, &f) || f.ID != failure.IDWALLost {
			t.Errorf("ended with %v", err)
		}
	})
}
