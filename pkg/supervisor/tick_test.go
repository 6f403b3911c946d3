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
		r.pass(8 * time.Second) // the ten delays take 6.5 s
		var gaps []time.Duration
		for i := 1; i < len(r.starts); i++ {
			gaps = append(gaps, r.starts[i].Sub(r.starts[i-1]))
		}
		ms := time.Millisecond
		want := []time.Duration{0, 100 * ms, 200 * ms, 400 * ms, 800 * ms, 1000 * ms, 1000 * ms, 1000 * ms, 1000 * ms, 1000 * ms}
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
		{failure.Transient, 59, 0.5, time.Second},
		{failure.Transient, 60, 0.5, 3 * time.Second},
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

func TestWatchdogAtHalf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := run(t, func(o *Options, _ *rig) { o.Watchdog = 4 * time.Second })
		r.beat(9 * time.Second)
		if len(r.pings) != 4 {
			t.Errorf("%d pings in 9 s with WatchdogSec=4", len(r.pings))
		}
		r.stop()
	})
}

func TestSilentMemberIsKilled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := run(t, nil)
		first := r.proc()
		first.serve()
		r.pass(10 * time.Second)
		synctest.Wait()
		if !first.quit || first.killed {
			t.Fatalf("after 10 s: asked what it does: %v, killed: %v", first.quit, first.killed)
		}
		r.s.Status(t.Context()) // for the race detector: orders the read before what follows
		r.pass(dumpLimit)
		if !first.killed || len(r.procs) != 2 {
			t.Fatalf("killed: %v, starts: %d", first.killed, len(r.procs))
		}
		if st, _ := r.s.Status(t.Context()); st.LastEnd.ID != failure.IDHang {
			t.Errorf("last end %q", st.LastEnd.ID)
		}
		r.stop()
	})
}

// A paused machine stops both processes: the first tick after it is late, and
// the member has had no chance to beat.
func TestPausedMachineKillsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := run(t, nil)
		r.proc().serve()
		r.pass(9 * time.Second)
		synctest.Wait()
		r.s.lastTick = r.s.lastTick.Add(-time.Minute) // the loop is asleep
		r.s.Status(t.Context())                       // for the race detector: orders the write
		r.pass(5 * time.Second)
		if r.proc().killed {
			t.Error("killed although the own tick was late")
		}
		r.beat(5 * time.Second)
		r.stop()
	})
}

// A process in uninterruptible sleep does not end when it is killed.
func TestKilledButThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := run(t, func(o *Options, _ *rig) {
			start := o.Start
			o.Start = func(l Launch) (*Process, error) {
				p, err := start(l)
				p.Kill = func() {}
				return p, err
			}
		})
		r.proc().serve()
		r.pass(12*time.Second + dumpLimit)
		if st, _ := r.s.Status(t.Context()); st.Line() != "serving: the member was killed and has not ended; is its disk hanging? (dmesg)" {
			t.Error(st.Line())
		}
		r.proc().end(killed())
		r.pass(time.Second)
		if st, _ := r.s.Status(t.Context()); st.State != status.Joining || st.Killed {
			t.Errorf("%+v", st)
		}
		r.stop()
	})
}
