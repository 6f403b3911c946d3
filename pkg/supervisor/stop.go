package supervisor

import (
	"time"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/pipe"
	"github.com/etcd-node/etcd-node/pkg/status"
)

// stop begins the end of Run, whatever the state. The member hands over its
// leadership and exits; Run ends when it has.
func (s *Supervisor) stop(reason string) {
	if s.st.State == status.Stopping {
		return
	}
	preparing := s.st.State == status.Starting // Run waits for Prepare to end
	s.cancel()
	s.retry = nil
	s.notify("STOPPING=1")
	s.enter(status.Stopping, reason)
	switch {
	case s.proc != nil:
		s.killAt = time.After(s.launch.StopTimeout)
		if err := s.proc.Send(pipe.Message{Kind: pipe.Stop}); err != nil {
			s.kill("the member cannot be told to stop")
		}
	case !preparing:
		s.enter(s.endState(), s.endReason())
	}
}

// giveUp stops the member because of f and lets Run fail with it.
func (s *Supervisor) giveUp(f *failure.Failure) {
	f = f.Fill(s.values())
	s.final = f
	s.recordEnd(f, Exit{})
	s.keepEnd(f)
	s.stop(f.Error())
}

// endState is how Run ends after a stop.
func (s *Supervisor) endState() status.State {
	if s.final != nil {
		return status.Failed
	}
	return status.Stopped
}

// endReason is the last thing that STATUS= says.
func (s *Supervisor) endReason() string {
	if s.final == nil {
		return "stopped as told"
	}
	reason := s.final.Error()
	// The line is not for reading a page: the first step is what to look at.
	switch n := len(s.final.Next); {
	case n == 1:
		reason += "; next: " + s.final.Next[0]
	case n > 1:
		reason += "; next: " + s.final.Next[0] + "; all steps: etcd-node explain"
		if s.opts.Record == nil { // which could tell the command how it ended
			reason += " " + s.final.ID
		}
	}
	return reason
}
