package supervisor

import (
	"fmt"
	"slices"
	"time"

	"github.com/etcd-node/etcd-node/pkg/status"
)

// transitions lists the states that may follow each state.
var transitions = map[status.State][]status.State{
	"":                {status.Starting},
	status.Starting:   {status.Joining, status.Backoff, status.Stopping, status.Failed},
	status.Joining:    {status.Serving, status.Backoff, status.Restarting, status.Stopping, status.Failed},
	status.Serving:    {status.Backoff, status.Restarting, status.Stopping, status.Failed},
	status.Backoff:    {status.Starting, status.Joining, status.Backoff, status.Stopping, status.Failed},
	status.Restarting: {status.Joining, status.Backoff, status.Stopping, status.Failed},
	status.Stopping:   {status.Stopped, status.Failed},
}

// traceLimit is enough to show the pattern of a restart loop. The list must not
// grow for as long as the supervisor lives.
const traceLimit = 64

// enter moves to the next state; it is the only writer of the state. An
// illegal move is a mistake in this package and panics: systemd restarts the
// supervisor, which is better than one that no longer knows where it is.
func (s *Supervisor) enter(next status.State, reason string) {
	if !slices.Contains(transitions[s.st.State], next) {
		panic(fmt.Sprintf("supervisor: %q cannot follow %q", next, s.st.State))
	}
	now := time.Now()
	if s.st.State != "" {
		counted(&s.st.Counters.Seconds, s.st.State, now.Sub(s.st.Since).Seconds())
	}
	s.st.State, s.st.Since, s.st.Reason = next, now, reason
	s.trace = append(s.trace, next)
	if n := len(s.trace); n > traceLimit {
		s.trace = append(s.trace[:0], s.trace[n-traceLimit:]...)
	}
	s.history.entered(s.st)
	s.announcer.announce(&s.st)
}
