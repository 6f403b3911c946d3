package supervisor

import (
	"strings"
	"time"

	"golang.org/x/time/rate"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/status"
	"github.com/etcd-node/etcd-node/pkg/supervisor/recorder"
)

const (
	// settledAfter own ticks a change within a state is one to remember: an
	// election, a peer's restart and a slow answer are over by then.
	settledAfter = 3
	// changesKept at once, and then one a minute: whatever flaps must not push
	// the ends out of the recorder. At that pace its files hold a week.
	changesKept = 30
)

// history decides what goes to the flight recorder: every state that is
// entered, every end, and what changes within a state and stays so.
type history struct {
	write    func(recorder.Record) // nil: nothing is kept
	recorded string                // what was recorded last, see subject
	subject  string                // that of the last tick …
	ticks    int                   // … and for how many ticks it has been the same
	changes  *rate.Limiter         // of records within a state
}

func newHistory(write func(recorder.Record)) history {
	return history{write: write, changes: rate.NewLimiter(rate.Every(time.Minute), changesKept)}
}

func (h *history) add(r recorder.Record) {
	if h.write != nil {
		r.Time = time.Now()
		h.write(r)
	}
}

// entered records the state that was entered.
func (h *history) entered(st status.Status) {
	h.recorded = strings.TrimSuffix(string(st.State)+": "+st.Reason, ": ")
	h.add(recorder.Record{Kind: recorder.State, State: st.State, Reason: st.Reason})
}

// observe looks at the status once a tick. It records what has changed within
// a state, such as a peer that is missing or a leader that is lost, once the
// status has been the same for a while, and reports whether it has.
func (h *history) observe(st status.Status) (recorded bool) {
	about := subject(st)
	if about != h.subject {
		h.subject, h.ticks = about, 0
		return false
	}
	if h.ticks++; h.ticks < settledAfter || about == h.recorded || !h.changes.Allow() {
		return false
	}
	h.recorded = about
	line := st.Line()
	reason := strings.TrimPrefix(strings.TrimPrefix(line, string(st.State)), ": ")
	h.add(recorder.Record{Kind: recorder.State, State: st.State, Reason: reason})
	return true
}

// subject is what a status line is about: a condition counts by its entry, for
// its text may count the days, or the bytes, with each look.
func subject(st status.Status) string {
	byEntry := func(all []status.Condition) (some []status.Condition) {
		for _, c := range all {
			if c.Text != "" { // else the rest of the line says it
				some = append(some, status.Condition{ID: c.ID, Text: c.ID})
			}
		}
		return some
	}
	st.Conditions, st.View.Conditions = byEntry(st.Conditions), byEntry(st.View.Conditions)
	return st.Line()
}

// ended records how the member ended, and what it was doing if it hung. The
// zero Exit is an end without a process, which could not even be started.
func (h *history) ended(f *failure.Failure, e Exit, outOfMemory bool, values map[string]string) {
	crash := e.Crash
	if f.ID == failure.IDHang && crash != "" {
		h.add(recorder.Record{Kind: recorder.Dump, Reason: f.Error(), Dump: crash})
		crash = ""
	}
	end := recorder.End{ID: f.ID, Class: f.Class, Cause: f.Error(), Status: -1, OOM: outOfMemory, Crash: crash, Lines: e.Lines, Values: values}
	switch {
	case e.Failure == nil:
	case e.Status.Signaled():
		end.Signal = int(e.Status.Signal())
	default:
		end.Status = e.Status.ExitStatus()
	}
	h.add(recorder.Record{Kind: recorder.Ended, End: &end})
}
