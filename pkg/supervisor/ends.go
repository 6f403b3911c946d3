package supervisor

import (
	"fmt"
	"time"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/status"
)

// onFailure records a failure, shows it and does what the policy decides. The
// zero Exit is a failure without a process.
func (s *Supervisor) onFailure(f *failure.Failure, e Exit, outOfMemory bool) {
	f = s.policy.believed(f, time.Now())
	values := s.valuesFor(f)
	wait, end := time.Duration(0), (*failure.Failure)(nil)
	if s.goBack(f) {
		s.policy.failing = f.Class
	} else {
		s.endRenewal(fmt.Errorf("the member ended meanwhile: %w", f))
		wait, end = s.policy.after(f, time.Now())
	}
	if end != nil && !s.policy.managed {
		values["ended"] = "true"
	}
	s.history.ended(f, e, outOfMemory, values)
	counted(&s.st.Counters.Ends, string(f.Class), 1)
	f = f.Fill(values)
	s.showEnd(f, values)
	if end != nil {
		s.final = end.Fill(values)
		s.finish()
		return
	}
	if s.launch != nil {
		s.st.Restarts++
	}
	if f.ID == failure.IDAddressGone || f.ID == failure.IDTLSFile {
		s.launch = nil // find the address again, wait for the file
	}
	next := "now"
	if wait > 0 {
		next = "in " + wait.Round(100*time.Millisecond).String()
	}
	s.enter(status.Backoff, fmt.Sprintf("%s; next attempt %s", f.Error(), next))
	s.retry = time.After(wait)
}

// showEnd shows how the member ended last.
func (s *Supervisor) showEnd(f *failure.Failure, values map[string]string) {
	s.st.LastEnd = &status.End{Time: time.Now(), ID: f.ID, Cause: f.Error(), Next: f.Next, Values: values}
}

// lastEndIsOver marks the last end as one that the member has got past.
func (s *Supervisor) lastEndIsOver() {
	if e := s.st.LastEnd; e != nil && e.Over.IsZero() {
		over := *e // the one that is shown may be read by others
		over.Over = time.Now()
		s.st.LastEnd = &over
	}
}
