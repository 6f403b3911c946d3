package supervisor

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/identity"
	"github.com/etcd-node/etcd-node/pkg/pipe"
	"github.com/etcd-node/etcd-node/pkg/status"
	"github.com/etcd-node/etcd-node/pkg/supervisor/recorder"
)

// kept are the records of a kind.
func (r *rig) kept(kind recorder.Kind) (some []recorder.Record) {
	for _, x := range r.records {
		if x.Kind == kind {
			some = append(some, x)
		}
	}
	return some
}

// A member that can still run says what it hangs in, and is not killed on top.
func TestHangIsDumped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := run(t, func(o *Options, _ *rig) { o.HangLimit = 5 * time.Second })
		first := r.proc()
		first.dump = "goroutine 1 [select]:"
		first.serve()
		r.pass(5 * time.Second)
		if first.killed || len(r.procs) != 2 {
			t.Fatalf("killed: %v, starts: %d", first.killed, len(r.procs))
		}
		dumps, ends := r.kept(recorder.Dump), r.kept(recorder.Ended)
		if len(dumps) != 1 || dumps[0].Dump != first.dump || len(ends) != 1 || ends[0].End.ID != failure.IDHang || ends[0].End.Crash != "" {
			t.Errorf("dumps %+v, ends %+v", dumps, ends)
		}
		r.stop()
	})
}

// The kernel's count tells an OOM kill from any other SIGKILL; our own is none.
func TestOutOfMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := run(t, nil)
		ids := func(want ...string) {
			t.Helper()
			ends := r.kept(recorder.Ended)
			if len(ends) != len(want) {
				t.Fatalf("%d ends, want %d", len(ends), len(want))
			}
			if last := ends[len(ends)-1].End; last.ID != want[len(want)-1] {
				t.Errorf("%+v, want %s", last, want[len(want)-1])
			}
		}
		r.proc().end(killed())
		synctest.Wait()
		ids(failure.IDKilled)

		r.pass(time.Second)
		r.oom++
		r.proc().end(killed())
		synctest.Wait()
		ids(failure.IDKilled, failure.IDOutOfMemory)
		if st, _ := r.s.Status(t.Context()); st.LastEnd.ID != failure.IDOutOfMemory {
			t.Errorf("status says %+v", st.LastEnd)
		}

		r.pass(time.Second) // counted from this start on
		r.proc().end(killed())
		synctest.Wait()
		ids(failure.IDKilled, failure.IDOutOfMemory, failure.IDKilled)
		r.stop()
	})
}

// Every transition is recorded, every end with what the log said last, and a
// stop is no end.
func TestRecords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := run(t, nil)
		r.proc().serve()
		e := ended(failure.FromExit(1<<8, ""))
		e.Lines = []string{"disk is on fire"}
		r.proc().end(e)
		r.pass(time.Second)
		r.stop()
		var states []status.State
		for _, x := range r.kept(recorder.State) {
			states = append(states, x.State)
		}
		r.wantTrace(states...)
		ends := r.kept(recorder.Ended)
		if len(ends) != 1 || ends[0].End.Status != 1 || ends[0].End.Signal != 0 || len(ends[0].End.Lines) != 1 {
			t.Errorf("%+v", ends)
		}
	})
}

// A member pins itself when it serves, and again only under other IDs.
func TestPin(t *testing.T) {
	serve := func(r *rig, member string) {
		r.proc().view(status.View{Name: "a", ClusterID: "c", MemberID: member, Ready: true, Leader: "a", Members: single})
		synctest.Wait()
	}
	synctest.Test(t, func(t *testing.T) {
		r := run(t, nil)
		for _, id := range []string{"1", "1", "2"} {
			serve(r, id)
			r.proc().end(killed())
			r.pass(time.Second)
		}
		if len(r.pins) != 2 || r.pins[0].MemberID != "1" || r.pins[1].MemberID != "2" || r.pins[0].ClusterID != "c" {
			t.Errorf("pinned %+v", r.pins)
		}
		// The next member knows.
		if g := r.proc().received[0].Guard; g.Pin == nil || g.Pin.MemberID != "2" {
			t.Errorf("the member was told %+v", g)
		}
		r.stop()
	})
	synctest.Test(t, func(t *testing.T) {
		pinned := identity.Pin{ClusterID: "c", MemberID: "1"}
		r := run(t, func(o *Options, _ *rig) {
			o.Prepare = func(context.Context, func(string)) (Launch, error) {
				return Launch{StopTimeout: time.Second, Guard: pipe.Guard{Pin: &pinned}}, nil
			}
		})
		serve(r, "1")
		if len(r.pins) != 0 {
			t.Errorf("pinned %+v again", r.pins)
		}
		r.stop()
	})
}
