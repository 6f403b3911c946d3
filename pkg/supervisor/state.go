package supervisor

import (
	"fmt"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/etcd-node/etcd-node/pkg/status"
)

// transitions lists the states that may follow each state.
var transitions = map[status.State][]status.State{
	"":              {status.Starting},
	status.Starting: {status.Joining, status.Backoff, status.Stopping, status.Failed},
	status.Joining:  {status.Serving, status.Backoff, status.Stopping, status.Failed},
	status.Serving:  {status.Backoff, status.Stopping, status.Failed},
	status.Backoff:  {status.Starting, status.Joining, status.Backoff, status.Stopping, status.Failed},
	status.Stopping: {status.Stopped, status.Failed},
}

// enter moves to the next state; it is the only writer of the state. An
// illegal move is a mistake in this package and panics: systemd restarts the
// supervisor, which is better than one that no longer knows where it is.
func (s *Supervisor) enter(next status.State, reason string) {
	if !slices.Contains(transitions[s.st.State], next) {
		panic(fmt.Sprintf("supervisor: %q cannot follow %q", next, s.st.State))
	}
	s.st.State, s.st.Since, s.st.Reason = next, time.Now(), reason
	s.trace = append(s.trace, next)
	// The last 64 are enough to show a restart loop's pattern; the list must
	// not grow for as long as the supervisor lives.
	if n := len(s.trace); n > 64 {
		s.trace = append(s.trace[:0], s.trace[n-64:]...)
	}
	s.recordState()
	s.announce()
}

// announce tells systemd the status if its line has changed, and READY=1 if it
// is due, and the log if the state has changed, or if there is no systemd that
// would show the line. What systemd did not take is told again with the next
// event, which is a second away at most.
func (s *Supervisor) announce() {
	line := s.st.Line()
	changed, entered := line != s.line, s.logged != s.st.State
	if s.opts.Notify != nil {
		if line != s.told && s.notify("STATUS="+line) {
			s.told = line
		}
		// Alone: systemd drops a datagram that is too long, whatever is in it.
		if s.st.State == status.Serving && !s.st.Ready {
			s.st.Ready = s.notify("READY=1")
		}
	}
	s.line, s.logged = line, s.st.State
	if !entered && (!changed || s.opts.Notify != nil) {
		return
	}
	var fields []zap.Field
	if end := s.st.LastEnd; end != nil && len(end.Next) > 0 && (s.st.State == status.Failed || s.st.State == status.Backoff) {
		fields = append(fields, zap.Strings("next", end.Next))
	}
	switch s.st.State {
	case status.Failed:
		s.opts.Log.Error(line, fields...)
	case status.Backoff:
		s.opts.Log.Warn(line, fields...)
	default:
		s.opts.Log.Info(line, fields...)
	}
}

// notify sends one sd_notify datagram, where there is a systemd to send it to,
// and reports whether it was taken.
func (s *Supervisor) notify(state string) bool {
	if s.opts.Notify == nil {
		return false
	}
	err := s.opts.Notify(state)
	if err != nil && !s.notifyFailed {
		s.opts.Log.Warn("cannot notify systemd", zap.Error(err))
	}
	s.notifyFailed = err != nil // say it once, and again after it had worked
	return err == nil
}
