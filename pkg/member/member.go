package member

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	humanize "github.com/dustin/go-humanize"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"go.etcd.io/etcd/server/v3/embed"
	"go.etcd.io/etcd/server/v3/storage/wal"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/member/disk"
	"github.com/etcd-node/etcd-node/pkg/member/election"
	"github.com/etcd-node/etcd-node/pkg/member/peers"
	"github.com/etcd-node/etcd-node/pkg/pipe"
	"github.com/etcd-node/etcd-node/pkg/status"
)

const (
	// beatInterval is how often the supervisor hears that the loop is alive.
	beatInterval = time.Second
	// pollInterval bounds how late a change is seen that nothing announces:
	// membership, alarms, a learner's promotion.
	pollInterval = 500 * time.Millisecond
	// readTimeout bounds one try of the linearizable read before ready.
	readTimeout = time.Second
	// largeDB is from where on the opening of the data is worth a word: etcd
	// reads about 200 MB a second into its index.
	largeDB = 50 << 20
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
	// Ring keeps the last log lines for the supervisor; it may be nil.
	Ring zapcore.Core
}

type member struct {
	Options
	log       *zap.Logger
	tap       tap
	found     peers.Findings
	wakeup    chan struct{}
	initial   []peers.Peer
	names     map[string]string // peer URLs → name, by the initial cluster
	started   chan result       // of StartEtcd
	etcd      atomic.Pointer[embed.Etcd]
	startedAt time.Time
	ready     atomic.Bool
	progress  string
	sent      *status.View
	reported  atomic.Bool
	stopping  atomic.Bool
	streams   election.Streams
	elector   elector
	reserve   *disk.Keeper
	hangs     atomic.Pointer[disk.Wait]        // an access to the disk
	waits     atomic.Pointer[status.Condition] // for what, before etcd
	standing  []status.Condition               // found before the start, and true as long as it runs

	leaderlessSince time.Time
}

// result is what came of the start.
type result struct {
	etcd     *embed.Etcd
	failed   *failure.Failure
	standing []status.Condition
}

// open starts etcd, unless the data forbids it. It can block without limit.
func (m *member) open(ctx context.Context) result {
	admitted, f := m.admit(ctx)
	if f != nil {
		return result{failed: f}
	}
	if admitted.Joins {
		m.Config.ClusterState = embed.ClusterStateFlagExisting
	}
	m.waits.Store(nil)
	m.reserve.Poll() // etcd must find the space that it gives
	e, err := embed.StartEtcd(m.Config)
	if err == nil {
		return result{etcd: e, standing: admitted.Conditions}
	}
	if f = failure.FromError(err); f == nil {
		f = failure.New(failure.IDNotStarted, err.Error())
	}
	return result{failed: f}
}

// Run runs etcd until the supervisor or ctx (a signal) says stop, or until it
// fails, and returns the process's exit code.
func Run(ctx context.Context, o Options) int {
	m := &member{Options: o, wakeup: make(chan struct{}, 1), started: make(chan result, 1)}
	m.tap, m.streams = newTap(m.wake, m.report), election.NewStreams()
	base := o.Config.GetLogger()
	m.log = base.WithOptions(zap.WrapCore(func(c zapcore.Core) zapcore.Core {
		cores := []zapcore.Core{calm{c, &m.stopping}, m.tap, m.streams}
		if o.Ring != nil {
			cores = append(cores, o.Ring)
		}
		return zapcore.NewTee(cores...)
	}))
	o.Config.ZapLoggerBuilder = embed.NewZapLoggerBuilder(m.log)
	if err := o.Config.ZapLoggerBuilder(o.Config); err != nil {
		return m.fail(failure.New(failure.IDNotStarted, err.Error()))
	}
	o.Config.SetupGlobalLoggers()
	m.initial, m.names = peers.Initial(o.Config.InitialCluster, o.Config.Name)
	m.progress = opening(o.Config)

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if c, err := m.client(); err != nil { // before StartEtcd, which writes to the configuration
		m.log.Warn("cannot probe peers: their TLS settings cannot be used", zap.Error(err))
	} else {
		go c.Watch(ctx, m.peers, &m.found, m.wake)
	}

	m.reserve = m.keeper()
	go m.watchDisk(ctx)
	go m.minder().Run(ctx)
	go func() { m.started <- m.open(ctx) }() // StartEtcd takes no context

	beat, poll := time.NewTicker(beatInterval), time.NewTicker(pollInterval)
	defer beat.Stop()
	defer poll.Stop()
	var (
		errs    <-chan error
		stopped <-chan struct{}
		leader  <-chan struct{}
	)
	m.tell()
	for {
		select {
		case <-ctx.Done():
			m.report(failure.New(failure.IDSignalled, ""))
			m.stop()
			return failure.ExitFailure
		case c, ok := <-o.Commands:
			if !ok {
				// The supervisor is gone: ports and locks must be free before
				// its successor starts.
				return failure.ExitFailure
			}
			if c.Kind == pipe.Stop {
				m.stop()
				return failure.ExitOK
			}
		case r := <-m.started:
			if r.failed != nil {
				return m.fail(r.failed)
			}
			m.standing = r.standing
			go m.reserve.Run(ctx)
			m.etcd.Store(r.etcd)
			m.startedAt = time.Now()
			m.progress = ""
			errs, stopped, leader = r.etcd.Err(), r.etcd.Server.StopNotify(), r.etcd.Server.LeaderChangedNotify()
			m.elect(ctx)
			go m.awaitReady(ctx)
		case err := <-errs:
			return m.fail(m.endOf(fmt.Sprint(err)))
		case <-stopped:
			return m.fail(m.endOf("the etcd server stopped"))
		case <-leader:
			leader = m.etcd.Load().Server.LeaderChangedNotify()
		case <-beat.C:
			_ = m.send(pipe.Message{Kind: pipe.Beat}) // the next one is a second away
		case <-m.wakeup:
		case <-poll.C:
		}
		m.tell()
		if f := m.stuck(); f != nil {
			return m.fail(f)
		}
	}
}

// awaitReady makes the member ready: published in this start, and one
// linearizable read answered. A learner answers none and is ready without.
func (m *member) awaitReady(ctx context.Context) {
	s := m.etcd.Load().Server
	select {
	case <-s.ReadyNotify():
	case <-s.StopNotify():
		return
	case <-ctx.Done():
		return
	}
	for !m.isLearner() {
		readCtx, cancel := context.WithTimeout(ctx, readTimeout)
		err := s.LinearizableReadNotify(readCtx)
		cancel()
		if err == nil {
			break
		}
		select {
		case <-s.StopNotify():
			return
		case <-ctx.Done():
			return
		case <-time.After(pollInterval / 10): // an error can come at once
		}
	}
	m.ready.Store(true)
	m.wake()
}

// isLearner reports whether this member is one. etcd's own IsLearner panics in
// a member that was removed.
func (m *member) isLearner() bool {
	s := m.etcd.Load().Server
	self := s.Cluster().Member(s.MemberID())
	return self != nil && self.IsLearner
}

// endOf says why the server ended by itself. Its own word in the log comes
// before what its listeners say, which is only that it ended.
func (m *member) endOf(text string) *failure.Failure {
	s := m.etcd.Load().Server
	if f := m.tap.state.why(); f != nil {
		return f
	}
	if s.IsIDRemoved(uint64(s.MemberID())) {
		return failure.New(failure.IDRemoved, "")
	}
	if f := failure.FromText(text); f != nil {
		return f
	}
	return failure.New(failure.IDServerStopped, text)
}

// report tells the supervisor why the process is about to end; the first
// reason counts, what follows are its consequences.
func (m *member) report(f *failure.Failure) {
	if m.reported.CompareAndSwap(false, true) {
		if f.ID == failure.IDWALRepair {
			if space, err := disk.SpaceOf(cmp.Or(m.Config.WalDir, m.Config.Dir)); err == nil {
				f = unrepaired(f, space)
			}
		}
		_ = m.send(pipe.Message{Kind: pipe.Failing, Failure: f}) // the exit code tells too
	}
}

// unrepaired names what keeps etcd from mending the end of its WAL, which it
// copies before: etcd's last words do not, where it is that there is no room.
func unrepaired(f *failure.Failure, space disk.Space) *failure.Failure {
	if space.Available < wal.SegmentSizeBytes {
		return failure.New(failure.IDDiskFull, f.Detail)
	}
	return f
}

// fail reports and logs a failure and returns its exit code.
func (m *member) fail(f *failure.Failure) int {
	m.report(f)
	m.log.Warn("the member ends", zap.String("failure", f.ID), zap.String("cause", f.Error()))
	_ = m.log.Sync() // standard streams cannot be synced
	return f.Exit
}

// send tells the supervisor. The loop goes on if it cannot: liveness does not
// depend on being heard, and if the supervisor is gone the lifeline says so.
func (m *member) send(msg pipe.Message) error {
	err := m.Events.Send(msg)
	if err != nil {
		m.log.Debug("cannot tell the supervisor", zap.Error(err))
	}
	return err
}

func (m *member) wake() {
	select {
	case m.wakeup <- struct{}{}:
	default: // woken already
	}
}

// opening says what a start with this data will be doing for a while.
func opening(cfg *embed.Config) string {
	db := filepath.Join(cfg.Dir, "member", "snap", "db")
	if info, err := os.Stat(db); err == nil && info.Size() > largeDB {
		return fmt.Sprintf("opening the database (%s)", humanize.IBytes(uint64(info.Size())))
	}
	if cfg.ClusterState == embed.ClusterStateFlagExisting {
		return "asking the cluster for its members"
	}
	return "opening the data"
}
