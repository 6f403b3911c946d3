package supervisor

import (
	"errors"
	"os"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

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

// The log has each state once, and the first time that it serves etcd's words
// for that, with a systemd or without; without a systemd, which would show it, also
// every change of the status line.
func TestAnnouncerLogs(t *testing.T) {
	follower := func(leader string) status.Status {
		return status.Status{State: status.Serving, View: status.View{Name: "a", Leader: leader, Members: single}}
	}
	backoff := status.Status{State: status.Backoff, Reason: "killed", LastEnd: &status.End{Next: []string{"dmesg"}}}
	for _, managed := range []bool{true, false} {
		core, logs := observer.New(zap.InfoLevel)
		a := announcer{log: zap.New(core), likeEtcd: true}
		want := []string{"info notifying init daemon", "info successfully notified init daemon", "info serving: follower of b, 1 of 1 member", "info serving: follower of c, 1 of 1 member", "warn backoff: killed"}
		if managed {
			a.send = func(...string) error { return nil }
			want = slices.Delete(want, 3, 4)
		}
		for _, st := range []status.Status{follower("b"), follower("b"), follower("c"), follower("c"), backoff, backoff} {
			a.announce(&st)
		}
		var got []string
		for _, entry := range logs.All() {
			got = append(got, entry.Level.String()+" "+entry.Message)
		}
		if !slices.Equal(got, want) {
			t.Errorf("managed %v: logged %q, want %q", managed, got, want)
		}
		if last := logs.All()[logs.Len()-1]; last.ContextMap()["next"] == nil {
			t.Error("the log does not say what to do next")
		}
	}
}

// That systemd does not take a message is logged once, not with each event.
func TestNotifyFailureIsLoggedOnce(t *testing.T) {
	core, logs := observer.New(zap.InfoLevel)
	var err error
	a := announcer{log: zap.New(core), send: func(...string) error { return err }}
	for _, err = range []error{os.ErrDeadlineExceeded, os.ErrDeadlineExceeded, nil, os.ErrDeadlineExceeded} {
		if a.notify("WATCHDOG=1") != (err == nil) {
			t.Errorf("%v is not told", err)
		}
	}
	if logs.Len() != 2 {
		t.Errorf("logged %v", logs.All())
	}
}
