package member

import (
	"cmp"
	"context"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"go.etcd.io/etcd/server/v3/embed"
	layout "go.etcd.io/etcd/server/v3/storage/datadir"
	"go.etcd.io/etcd/server/v3/storage/wal"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/member/admission"
	"github.com/etcd-node/etcd-node/pkg/member/datadir"
	"github.com/etcd-node/etcd-node/pkg/member/disk"
	"github.com/etcd-node/etcd-node/pkg/member/election"
	"github.com/etcd-node/etcd-node/pkg/member/flight"
	"github.com/etcd-node/etcd-node/pkg/member/latency"
	"github.com/etcd-node/etcd-node/pkg/member/peers"
	"github.com/etcd-node/etcd-node/pkg/member/roster"
	"github.com/etcd-node/etcd-node/pkg/pace"
	"github.com/etcd-node/etcd-node/pkg/pipe"
	"github.com/etcd-node/etcd-node/pkg/status"
)

// Options is what a member needs from the outside.
type Options struct {
	// Config is complete and validated; its logger is set up.
	Config *embed.Config
	// Events goes to the supervisor.
	Events *pipe.Writer
	// Commands come from the supervisor; closed when it is gone.
	Commands <-chan pipe.Message
	// Election says which elections this member asks for without waiting.
	Election pipe.Election
	// Guard says what protects its data.
	Guard pipe.Guard
	// Node is what the supervisor knew when it started this process.
	Node *status.Status
	// Version is that of this binary, for the status.
	Version string
	// Terminal: a person reads the log at a terminal, and the supervisor says there
	// why the member ends.
	Terminal bool
	// LastLines sends log lines to the supervisor, which keeps the last; it may be
	// nil.
	LastLines zapcore.Core
}

// member is one run of etcd. Its fields belong to the loop, except for those
// that say otherwise.
type member struct {
	Options
	log     *zap.Logger
	bare    *zap.Logger       // the configuration's; log has listeners around it
	initial []peers.Peer      // the others, by the initial cluster
	names   map[string]string // Peer.Key → name, by the initial cluster
	begins  admission.Identity

	// Each of these works by itself, and all goroutines may ask it.
	observer                  *observer
	heard                     *heard           // in etcd's log
	streams                   election.Streams // the same, of raft's streams
	flight                    *flight.Tracker  // of requests; nil: they wait as long as etcd lets them
	activity                  *pace.Activity   // of its clients
	latency                   *latency.Meter   // of the disk
	probes                    peers.Findings
	asks                      atomic.Pointer[peers.Client] // what asks the peers; nil: it cannot
	outside                   peers.Findings               // of the list's entries that are no members
	listed                    atomic.Pointer[roster.Node]  // node, once it is known
	reserve                   *disk.Keeper
	authorities               authorities
	diskHang                  atomic.Pointer[disk.Wait]        // an access that does not come back
	supervised                atomic.Pointer[status.Status]    // what the supervisor knows
	told                      atomic.Pointer[status.View]      // what it was told last
	elsewhere                 atomic.Pointer[status.Condition] // why the others cannot find this member
	twin                      atomic.Pointer[string]           // where this member runs, too
	starting                  atomic.Pointer[status.Condition] // what the start is at
	etcd                      atomic.Pointer[embed.Etcd]
	ready, stopping, reported atomic.Bool
	closed                    atomic.Bool // etcd's last line has been logged

	started        chan result
	startedAt      time.Time
	dataConditions []status.Condition
	admittedAs     string // why it was known at the start to be another entry of the list than this machine
	quota          quota
	reigns         reigns
	trips          map[string]time.Duration // as they were shown last, by member ID
	node           roster.Node              // by the configuration
	hadData        bool                     // at the start
	forced         bool                     // see status.View
	elector        elector
	leaderSeen     time.Time
	compared       comparison // of the list with the members
	led            bool       // there has been a leader, in this process's time
	sentView       *status.View
	leave          leave
	givingBack     sync.Mutex // held while a turn is given back
}

// Run runs etcd until the supervisor or ctx (a signal) says stop, or until it
// fails, and returns the process's exit code.
func Run(ctx context.Context, o Options) int {
	m := newMember(o)
	var err error
	if m.log, err = m.listen(); err != nil {
		return m.fail(failure.New(failure.IDNotStarted, err.Error()))
	}
	if err := m.exportStatus(); err != nil {
		m.log.Warn("the node's status is not among the metrics", zap.Error(err))
	}
	m.goPastProxies()
	logDataDir(m.log, o.Config.Dir)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if c, err := m.client(); err != nil { // before StartEtcd, which writes to the configuration
		m.log.Warn("cannot probe peers: their TLS settings cannot be used", zap.Error(err))
	} else {
		m.asks.Store(c)
		go c.Watch(ctx, m.peers, &m.probes, m.observer.ask)
		go m.watchTwin(ctx, c.Is)
		go m.watchStrangers(ctx, c)
	}
	m.reserve = m.keeper()
	go m.observer.run(ctx)
	go m.watchDisk(ctx)
	go m.latency.Run(ctx)
	go m.watchPlace(ctx)
	go func() { m.started <- m.open(ctx) }() // StartEtcd takes no context
	return m.loop(ctx)
}

func newMember(o Options) *member {
	m := &member{Options: o, streams: election.NewStreams(), started: make(chan result, 1), activity: new(pace.Activity), latency: latency.New()}
	m.observer = newObserver(func() *observation {
		if e := m.etcd.Load(); e != nil {
			return observe(e.Server, m.ready.Load())
		}
		return nil
	})
	m.heard = newTap(m.observer.ask, m.report).heard
	m.flight = m.newFlight()
	m.quota.limit = quotaOf(o.Config.QuotaBackendBytes)
	m.initial, m.names = peers.Initial(o.Config.InitialCluster, o.Config.Name)
	m.begins = beginsAs(o.Config)
	m.starting.Store(&status.Condition{Text: "opening the data"})
	m.supervised.Store(o.Node)
	return m
}

// report tells the supervisor why the process is about to end; the first
// reason counts, what follows are its consequences. All goroutines may call it.
func (m *member) report(f *failure.Failure) {
	if m.reported.CompareAndSwap(false, true) {
		switch {
		case f.ID == failure.IDWALRepair:
			if space, err := disk.SpaceOf(cmp.Or(m.Config.WalDir, m.Config.Dir)); err == nil {
				f = unrepaired(f, space)
			}
		case f.ID == failure.IDDamaged && f.Wire && datadir.HoldsV2(m.walDir()):
			f = failure.New(failure.IDTooOld, f.Detail)
		}
		_ = m.send(pipe.Message{Kind: pipe.Failing, Failure: f}) // the exit code tells too
	}
}

// walDir is where the WAL is.
func (m *member) walDir() string { return cmp.Or(m.Config.WalDir, layout.ToWALDir(m.Config.Dir)) }

// unrepaired names the full disk where that keeps etcd from mending the end of
// its WAL, of which it makes a copy before: its last words do not.
func unrepaired(f *failure.Failure, space disk.Space) *failure.Failure {
	if space.Available < wal.SegmentSizeBytes {
		return failure.New(failure.IDDiskFull, f.Detail)
	}
	return f
}

// fail reports and logs a failure and returns its exit code.
func (m *member) fail(f *failure.Failure) int {
	m.report(f)
	if m.Terminal {
		return f.Exit
	}
	m.log.Warn("the member ends", zap.String("failure", f.ID), zap.String("cause", f.Error()))
	_ = m.log.Sync() // standard streams cannot be synced
	return f.Exit
}
