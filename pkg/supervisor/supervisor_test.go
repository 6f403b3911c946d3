package supervisor

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/pipe"
	"github.com/etcd-node/etcd-node/pkg/status"
)

// rig is a supervisor in a synctest bubble with a member that does what the
// test says, and a systemd that writes down what it is told.
type rig struct {
	t      *testing.T
	s      *Supervisor
	cancel context.CancelFunc
	force  chan struct{}
	result chan error

	told    []string // datagrams, without WATCHDOG and EXTEND_TIMEOUT
	pings   []time.Time
	extends []time.Time
	starts  []time.Time
	procs   []*fakeProc
	onStart func(*fakeProc)
}

type fakeProc struct {
	messages chan pipe.Message
	exited   chan failure.Failure
	received []pipe.Message
	killed   bool
	deaf     bool // does not end when told to stop
}

// serve makes the member ready.
func (p *fakeProc) serve() { p.view(status.View{Name: "a", Ready: true, Leader: "a", Members: single}) }

var single = []status.Member{{Name: "a", Self: true, Connected: true}}

func (p *fakeProc) view(v status.View) { p.messages <- pipe.Message{Kind: pipe.View, View: &v} }

func (p *fakeProc) end(f failure.Failure) { p.exited <- f }

// fail ends the member the way the real one does: reason first.
func (p *fakeProc) fail(f failure.Failure) {
	p.messages <- pipe.Message{Kind: pipe.Failing, Failure: &f}
	p.exited <- failure.New(failure.IDEnded, "")
}

func killed() failure.Failure {
	f := failure.New(failure.IDKilled, "")
	f.Cause = "killed by signal 9"
	return f
}

// run starts a supervisor; change edits its options first.
func run(t *testing.T, change func(*Options, *rig)) *rig {
	ctx, cancel := context.WithCancel(t.Context())
	r := &rig{t: t, cancel: cancel, force: make(chan struct{}), result: make(chan error, 1)}
	o := Options{
		Log:   zap.NewNop(),
		Delay: func(class failure.Class, n int) time.Duration { return delay(class, n, 0.5) },
		Force: r.force,
		Notify: func(state string) error {
			switch {
			case strings.HasPrefix(state, "WATCHDOG=1"):
				r.pings = append(r.pings, time.Now())
			case strings.HasPrefix(state, "EXTEND_TIMEOUT_USEC=30000000"):
				r.extends = append(r.extends, time.Now())
			default:
				r.told = append(r.told, state)
			}
			return nil
		},
		Prepare: func(context.Context, func(string)) (Launch, error) {
			return Launch{StopTimeout: 3 * time.Second, Values: map[string]string{"name": "a"}}, nil
		},
		Start: func(Launch) (*Process, error) {
			p := &fakeProc{messages: make(chan pipe.Message), exited: make(chan failure.Failure, 1)}
			r.procs = append(r.procs, p)
			r.starts = append(r.starts, time.Now())
			if r.onStart != nil {
				r.onStart(p)
			}
			return &Process{
				PID: 100 + len(r.procs), Messages: p.messages, Exited: p.exited,
				Send: func(m pipe.Message) error {
					p.received = append(p.received, m)
					if m.Kind == pipe.Stop && !p.deaf {
						p.exited <- failure.New(failure.IDEnded, "")
					}
					return nil
				},
				Kill: func() {
					if !p.killed {
						p.killed = true
						p.exited <- killed()
					}
				},
			}, nil
		},
	}
	if change != nil {
		change(&o, r)
	}
	r.s = New(o)
	go func() { r.result <- r.s.Run(ctx) }()
	synctest.Wait()
	return r
}

func (r *rig) proc() *fakeProc { return r.procs[len(r.procs)-1] }

// beat keeps the member alive for d.
func (r *rig) beat(d time.Duration) {
	for range int(d / time.Second) {
		r.pass(time.Second)
		r.proc().messages <- pipe.Message{Kind: pipe.Beat}
	}
	synctest.Wait()
}

// pass lets d go by, and what is due by then happen.
func (r *rig) pass(d time.Duration) {
	time.Sleep(d) // of the bubble
	synctest.Wait()
}

// stop stops the supervisor and returns Run's result.
func (r *rig) stop() error {
	r.cancel()
	return <-r.result
}

func (r *rig) wantTold(want ...string) {
	r.t.Helper()
	if !slices.Equal(r.told, want) {
		r.t.Errorf("systemd was told\n  %s\nwant\n  %s", strings.Join(r.told, "\n  "), strings.Join(want, "\n  "))
	}
}

func (r *rig) wantTrace(want ...status.State) {
	r.t.Helper()
	if !slices.Equal(r.s.trace, want) {
		r.t.Errorf("states %v, want %v", r.s.trace, want)
	}
}

func TestReadyOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := run(t, nil)
		r.proc().serve()
		r.proc().end(killed())
		synctest.Wait()
		r.proc().serve()
		if err := r.stop(); err != nil {
			t.Errorf("Run = %v after a stop", err)
		}
		r.wantTold(
			"STATUS=starting: finding this node's address and name",
			"STATUS=joining: opening the data",
			"STATUS=serving: leader, 1 of 1 member",
			"READY=1",
			"STATUS=backoff: killed by signal 9; next attempt now, restarted 1 time",
			"STATUS=joining: opening the data, restarted 1 time, last: killed by signal 9",
			"STATUS=serving: leader, 1 of 1 member, restarted 1 time, last: killed by signal 9",
			"STOPPING=1",
			"STATUS=stopping: told to stop, restarted 1 time, last: killed by signal 9",
			"STATUS=stopped: stopped as told",
		)
		r.wantTrace(status.Starting, status.Joining, status.Serving, status.Backoff, status.Joining, status.Serving, status.Stopping, status.Stopped)
	})
}

func TestJoiningSaysWhomItWaitsFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := run(t, nil)
		r.proc().view(status.View{Name: "etcd-1", Members: []status.Member{
			{Name: "etcd-1", Self: true, Connected: true},
			{Name: "etcd-2", Cause: "192.168.122.6: connection refused"},
			{Name: "etcd-3", Cause: "192.168.122.7: no route to host; is TCP 2380 open in its firewall?"},
		}})
		synctest.Wait()
		want := "STATUS=joining: 1 of 3 members; waiting for etcd-2 (192.168.122.6: connection refused), etcd-3 (192.168.122.7: no route to host; is TCP 2380 open in its firewall?)"
		if got := r.told[len(r.told)-1]; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		r.stop()
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

func TestBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := run(t, func(_ *Options, r *rig) {
			r.onStart = func(p *fakeProc) {
				if len(r.procs) <= 10 {
					p.exited <- killed()
				}
			}
		})
		r.pass(40 * time.Second) // the ten delays take 32.7 s
		var gaps []time.Duration
		for i := 1; i < len(r.starts); i++ {
			gaps = append(gaps, r.starts[i].Sub(r.starts[i-1]))
		}
		ms := time.Millisecond
		want := []time.Duration{0, 100 * ms, 200 * ms, 400 * ms, 800 * ms, 1600 * ms, 3200 * ms, 6400 * ms, 10000 * ms, 10000 * ms}
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
		{failure.Transient, 1000, 0.5, 10 * time.Second},
		{failure.Operator, 0, 0.5, 30 * time.Second},
	} {
		if got := delay(tc.class, tc.n, tc.jitter); got != tc.want {
			t.Errorf("delay(%s, %d, %v) = %s, want %s", tc.class, tc.n, tc.jitter, got, tc.want)
		}
	}
}

func TestStopInEveryState(t *testing.T) {
	blocked := func(o *Options, _ *rig) {
		o.Prepare = func(ctx context.Context, say func(string)) (Launch, error) {
			say("no usable IPv4 address on eth0 yet")
			<-ctx.Done()
			return Launch{}, ctx.Err()
		}
	}
	for _, tc := range []struct {
		state  status.State
		change func(*Options, *rig)
		reach  func(*rig)
	}{
		{status.Starting, blocked, func(*rig) {}},
		{status.Joining, nil, func(*rig) {}},
		{status.Serving, nil, func(r *rig) { r.proc().serve() }},
		{status.Backoff, nil, func(r *rig) {
			f := killed()
			f.Class = failure.Operator
			r.proc().end(f)
		}},
	} {
		t.Run(string(tc.state), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := run(t, tc.change)
				tc.reach(r)
				synctest.Wait()
				if st, _ := r.s.Status(t.Context()); st.State != tc.state {
					t.Fatalf("state %s, want %s", st.State, tc.state)
				}
				begun := time.Now()
				if err := r.stop(); err != nil {
					t.Errorf("Run = %v", err)
				}
				if d := time.Since(begun); d != 0 {
					t.Errorf("the stop waited %s", d)
				}
				if !slices.Contains(r.told, "STOPPING=1") {
					t.Error("systemd was not told STOPPING=1")
				}
				n := len(r.s.trace)
				if !slices.Equal(r.s.trace[n-3:], []status.State{tc.state, status.Stopping, status.Stopped}) {
					t.Errorf("states %v", r.s.trace)
				}
			})
		})
	}
}

func TestWaitForAddressIsShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := run(t, func(o *Options, _ *rig) {
			o.Prepare = func(ctx context.Context, say func(string)) (Launch, error) {
				say("no usable IPv4 address on eth0 yet")
				<-ctx.Done()
				return Launch{}, ctx.Err()
			}
		})
		r.stop()
		if !slices.Contains(r.told, "STATUS=starting: no usable IPv4 address on eth0 yet") {
			t.Errorf("told %q", r.told)
		}
	})
}

// A member that reports ready while it is being stopped must not make the unit
// active.
func TestNeverReadyAfterStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := run(t, nil)
		r.proc().deaf = true
		r.cancel()
		synctest.Wait()
		r.proc().serve()
		r.proc().end(failure.New(failure.IDEnded, ""))
		if err := <-r.result; err != nil {
			t.Errorf("Run = %v", err)
		}
		for _, line := range r.told {
			if strings.HasPrefix(line, "READY=1") {
				t.Errorf("told %q after the stop", line)
			}
		}
	})
}

func TestStopThatHangsIsKilled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := run(t, nil)
		r.proc().deaf = true
		begun := time.Now()
		r.stop()
		if d := time.Since(begun); d != 3*time.Second || !r.proc().killed {
			t.Errorf("stopped after %s, killed: %v", d, r.proc().killed)
		}
	})
}

func TestSecondSignalKills(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := run(t, nil)
		r.proc().deaf = true
		begun := time.Now()
		r.cancel()
		synctest.Wait()
		close(r.force)
		if err := <-r.result; err != nil || time.Since(begun) != 0 {
			t.Errorf("Run = %v after %s", err, time.Since(begun))
		}
	})
}

func TestReadyAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := run(t, func(o *Options, _ *rig) {
			o.Prepare = func(context.Context, func(string)) (Launch, error) {
				return Launch{ReadyAll: true, StopTimeout: time.Second}, nil
			}
		})
		members := func(connected bool) []status.Member {
			return []status.Member{{Name: "a", Self: true, Connected: true}, {Name: "b", Connected: true}, {Name: "c", Connected: connected, Cause: "refused"}, {Name: "l", Learner: true}}
		}
		r.proc().view(status.View{Name: "a", Ready: true, Leader: "b", Members: members(false)})
		synctest.Wait()
		if st, _ := r.s.Status(t.Context()); st.State != status.Joining || !strings.Contains(st.Line(), "ETCD_NODE_READY=all waits for c (refused)") {
			t.Errorf("with a member missing: %s", st.Line())
		}
		r.proc().view(status.View{Name: "a", Ready: true, Leader: "b", Members: members(true)})
		synctest.Wait()
		if st, _ := r.s.Status(t.Context()); st.State != status.Serving {
			t.Errorf("with all voting members connected: %s", st.Line())
		}
		r.stop()
	})
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
		r.pass(11 * time.Second)
		synctest.Wait()
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

// A machine that is out of memory or processes cannot fork, again and again.
func TestStartFailureIsRetried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		r := run(t, func(o *Options, _ *rig) {
			start := o.Start
			o.Start = func(l Launch) (*Process, error) {
				if n++; n != 3 && n != 6 {
					return nil, errors.New("fork/exec /proc/self/exe: resource temporarily unavailable")
				}
				return start(l)
			}
		})
		r.pass(61 * time.Second)
		r.wantTrace(status.Starting, status.Backoff, status.Backoff, status.Joining)
		r.proc().serve()
		r.proc().end(killed())
		r.pass(61 * time.Second)
		r.wantTrace(status.Starting, status.Backoff, status.Backoff, status.Joining, status.Serving,
			status.Backoff, status.Backoff, status.Backoff, status.Joining)
		r.stop()
	})
}

// systemd may not read for a while; what it did not take is told again.
func TestNotifyFailureIsMadeUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var deaf atomic.Bool
		r := run(t, func(o *Options, _ *rig) {
			notify := o.Notify
			o.Notify = func(state string) error {
				if deaf.Load() {
					return errors.New("resource temporarily unavailable")
				}
				return notify(state)
			}
		})
		deaf.Store(true)
		r.proc().serve()
		synctest.Wait()
		if st, _ := r.s.Status(t.Context()); st.State != status.Serving || st.Ready {
			t.Errorf("state %s, ready sent: %v", st.State, st.Ready)
		}
		deaf.Store(false)
		r.beat(2 * time.Second)
		n := len(r.told)
		if !slices.Equal(r.told[n-2:], []string{"STATUS=serving: leader, 1 of 1 member", "READY=1"}) {
			t.Errorf("told %q", r.told)
		}
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
		r.pass(12 * time.Second)
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

// An address that is gone is looked for again.
func TestAddressGoneIsPreparedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := run(t, nil)
		r.proc().fail(failure.New(failure.IDAddressGone, ""))
		r.pass(31 * time.Second)
		r.wantTrace(status.Starting, status.Joining, status.Backoff, status.Starting, status.Joining)
		r.stop()
	})
}

func TestUnpreparedIsRetried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		r := run(t, func(o *Options, _ *rig) {
			prepare := o.Prepare
			o.Prepare = func(ctx context.Context, say func(string)) (Launch, error) {
				if n++; n == 1 {
					f := failure.New(failure.IDNoAddress, "")
					return Launch{}, &f
				}
				return prepare(ctx, say)
			}
		})
		r.pass(31 * time.Second)
		r.wantTrace(status.Starting, status.Backoff, status.Starting, status.Joining)
		r.stop()
	})
}

func TestBadConfigurationFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := run(t, func(o *Options, _ *rig) {
			o.Prepare = func(context.Context, func(string)) (Launch, error) {
				return Launch{}, errors.New("ETCD_IP_2: missing")
			}
		})
		var f *failure.Failure
		if err := <-r.result; !errors.As(err, &f) || f.Exit != failure.ExitConfig || !strings.Contains(f.Error(), "ETCD_IP_2") {
			t.Errorf("Run = %v", err)
		}
	})
}

func TestIllegalTransitionPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("Stopped after nothing was accepted")
		}
	}()
	New(Options{Log: zap.NewNop()}).enter(status.Stopped, "")
}
