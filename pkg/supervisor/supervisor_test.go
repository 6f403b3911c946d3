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
	"github.com/etcd-node/etcd-node/pkg/status"
)

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
			o.Notify = func(assignments ...string) error {
				if deaf.Load() {
					return errors.New("resource temporarily unavailable")
				}
				return notify(assignments...)
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
					return Launch{}, f
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
