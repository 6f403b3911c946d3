package supervisor

import (
	"context"
	"errors"
	"maps"
	"time"

	"github.com/etcd-node/etcd-node/pkg/config/settings"
	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/pipe"
	"github.com/etcd-node/etcd-node/pkg/status"
)

// StopTimeout is after what a member that was told to stop is killed: twice
// the 1.6 s that its own limits (handover, drain, hard stop) add up to.
const StopTimeout = 3 * time.Second

// Launch is a member that is ready to be started.
type Launch struct {
	Args    []string          // etcd flags, no secrets among them
	Secrets map[string]string // etcd flag → value, sent over the pipe
	Values  map[string]string // this node's values for the next steps of a failure

	// Sent over the pipe too: etcd has no such flags.
	Election pipe.Election
	Guard    pipe.Guard
	Terminal bool // a person reads the log at a terminal

	ReadyAll    bool          // READY needs every voting member connected
	StopTimeout time.Duration // after which a member that was told to stop is killed
	Notices     []string
	Found       string // where the node's name and address come from
	// Exe is the binary of the member, as a path; "" is that of this process. Environ
	// is what it gets of the environment; nil is that of this process, too.
	Exe     string
	Environ []string
	// Level is the log's; "": it stays.
	Level string
	// HangLimit is that of [Options]; 0: it stays.
	HangLimit time.Duration
	// Greeting is what a person at a terminal is told once the member serves; ""
	// for nothing.
	Greeting string
	// LastEnd is how the member ended under an earlier supervisor, where only the
	// preparation could find it.
	LastEnd *status.End
}

// NewLaunch is the launch of a configuration. values are this node's own.
func NewLaunch(r *settings.Resolved, values map[string]string) Launch {
	return Launch{
		Args:     r.Args(),
		Secrets:  r.Secrets(),
		Values:   values,
		Election: pipe.Election{Failover: r.Node.Failover, HostSilence: r.Node.HostSilence, Start: r.Node.FastStart},
		Guard: pipe.Guard{
			Reserve: r.Node.DiskReserve, Unconfigured: r.LoopbackOnly, Derived: r.Derived("listen-peer-urls"), ForcedBy: r.SetAt("force-new-cluster"),
			BootstrapWait: r.Node.BootstrapWait, StateSource: r.SetAt("initial-cluster-state"), NameSource: r.SetAt("name"), Values: values,
		},
		ReadyAll:    r.Node.ReadyAll,
		StopTimeout: StopTimeout,
		HangLimit:   r.Node.HangLimit,
	}
}

// preparation runs Options.Prepare beside the loop, because it may wait.
type preparation struct {
	prepare func(ctx context.Context, say func(reason string)) (Launch, error)
	cancel  context.CancelFunc // of the one that runs
	reasons chan string        // what it waits for
	results chan prepared
}

type prepared struct {
	launch Launch
	err    error
}

func newPreparation(prepare func(context.Context, func(string)) (Launch, error)) preparation {
	return preparation{prepare: prepare, reasons: make(chan string), results: make(chan prepared, 1)}
}

// begin begins a preparation. Its result comes through p.results, also after
// cancel.
func (p *preparation) begin(ctx context.Context) {
	// Only the loop cancels it, when it stops: else the loop could hear that the
	// preparation has ended before it hears why, and take that for a failure.
	ctx, p.cancel = context.WithCancel(context.WithoutCancel(ctx))
	go func(cancel context.CancelFunc) {
		defer cancel()
		launch, err := p.prepare(ctx, func(reason string) {
			select {
			case p.reasons <- reason:
			case <-ctx.Done():
			}
		})
		p.results <- prepared{launch, err}
	}(p.cancel)
}

// prepare finds out what to launch.
func (s *Supervisor) prepare(ctx context.Context) {
	s.enter(status.Starting, "finding this node's address and name")
	s.preparation.begin(ctx)
}

// onWaiting shows what the preparation waits for. However the member ended
// before: it is this wait that the start is in now, and it may take its time.
func (s *Supervisor) onWaiting(reason string) {
	if s.st.State == status.Starting {
		s.policy.progressed()
		s.st.Reason = reason
		s.look() // the entry that explains it comes with it
	}
}

func (s *Supervisor) onPrepared(p prepared) {
	switch {
	case s.st.State == status.Stopping: // the stop waited for Prepare to end
		s.finish()
	case s.renewal != nil: // which has put an end to it
		s.renew()
	case p.err != nil:
		var f *failure.Failure
		if !errors.As(p.err, &f) {
			f = failure.New(failure.IDConfiguration, "")
			f.Cause = p.err.Error()
		}
		s.onFailure(f, Exit{}, false)
	default:
		s.launch = &p.launch
		s.st.Values = p.launch.Values
		if s.st.LastEnd == nil {
			s.st.LastEnd = p.launch.LastEnd
		}
		s.look()
		s.start()
	}
}

// onRetry makes the next attempt after a backoff.
func (s *Supervisor) onRetry(ctx context.Context) {
	s.retry = nil
	if s.launch == nil {
		s.prepare(ctx)
	} else {
		s.start()
	}
}

// guard is the launch's. It is patient where a service manager waits, because
// only there somebody sees why a start takes long.
func (s *Supervisor) guard() pipe.Guard {
	g := s.launch.Guard
	g.Patient, g.Forced = s.policy.managed, s.forced
	return g
}

// valuesFor are the values for the next steps of a failure: the node's own,
// and where those say nothing what etcd's own words tell.
func (s *Supervisor) valuesFor(f *failure.Failure) map[string]string {
	v := map[string]string{"member-id": s.st.View.MemberID, "cluster-id": s.st.View.ClusterID}
	maps.Copy(v, s.opts.Values)
	if s.launch != nil {
		if p := s.launch.Guard.Pin; p != nil && v["member-id"] == "" {
			v["member-id"], v["cluster-id"] = p.MemberID, p.ClusterID
		}
		maps.Copy(v, s.launch.Values)
	}
	if s.st.View.Auth {
		v["auth"] = "true"
	}
	for key, value := range f.Values {
		if v[key] == "" {
			v[key] = value
		}
	}
	return v
}
