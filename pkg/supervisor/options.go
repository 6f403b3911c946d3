package supervisor

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/identity"
	"github.com/etcd-node/etcd-node/pkg/status"
	"github.com/etcd-node/etcd-node/pkg/supervisor/recorder"
)

// Options is what a supervisor needs from the outside. The loop calls all
// funcs, except Prepare, which runs in a goroutine of its own.
type Options struct {
	Log *zap.Logger
	// LikeEtcd: what etcd's main would log is logged too, word for word.
	LikeEtcd bool

	// Notify sends one message to systemd, in bounded time, because the loop
	// waits for it; see [Notifier]. Nil means that no service manager waits.
	// Then any failure before the first Serving ends Run, as scripts and test
	// suites expect of etcd.
	Notify func(assignments ...string) error
	// Watchdog is systemd's WATCHDOG_USEC; 0 where there is none.
	Watchdog time.Duration

	// StartTimeout bounds the time to the first Serving; 0 = for ever.
	StartTimeout time.Duration

	// Prepare finds out what to launch. It may wait (for an address), tells
	// say what it waits for, and ends with ctx. An error that is a
	// *failure.Failure is treated by its class, any other as permanent.
	Prepare func(ctx context.Context, say func(reason string)) (Launch, error)
	// Renew finds out what a wish comes to (see [Supervisor.Renew]), in the caller's
	// goroutine. SetLevel sets the level of Log; nil: it stays.
	Renew    func(ctx context.Context, environ []string) (Renewal, error)
	SetLevel func(level string)
	// Version is that of this binary, for the status.
	Version string
	// Start starts the member process.
	Start func(Launch) (*Process, error)

	// Delay is how long to wait before the n-th attempt (from 0) since the
	// member last was healthy: [Delay], except in tests.
	Delay func(class failure.Class, n int) time.Duration
	// Force, when closed, ends a stop that takes its time.
	Force <-chan struct{}

	// HangLimit is for how long the member may be silent, counted in the
	// loop's own ticks of a second; 0: 10 s.
	HangLimit time.Duration
	// Record keeps an event in the flight recorder, Pin which member lives
	// here. Neither may wait for a disk. Nil: they are not kept.
	Record func(recorder.Record)
	Pin    func(identity.Pin)
	// Explains says that `etcd-node explain` finds what Record keeps without being
	// told where.
	Explains bool
	// Values are what is known of this node before it is known what to launch, for
	// the next steps of a failure.
	Values map[string]string
	// Conditions says what is wrong with this node besides its member, once a
	// second. Nil: nothing is known.
	Conditions func() []status.Condition
	// Notices says, as often, what deserves a word now besides what the launch
	// said. Nil: nothing does.
	Notices func() []string
	// Certificates are those in use, as often. Nil: none are.
	Certificates func() []status.Certificate
	// OOMKills counts the processes that the kernel has killed here for want
	// of memory. Nil, or false: it cannot be known.
	OOMKills func() (uint64, bool)
	// LastEnd is how the member ended under an earlier supervisor.
	LastEnd *status.End
}
