package supervisor

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/etcd-node/etcd-node/pkg/failure"
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

// A condition that re-words itself is the same one, and no news.
func TestRewordedConditions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var reasons []string
		h := newHistory(func(r recorder.Record) { reasons = append(reasons, r.Reason) })
		st := status.Status{State: status.Serving, View: status.View{Name: "a", Leader: "b", Members: single}}
		h.entered(st)
		for i := range 60 {
			st.View.Conditions = []status.Condition{{ID: failure.IDQuotaLow, Text: fmt.Sprintf("the database has 90 %% of its quota: %d MiB", i)}}
			st.Conditions = []status.Condition{{ID: failure.IDTLSExpires, Text: fmt.Sprintf("ca.crt expires in %d min", 60-i)}}
			for range 60 {
				time.Sleep(time.Second) // of the bubble
				h.observe(st)
			}
		}
		if len(reasons) != 2 || !strings.Contains(reasons[1], "quota: 0 MiB") || !strings.Contains(reasons[1], "in 60 min") {
			t.Errorf("%q", reasons)
		}
		// Another one is, also where it is of the same entry.
		st.Conditions = append(st.Conditions, status.Condition{ID: failure.IDTLSExpires, Text: "node.crt expires in 9 min"})
		for range 1 + settledAfter {
			h.observe(st)
		}
		if len(reasons) != 3 || !strings.Contains(reasons[2], "node.crt") {
			t.Errorf("%q", reasons)
		}
	})
}

// What changes within a state is recorded once it has stayed so, and seldom
// where it flaps.
func TestChangesWithinAState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var reasons []string
		h := newHistory(func(r recorder.Record) { reasons = append(reasons, r.Reason) })
		st := status.Status{State: status.Serving, View: status.View{Name: "a", Leader: "a", Members: single}}
		h.entered(st)
		observe := func(leader string, ticks int) {
			st.View.Leader = leader
			for range ticks {
				time.Sleep(time.Second) // of the bubble
				h.observe(st)
			}
		}
		follower := func(leader string) string { return "follower of " + leader + ", 1 of 1 member" }
		want := func(more ...string) {
			t.Helper()
			if more = append([]string{""}, more...); !slices.Equal(reasons, more) {
				t.Errorf("recorded %q, want %q", reasons, more)
			}
		}
		observe("b", settledAfter)
		observe("c", settledAfter)
		want()
		observe("b", 5*settledAfter)
		want(follower("b"))
		observe("c", settledAfter)
		observe("b", 5*settledAfter)
		want(follower("b"))
		observe("c", 1+settledAfter)
		want(follower("b"), follower("c"))

		reasons = nil
		begun := time.Now()
		for i := range 100 {
			observe(string(rune('d'+i%2)), 1+settledAfter)
		}
		if most := changesKept + int(time.Since(begun)/time.Minute); len(reasons) > most || len(reasons) < most-2 {
			t.Errorf("%d changes in %s recorded, want %d", len(reasons), time.Since(begun), most)
		}
	})
}
