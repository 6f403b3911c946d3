package member

import (
	"context"
	"slices"
	"time"

	"go.uber.org/zap"

	"go.etcd.io/etcd/client/pkg/v3/types"
	"go.etcd.io/etcd/server/v3/etcdserver"

	"github.com/etcd-node/etcd-node/pkg/member/peers"
)

const (
	// handoverLimit bounds the wait for another leader. A transfer takes one
	// round trip; where it takes longer the receiver is going away too, and
	// the survivors elect one by themselves.
	handoverLimit = time.Second
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
	m.elector.stop() // who is going away asks for nothing
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
	s := e.Server
	if !m.ready.Load() {
		awaitEntry(s)
	}
	if m.ready.Load() {
		m.handOver(s)
		// Close tells clients to go elsewhere, lets requests in flight end
		// while the server still runs, and then waits for streams that do not
		// end: so it runs beside, and its end is not waited for.
		within(drainLimit, e.Close)
	}
	if !within(hardStopLimit, s.HardStop) {
		m.log.Warn("the etcd server did not stop in time; exiting without it", zap.Duration("limit", hardStopLimit))
	}
	_ = m.log.Sync() // standard streams cannot be synced
}

// awaitEntry waits a moment for the first entry to be stored.
func awaitEntry(s *etcdserver.EtcdServer) {
	poll := time.NewTicker(10 * time.Millisecond)
	defer poll.Stop()
	for limit := time.After(entryLimit); s.CommittedIndex() == 0; {
		select {
		case <-poll.C:
		case <-limit:
			return
		}
	}
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

// handOver gives the leadership, if this member has it, to the member that is
// connected for the longest time, or to the next if that one goes away.
func (m *member) handOver(s *etcdserver.EtcdServer) {
	self := s.MemberID()
	if s.Leader() != self {
		return
	}
	if len(s.Cluster().Members()) == 1 {
		return
	}
	begun, heirs := time.Now(), m.heirs(s)
	for _, id := range heirs {
		ctx, cancel := context.WithTimeout(context.Background(), handoverLimit/time.Duration(len(heirs)))
		defer cancel()
		// MoveLeader itself looks only once per heartbeat whether it is done;
		// the notification comes at once.
		changed := s.LeaderChangedNotify()
		go func() { _ = s.MoveLeader(ctx, uint64(self), uint64(id)) }()
		for !led(s, self) && ctx.Err() == nil && m.isActive(id) {
			select {
			case <-changed:
				changed = s.LeaderChangedNotify()
			case <-m.wakeup: // perhaps the heir went away
			case <-ctx.Done():
			}
		}
		if led(s, self) {
			m.log.Info("handed over the leadership", zap.String("to", s.Leader().String()), zap.Duration("took", time.Since(begun)))
			return
		}
	}
	m.log.Warn("could not hand over the leadership; the others will elect a leader", zap.Duration("took", time.Since(begun)))
}

// led reports whether somebody else leads now.
func led(s *etcdserver.EtcdServer, self types.ID) bool {
	l := s.Leader()
	return l != self && l != 0
}

// heirs are the connected voting members, the longest connected first.
func (m *member) heirs(s *etcdserver.EtcdServer) []types.ID {
	since := map[types.ID]time.Time{}
	var ids []types.ID
	for _, x := range s.Cluster().Members() {
		if x.IsLearner || x.ID == s.MemberID() {
			continue
		}
		p := peers.Peer{ID: x.ID.String(), URLs: x.PeerURLs}
		if t, ok := m.tap.state.activeSince(p.ID); ok && !m.found.Silent(p) {
			since[x.ID] = t
			ids = append(ids, x.ID)
		}
	}
	slices.SortFunc(ids, func(a, b types.ID) int { return since[a].Compare(since[b]) })
	return ids
}

func (m *member) isActive(id types.ID) bool {
	_, ok := m.tap.state.activeSince(id.String())
	return ok
}
