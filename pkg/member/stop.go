package member

import (
	"context"
	"slices"
	"time"

	"go.uber.org/zap"

	"go.etcd.io/etcd/client/pkg/v3/types"
	"go.etcd.io/etcd/server/v3/etcdserver/api/membership"
)

const (
	// electorLimit bounds the wait for the elector, which ends at once unless
	// etcd keeps the list of members locked for it.
	electorLimit = 100 * time.Millisecond
	// handoverLimit bounds the wait for another leader. A transfer takes one
	// round trip; where it takes longer the receiver is going away too, and
	// the survivors elect one by themselves.
	handoverLimit = time.Second
	// heirPoll is how late it is seen that an heir has gone away.
	heirPoll = 10 * time.Millisecond
	// entryLimit is how long the first entry may take that makes a new data
	// dir one that can be started again: it is one write to the disk.
	entryLimit = 200 * time.Millisecond
	// drainLimit is how long requests in flight may take to end after the
	// clients were told to go. Watches never end, so this is what a stop with
	// watches open costs.
	drainLimit = 100 * time.Millisecond
	// hardStopLimit bounds the server's own stop: it waits for a disk write
	// that may hang. Exiting without it is a crash, which etcd survives.
	hardStopLimit = 500 * time.Millisecond
)

// stop stops the server as well as it can in little time. It may leave
// goroutines behind: the process ends right after.
func (m *member) stop() {
	m.stopping.Store(true)
	within(electorLimit, m.elector.stop) // a member that goes away asks for no election
	e := m.etcd.Load()
	if e == nil {
		// In the middle of a first start there is a WAL without entries, from
		// which a cluster of one cannot go on: let it come to its first one.
		select {
		case r := <-m.started:
			if e = r.etcd; e == nil {
				return
			}
		case <-time.After(hardStopLimit):
			return
		}
	}
	s := shutdown{
		leadership: e.Server, committed: e.Server.CommittedIndex, close: e.Close, hardStop: e.Server.HardStop,
		closed: func() { logClosed(m.log, m.Config) }, hold: m.hold,
		self: e.Server.MemberID(), connected: m.isConnected, log: m.log,
	}
	if o := m.observer.last.Load(); o != nil {
		s.alone, s.heirs = soleVoter(o), m.heirs(o)
	}
	s.run(m.ready.Load())
	_ = m.log.Sync() // standard streams cannot be synced
}

// soleVoter reports whether nobody else could lead: there is no other voting
// member. Learners are not elected.
func soleVoter(o *observation) bool {
	return !slices.ContainsFunc(o.others(), func(x *membership.Member) bool { return !x.IsLearner })
}

// heirs are the connected voting members, the longest connected first.
func (m *member) heirs(o *observation) []types.ID {
	since := map[types.ID]time.Time{}
	var ids []types.ID
	for _, x := range o.others() {
		p := peerOf(x)
		if t, ok := m.heard.connectedSince(p.ID); ok && !x.IsLearner && !m.probes.Silent(p) {
			since[x.ID] = t
			ids = append(ids, x.ID)
		}
	}
	slices.SortFunc(ids, func(a, b types.ID) int { return since[a].Compare(since[b]) })
	return ids
}

func (m *member) isConnected(id types.ID) bool {
	_, ok := m.heard.connectedSince(id.String())
	return ok
}

// leadership is what a stop hands over.
type leadership interface {
	Leader() types.ID
	LeaderChangedNotify() <-chan struct{}
	// MoveLeader returns when the transfer is done, which it looks at only
	// once per heartbeat.
	MoveLeader(ctx context.Context, from, to uint64) error
}

// shutdown is one stop of a server.
type shutdown struct {
	leadership
	committed func() uint64
	// close tells clients to go elsewhere, lets requests in flight end while
	// the server still runs, and then waits for streams that do not end. closed
	// says what it says last.
	close, hardStop, closed func()
	// hold keeps requests back until it is released, because raft drops what is
	// proposed during a transfer.
	hold      func(context.Context) (release func())
	self      types.ID
	alone     bool       // nobody else in its cluster could lead
	heirs     []types.ID // the best first
	connected func(types.ID) bool
	log       *zap.Logger
}

func (s shutdown) run(ready bool) {
	if ready {
		s.handOver()
		within(drainLimit, s.close)
	} else {
		s.awaitEntry()
	}
	if !within(hardStopLimit, s.hardStop) {
		s.log.Warn("the etcd server did not stop in time; exiting without it", zap.Duration("limit", hardStopLimit))
		return
	}
	if ready {
		s.closed()
	}
}

// awaitEntry waits a moment for the first entry to be stored.
func (s shutdown) awaitEntry() {
	poll := time.NewTicker(10 * time.Millisecond)
	defer poll.Stop()
	for limit := time.After(entryLimit); s.committed() == 0; {
		select {
		case <-poll.C:
		case <-limit:
			return
		}
	}
}

// handOver gives the leadership, if this member has it, to the first heir, or
// to the next if that one goes away.
func (s shutdown) handOver() {
	if s.Leader() != s.self || s.alone {
		return
	}
	begun := time.Now()
	if len(s.heirs) > 0 { // else there is nothing to prepare
		defer s.hold(context.Background())()
	}
	for _, heir := range s.heirs {
		if s.moveTo(heir, handoverLimit/time.Duration(len(s.heirs))) {
			s.log.Info("handed over the leadership", zap.String("to", s.Leader().String()), zap.Duration("took", time.Since(begun)))
			return
		}
	}
	s.log.Warn("could not hand over the leadership; the others will elect a leader", zap.Duration("took", time.Since(begun)))
}

// moveTo reports whether another member leads now, the heir most likely. It
// gives up when the heir goes away or cannot lead.
func (s shutdown) moveTo(heir types.ID, limit time.Duration) bool {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	changed := s.LeaderChangedNotify()
	refused := make(chan struct{})
	go func() {
		if s.MoveLeader(ctx, uint64(s.self), uint64(heir)) != nil {
			close(refused)
		}
	}()
	poll := time.NewTicker(heirPoll)
	defer poll.Stop()
	for !s.otherLeads() && s.connected(heir) {
		select {
		case <-changed:
			changed = s.LeaderChangedNotify()
		case <-poll.C:
		case <-refused: // also when ctx ends
			return s.otherLeads()
		case <-ctx.Done(): // MoveLeader itself may be blocked
			return s.otherLeads()
		}
	}
	return s.otherLeads()
}

func (s shutdown) otherLeads() bool {
	l := s.Leader()
	return l != s.self && l != 0
}

// within runs f and reports whether it ended within d. It goes on if not.
func within(d time.Duration, f func()) bool {
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	select {
	case <-done:
		return true
	case <-time.After(d):
		return false
	}
}
