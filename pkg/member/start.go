package member

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	humanize "github.com/dustin/go-humanize"

	"go.etcd.io/etcd/server/v3/embed"
	"go.etcd.io/etcd/server/v3/etcdserver"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/member/election"
	"github.com/etcd-node/etcd-node/pkg/member/roster"
	"github.com/etcd-node/etcd-node/pkg/status"
)

const (
	// readTimeout bounds one try of the linearizable read before ready.
	readTimeout = time.Second
	// readPause is the pause between two tries: an error can come at once.
	readPause = 50 * time.Millisecond
	// largeDB is from where on the opening of the data is worth a word: etcd
	// reads about 200 MB a second into its index.
	largeDB = 50 << 20
)

// result is what came of the start.
type result struct {
	etcd       *embed.Etcd
	failed     *failure.Failure
	conditions []status.Condition // of the data, true for as long as etcd runs
	node       roster.Node        // by the configuration, and where it listens
	misplaced  string             // see admission.Admission
	hadData    bool
	elector    *election.Elector // nil: etcd's timers alone decide
	forced     bool              // --force-new-cluster is set, and counts no more
}

// open starts etcd, unless the data forbids it. It can block without limit.
func (m *member) open(ctx context.Context) result {
	m.startAt(status.Condition{Text: opening(m.Config)})
	if err := loadTLS(m.Config); err != nil {
		return result{failed: failure.New(failure.IDTLSFile, err.Error())}
	}
	admitted, f := m.admit(ctx)
	if f != nil {
		return result{failed: f}
	}
	if admitted.Joins {
		m.Config.ClusterState = embed.ClusterStateFlagExisting
	}
	m.startAt(status.Condition{Text: opening(m.Config)})
	m.authorities.remember(m.Config.PeerTLSInfo.TrustedCAFile, m.Config.ClientTLSInfo.TrustedCAFile)
	node := m.follow(admitted)                                      // by the configured list
	go m.minder().Run(ctx)                                          // before there are connections, and where it now listens
	if admitted.InitialCluster != "" && m.Config.DNSCluster == "" { // etcd takes one of the two
		m.Config.InitialCluster = admitted.InitialCluster
	}
	forced := m.Config.ForceNewCluster
	if admitted.Unforced {
		m.Config.ForceNewCluster = false
	}
	m.reserve.Poll() // etcd must find the space that it gives
	e, err := embed.StartEtcd(m.Config)
	if err == nil {
		return result{
			etcd: e, conditions: admitted.Conditions, elector: m.newElector(e.Server),
			misplaced: admitted.Misplaced, forced: forced, node: node, hadData: len(admitted.Members) > 0,
		}
	}
	f = failure.FromError(err)
	if f == nil || admitted.InitialCluster != "" && f.ID == failure.IDConfiguration {
		// The live list was not ours to get wrong: it has changed meanwhile.
		f = failure.New(failure.IDNotStarted, err.Error())
	}
	return result{failed: f}
}

// startAt says what the start is at, and the ID of the catalogue's entry if it
// waits for something that is wrong.
func (m *member) startAt(step status.Condition) {
	m.starting.Store(&step)
	m.observer.ask()
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

// awaitReady makes the member ready: published in this start, and one
// linearizable read answered. A learner answers none and is ready without.
func (m *member) awaitReady(ctx context.Context, s *etcdserver.EtcdServer) {
	select {
	case <-s.ReadyNotify():
	case <-s.StopNotify():
		return
	case <-ctx.Done():
		return
	}
	for !isLearner(s) {
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
		case <-time.After(readPause):
		}
	}
	m.ready.Store(true)
	m.observer.ask()
}

// isLearner reports whether this member is one. etcd's own IsLearner panics in
// a member that was removed.
func isLearner(s *etcdserver.EtcdServer) bool {
	self := s.Cluster().Member(s.MemberID())
	return self != nil && self.IsLearner
}
