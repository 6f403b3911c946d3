package supervisor

import (
	"fmt"
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
	preparing := s.st.State == status.Starting
	s.retry = nil
	s.announcer.notify("STOPPING=1")
	s.enter(status.Stopping, reason)
	s.endRenewal(errEnding)
	switch {
	case preparing:
		s.preparation.cancel() // Run waits for Prepare to end
	case s.child.running():
		s.child.deadline = time.After(s.launch.StopTimeout)
		if err := s.child.Send(pipe.Message{Kind: pipe.Stop}); err != nil {
			s.kill("the member cannot be told to stop")
		}
	default:
		s.finish()
	}
}

// failStart stops the member because the start has taken too long, and lets Run
// fail with that.
func (s *Supervisor) failStart() {
	f := failure.New(failure.IDStartTimeout, fmt.Sprintf("after %s still %s", s.opts.StartTimeout, s.st.Line()))
	values := s.valuesFor(f)
	f = f.Fill(values)
	s.final = f
	s.history.ended(f, Exit{}, false, values)
	s.showEnd(f, values)
	s.stop(f.Error())
}

// finish enters the last state, after which Run returns.
func (s *Supervisor) finish() {
	if s.final == nil {
		s.enter(status.Stopped, "stopped as told")
	} else {
		s.enter(status.Failed, lastWords(s.final, s.opts.Explains, s.valuesFor(s.final)))
	}
}

// lastWords is what STATUS= says of a failure that ends Run. There is room for
// the first step only. `etcd-node explain` has all of them, and where nothing
// is recorded it has to be told of which failure.
func lastWords(f *failure.Failure, recorded bool, values failure.Values) string {
	words := f.Error()
	if len(f.Next) > 0 {
		words += "; next: " + f.Next[0]
	}
	if len(f.Next) > 1 {
		explain := "etcd-node explain"
		if !recorded {
			explain += " " + f.ID
		}
		words += "; all steps: " + failure.ForUnit(explain, values)
	}
	return words
}
