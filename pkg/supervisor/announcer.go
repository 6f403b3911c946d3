package supervisor

import (
	"go.uber.org/zap"

	"github.com/etcd-node/etcd-node/pkg/status"
)

// announcer tells systemd and the log the status, and remembers what they have
// been told.
type announcer struct {
	log  *zap.Logger
	send func(assignments ...string) error // nil: no service manager waits

	line   string       // the status line as of the last event
	state  status.State // its state
	taken  string       // the last status line that systemd took
	failed bool         // systemd did not take the last message

	likeEtcd            bool // etcd's own lines are logged, too
	notifying, notified bool // of READY=1: it is being told, it has been
}

// announce tells systemd the status if its line has changed, and READY=1 if it
// is due. It tells the log if the state has changed; without a systemd, which
// would show the line, also if the line has. What systemd did not take is told
// again with the next event, which is a second away at most.
func (a *announcer) announce(st *status.Status) {
	line := st.Line()
	if a.send != nil {
		if line != a.taken && a.notify(statusText+line) {
			a.taken = line
		}
	}
	if st.State == status.Serving {
		a.ready(st)
	}
	entered, changed := st.State != a.state, line != a.line
	a.line, a.state = line, st.State
	if entered || changed && a.send == nil {
		a.write(line, st)
	}
}

// waits tells the log for whom a start waits, where only systemd has been told. It
// is called once that has been so for a while, and when it has changed.
func (a *announcer) waits(st *status.Status) {
	if a.send != nil && st.State == status.Joining {
		a.log.Warn(st.Line())
	}
}

// write writes the status line to the log.
func (a *announcer) write(line string, st *status.Status) {
	var fields []zap.Field
	if end := st.LastEnd; end != nil && len(end.Next) > 0 && (st.State == status.Failed || st.State == status.Backoff) {
		fields = append(fields, zap.Strings("next", end.Next))
	}
	switch st.State {
	case status.Failed:
		a.log.Error(line, fields...)
	case status.Backoff:
		a.log.Warn(line, fields...)
	default:
		a.log.Info(line, fields...)
	}
}

// notify sends one assignment to systemd, if there is one, and reports whether
// it was taken. A failure is logged once, and again after a success.
func (a *announcer) notify(assignment string) bool {
	if a.send == nil {
		return false
	}
	err := a.send(assignment)
	if err != nil && !a.failed {
		a.log.Warn("cannot notify systemd", zap.Error(err))
	}
	a.failed = err != nil
	return err == nil
}
