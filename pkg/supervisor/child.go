package supervisor

import (
	"syscall"
	"time"

	"go.uber.org/zap"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/pipe"
	"github.com/etcd-node/etcd-node/pkg/status"
)

// child is the member process and what is known of it. The zero value is none:
// its channels are nil, which the loop never hears.
type child struct {
	Process
	reason         *failure.Failure // why it is about to end, where that is known before
	begun          time.Time
	killed         bool             // it was sent SIGKILL by us
	deadline       <-chan time.Time // when it is killed if it has not ended
	oomKills       func() (uint64, bool)
	oomKillsBefore uint64 // the kernel's count when it was started
}

func (c *child) running() bool { return c.PID != 0 }

// outOfMemory reports whether the kernel has killed a process for want of
// memory since the child was started.
func (c *child) outOfMemory() bool {
	if c.oomKills == nil {
		return false
	}
	now, ok := c.oomKills()
	return ok && now > c.oomKillsBefore
}

// cause is why the child ended: what was known before, then what the kernel
// has counted, then what the exit says.
func (c *child) cause(e Exit, outOfMemory bool) *failure.Failure {
	killedByOther := e.Status.Signaled() && e.Status.Signal() == syscall.SIGKILL && !c.killed
	switch {
	case c.reason != nil && c.reason.ID == failure.IDEnded && e.Crash != "":
		// It could not tell what the words mean; the stack may.
		if f := failure.FromCrash(e.Crash); f != nil {
			return f
		}
		return c.reason
	case c.reason != nil:
		return c.reason
	case killedByOther && outOfMemory:
		return failure.New(failure.IDOutOfMemory, "")
	}
	return e.Failure
}

// start starts the member process.
func (s *Supervisor) start() {
	s.st.View = status.View{}
	s.hang.heard()
	s.st.Silent = 0
	next := child{oomKills: s.opts.OOMKills, begun: time.Now()}
	if next.oomKills != nil {
		next.oomKillsBefore, _ = next.oomKills()
	}
	proc, err := s.opts.Start(*s.launch)
	if err != nil {
		s.onFailure(failure.New(failure.IDCannotExecute, err.Error()), Exit{}, false)
		return
	}
	next.Process = *proc
	s.child = next
	s.st.MemberPID = proc.PID
	s.opts.Log.Info("started the member process", zap.Int("pid", proc.PID), zap.Strings("args", s.launch.Args))
	start := pipe.Message{
		Kind: pipe.Start, Secrets: s.launch.Secrets, Election: s.launch.Election, Guard: s.guard(),
		Terminal: s.launch.Terminal, Node: s.known(),
	}
	s.handed = start.Node
	if err := proc.Send(start); err != nil {
		// It ended already; its exit says why.
		s.opts.Log.Warn("cannot speak to the member", zap.Error(err))
	}
	s.enter(status.Joining, "opening the data")
}

// kill kills the member, if there is one. Its exit follows, unless the kernel
// cannot end it.
func (s *Supervisor) kill(reason string) {
	if !s.child.running() {
		return
	}
	s.opts.Log.Warn(reason+": killing the member", zap.Int("pid", s.child.PID))
	s.child.killed = true
	s.child.Kill()
}

// onDeadline kills a member that has not ended in time.
func (s *Supervisor) onDeadline() {
	s.child.deadline = nil
	if s.st.State == status.Stopping || s.st.State == status.Restarting {
		s.kill("the member did not stop in time")
	} else {
		s.kill("the member hangs")
	}
}

// onExit handles the end of the member process.
func (s *Supervisor) onExit(e Exit) {
	outOfMemory := s.child.outOfMemory()
	f := s.child.cause(e, outOfMemory)
	s.child = child{}
	s.st.MemberPID, s.st.Killed = 0, false
	s.dropQuestions()
	switch s.st.State {
	case status.Stopping:
	case status.Restarting:
		if e.Status != 0 {
			s.history.ended(f, e, outOfMemory, s.valuesFor(f))
		}
		s.renew()
		return
	default:
		s.onFailure(f, e, outOfMemory)
		return
	}
	if e.Status != 0 { // a stop that went well is no end to record
		s.history.ended(f, e, outOfMemory, s.valuesFor(f))
	}
	s.finish()
}
