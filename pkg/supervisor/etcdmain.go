package supervisor

import (
	"context"
	"errors"
	"os"

	"go.uber.org/zap"

	"github.com/etcd-node/etcd-node/pkg/status"
)

// The lines that etcd's main logs where a supervisor stands in its place, word
// for word: scripts and test suites wait for them.
const (
	msgSignal    = "received signal; shutting down"
	msgNotifying = "notifying init daemon"
	msgNotified  = "successfully notified init daemon"
)

// Signal is the cause of a context that ends with a signal.
type Signal struct{ os.Signal }

func (s Signal) Error() string { return s.String() }

// signalled logs the signal that ended ctx, if one has.
func (a *announcer) signalled(ctx context.Context) {
	var s Signal
	if errors.As(context.Cause(ctx), &s) {
		a.asEtcd(msgSignal, zap.String("signal", s.String()))
	}
}

// ready tells systemd READY=1, until it has taken it. Like etcd it logs so also
// where there is no systemd.
func (a *announcer) ready(st *status.Status) {
	if a.notified {
		return
	}
	if !a.notifying {
		a.notifying = true
		a.asEtcd(msgNotifying)
	}
	if a.send != nil {
		st.Ready = a.notify("READY=1")
		a.notified = st.Ready
	} else {
		a.notified = true
	}
	if a.notified {
		a.asEtcd(msgNotified)
	}
}

func (a *announcer) asEtcd(msg string, fields ...zap.Field) {
	if a.likeEtcd {
		a.log.Info(msg, fields...)
	}
}
