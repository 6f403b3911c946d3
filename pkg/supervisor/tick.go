package supervisor

import (
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/status"
)

const (
	// tickInterval is the loop's own clock, in which the member's silence is
	// counted.
	tickInterval = time.Second
	// defaultHangLimit is for how many own ticks the member may be silent; it
	// beats once a second, and starvation of a loaded machine stays well below
	// ten.
	defaultHangLimit = 10 * time.Second
	// dumpLimit is how long a hanging member may take to write down what its
	// goroutines do: it is a few milliseconds where it can run at all.
	dumpLimit = 3 * time.Second
	// extendEvery and extendBy keep a start that is right to wait from being
	// ended by TimeoutStartSec: asked for often enough to survive several
	// lost turns, short enough that systemd notices soon if we are gone.
	extendEvery = 5 * time.Second
	extendBy    = 30 * time.Second
	// failingLimit is for how long a start may fail again and again: longer
	// than the causes that heal by themselves, and two attempts of the slow
	// kind.
	failingLimit = time.Minute
)

// onTick does what is due by time: it keeps systemd waiting while waiting is
// right, ends a start that has taken too long, and kills a member that does
// not beat.
func (s *Supervisor) onTick() {
	now := time.Now()
	late := now.Sub(s.lastTick) > 3*tickInterval
	s.lastTick = now

	// A killed process is gone in milliseconds; one that is not by the next
	// tick cannot be ended by the kernel.
	s.st.Killed = s.killed
	if s.opts.Conditions != nil {
		s.st.Conditions = s.opts.Conditions()
	}
	s.recordChange()

	if s.starting() {
		if t := s.opts.StartTimeout; t > 0 && now.Sub(s.begun) >= t {
			f := failure.New(failure.IDStartTimeout, fmt.Sprintf("after %s still %s", t, s.st.Line()))
			s.giveUp(f)
			return
		}
		// A start that fails again and again gets no more time.
		if s.class == "" && now.Sub(s.lastExtend) >= extendEvery {
			s.lastExtend = now
			s.notify(fmt.Sprintf("EXTEND_TIMEOUT_USEC=%d", extendBy.Microseconds()))
		}
	}

	if s.proc == nil || s.st.State == status.Stopping {
		return
	}
	if s.silent++; late {
		// The machine or this process was paused, and the member with it.
		s.silent = 0
	}
	if s.silent == int(s.opts.HangLimit/tickInterval) {
		f := failure.New(failure.IDHang, "")
		s.reported = f
		s.opts.Log.Warn(fmt.Sprintf("the member has not been heard for %s: asking what its goroutines do, then killing it", s.opts.HangLimit), zap.Int("pid", s.proc.PID))
		s.proc.Quit()
		s.killAt = time.After(dumpLimit)
	}
}

// lateness says why a member is killed whose time is over.
func (s *Supervisor) lateness() string {
	if s.st.State == status.Stopping {
		return "the member did not stop in time"
	}
	return "the member hangs"
}

// starting reports whether systemd still waits for READY=1.
func (s *Supervisor) starting() bool {
	switch s.st.State {
	case status.Starting, status.Joining, status.Backoff:
		return !s.served
	}
	return false
}
