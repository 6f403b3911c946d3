package supervisor

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/status"
)

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
			e := killed()
			e.Failure.Class = failure.Operator
			r.proc().end(e)
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

// A member that reports ready while it is being stopped must not make the unit
// active.
func TestNeverReadyAfterStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := run(t, nil)
		r.proc().deaf = true
		r.cancel()
		synctest.Wait()
		r.proc().serve()
		r.proc().end(ended(failure.New(failure.IDEnded, "")))
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

// The commands of the last words are for this unit, also where it has failed
// before it was known what to launch.
func TestEndNamesItsUnit(t *testing.T) {
	for _, recorded := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			r := run(t, func(o *Options, _ *rig) {
				o.Explains, o.Values = recorded, map[string]string{"unit": "etcd@events"}
				o.Prepare = func(context.Context, func(string)) (Launch, error) { return Launch{}, failure.New(failure.IDWiped, "") }
			})
			<-r.result
			if last := r.told[len(r.told)-1]; strings.Count(last, "ETCD_NODE_UNIT=etcd@events etcd-node ") != strings.Count(last, "etcd-node ") || !strings.Contains(last, "all steps: ETCD_NODE_UNIT=etcd@events etcd-node explain") {
				t.Errorf("recorded %v: %q", recorded, last)
			}
			if end := r.s.st.LastEnd; !strings.Contains(strings.Join(end.Next, "\n"), "etcd@events") {
				t.Errorf("next: %q", end.Next)
			}
		})
	}
}

// Where `etcd-node explain` would not find the records it could not know which entry.
func TestEndNamesItsEntry(t *testing.T) {
	for _, recorded := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			r := run(t, func(o *Options, _ *rig) { o.Explains = recorded })
			r.proc().fail(failure.New(failure.IDWiped, ""))
			<-r.result
			said := strings.HasSuffix(r.told[len(r.told)-1], "etcd-node explain "+failure.IDWiped)
			if said == recorded {
				t.Errorf("recorded %v: %q", recorded, r.told)
			}
		})
	}
}
