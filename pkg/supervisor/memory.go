package supervisor

import (
	"strings"
	"syscall"
	"time"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/identity"
	"github.com/etcd-node/etcd-node/pkg/pipe"
	"github.com/etcd-node/etcd-node/pkg/status"
	"github.com/etcd-node/etcd-node/pkg/supervisor/recorder"
)

// What outlives this process: the flight recorder and the pin.

func (s *Supervisor) record(r recorder.Record) {
	if s.opts.Record != nil {
		r.Time = time.Now()
		s.opts.Record(r)
	}
}

func (s *Supervisor) recordState() {
	s.recorded = strings.TrimSuffix(string(s.st.State)+": "+s.st.Reason, ": ")
	s.record(recorder.Record{Kind: recorder.State, State: s.st.State, Reason: s.st.Reason})
}

const (
	// standsAfter own ticks a change within a state is one to remember: an
	// election, a peer's restart and a slow answer are over by then.
	standsAfter = 3
	// changesKept at once, and then one a minute: whatever flaps must not push
	// the ends out of the recorder. At that pace its files hold a week.
	changesKept = 30
)

// recordChange keeps what changes within a state, such as a peer that is
// missing or a leader that is lost, once it has stood for a while.
func (s *Supervisor) recordChange() {
	if s.line != s.standing {
		s.standing, s.stands = s.line, 0
		return
	}
	if s.stands++; s.stands < standsAfter || s.line == s.recorded || !s.changes.Allow() {
		return
	}
	s.recorded = s.line
	state := string(s.st.State)
	s.record(recorder.Record{Kind: recorder.State, State: s.st.State, Reason: strings.TrimPrefix(strings.TrimPrefix(s.line, state), ": ")})
}

// recordEnd keeps how the member ended, and what it was doing if it hung. The
// zero Exit is an end without a process: it could not even be started.
func (s *Supervisor) recordEnd(f *failure.Failure, e Exit) {
	crash := e.Crash
	if f.ID == failure.IDHang && crash != "" {
		s.record(recorder.Record{Kind: recorder.Dump, Reason: f.Error(), Dump: crash})
		crash = ""
	}
	end := recorder.End{ID: f.ID, Class: f.Class, Cause: f.Error(), Status: -1, Crash: crash, Lines: e.Lines, Values: s.valuesFor(f)}
	switch {
	case e.Failure == nil:
	case e.Status.Signaled():
		end.Signal = int(e.Status.Signal())
	default:
		end.Status = e.Status.ExitStatus()
	}
	now, ok := s.countOOM()
	end.OOM = ok && e.Failure != nil && now > s.oomKills
	s.record(recorder.Record{Kind: recorder.Ended, End: &end})
}

// why is the reason of an end: what the member said before it, then what the
// kernel counted, then what the exit says.
func (s *Supervisor) why(e Exit) *failure.Failure {
	if s.reported != nil {
		return s.reported
	}
	killed := e.Status.Signaled() && e.Status.Signal() == syscall.SIGKILL && !s.killed
	if now, ok := s.countOOM(); killed && ok && now > s.oomKills {
		return failure.New(failure.IDOutOfMemory, "")
	}
	return e.Failure
}

func (s *Supervisor) countOOM() (uint64, bool) {
	if s.opts.OOMKills == nil {
		return 0, false
	}
	return s.opts.OOMKills()
}

// guard is the launch's. Nobody waits for a daemon without a service manager.
func (s *Supervisor) guard() pipe.Guard {
	g := s.launch.Guard
	g.Patient = s.opts.Notify != nil
	return g
}

// pin remembers who lives here, once it serves.
func (s *Supervisor) pin() {
	v := s.st.View
	now := identity.Pin{ClusterID: v.ClusterID, MemberID: v.MemberID, Name: v.Name, DataDir: s.launch.Values["data-dir"], Since: time.Now()}
	if old := s.launch.Guard.Pin; s.opts.Pin == nil || now.ClusterID == "" || old != nil && old.Same(now) {
		return
	}
	s.launch.Guard.Pin, s.launch.Guard.Damage, s.launch.Guard.Unreadable = &now, "", ""
	s.opts.Pin(now)
}

// endIsOver marks the last end as one that the member has got past.
func (s *Supervisor) endIsOver() {
	if e := s.st.LastEnd; e != nil && e.Over.IsZero() {
		over := *e // the one that is shown may be read by others
		over.Over = time.Now()
		s.st.LastEnd = &over
	}
}

// keepEnd shows how the member ended last.
func (s *Supervisor) keepEnd(f *failure.Failure) {
	s.st.LastEnd = &status.End{Time: time.Now(), ID: f.ID, Cause: f.Error(), Next: f.Next, Values: s.valuesFor(f)}
}
