package flight

import (
	"context"
	"sync"
	"time"

	"go.etcd.io/raft/v3"
)

const (
	// tellLimit bounds how long a handover waits until the others know of it: one
	// question each, on connections that are there as a rule. It is what a follower
	// costs that does not answer. A follower's own answer is sent for as long.
	tellLimit = 100 * time.Millisecond
	// settleLimit bounds how long it waits after that until what is under way is
	// committed and answered, here and in those that were told: a few commits, where
	// the disk is not slow. It is what a stock member costs, which never says so: a
	// tenth of a second for each handover. Where a commit was slower of late it is
	// twice as long as that one, for a follower's takes a way to the leader more; and
	// settleMax at most, which few clients notice and no stop.
	settleLimit, settleMax = 100 * time.Millisecond, 300 * time.Millisecond
	// settlePoll is how late it is seen that all is committed.
	settlePoll = time.Millisecond
	// keepLimit is how long a follower keeps requests back for a handover that it was
	// told of and that does not come. It bounds what a leader costs that thinks better
	// of it; one that dies is replaced sooner. It is longer than the two above, an
	// election on a disk that takes 100 ms for a write, and some round trips.
	keepLimit = time.Second
	// transferPoll is how late it is seen that raft has given up a transfer: about a
	// tick, in which it looks at that itself.
	transferPoll = 10 * time.Millisecond
)

// gate keeps requests back.
type gate struct {
	opened  chan struct{}   // closed when it opens
	settled chan struct{}   // closed when nothing is under way any more
	holds   int             // how many keep it closed
	drained map[uint64]bool // the others that say so of themselves; nil: nobody was asked
}

// Hold prepares a handover of the leadership, so that no request falls into it:
// a leader that hands over drops what is proposed to it meanwhile. To its own
// clients etcd then says "raft proposal dropped", and to those of the followers
// nothing. So new requests are kept back, here and by the followers, and Hold
// returns when those under way are answered, here and by the followers, which say
// so; or after [tellLimit] and [settleMax] at most. The requests go on when the leader
// has changed, when release was called and raft is in no transfer, or at the latest
// when raft gives up a transfer that has begun right after.
//
// That a follower has its own answers is all that is needed: what it had
// forwarded is in the log then, whichever way it took. (Its word would prove less on
// its own: it comes by HTTP, and overtakes what rafthttp sends on a stream.)
//
// In a member that does not lead Hold does nothing.
func (t *Tracker) Hold(ctx context.Context) (release func()) {
	s := t.leads()
	if s == nil {
		return func() {}
	}
	// Raft gives up a transfer an election timeout after that one has begun, and it
	// begins when this is over.
	g, open := t.close(tellLimit + settleMax + t.opts.Timeout)
	t.mu.Lock()
	g.drained = map[uint64]bool{} // what was said before this question counts no more
	t.mu.Unlock()
	told, cancel := context.WithTimeout(ctx, tellLimit)
	defer cancel()
	t.settle(ctx, s, g, s.Tell(told))
	return func() { t.release(s, g, open) }
}

// release opens the gate once raft is in no transfer. The caller of etcd's
// MoveLeader may have given up waiting for one that goes on, and drops proposals; or
// etcd has refused to begin one.
func (t *Tracker) release(s Server, g *gate, open func()) {
	if !s.Transferring() {
		open()
		return
	}
	go func() {
		defer open()
		poll := time.NewTicker(transferPoll)
		defer poll.Stop()
		for s.Transferring() {
			select {
			case <-poll.C:
			case <-g.opened:
				return
			}
		}
	}()
}

// leads returns the server if this member leads, or nil.
func (t *Tracker) leads() Server {
	t.mu.Lock()
	s := t.server
	t.mu.Unlock()
	if s != nil {
		if id, _ := s.Leader(); id == s.Self() {
			return s
		}
	}
	return nil
}

// mayMove reports whether etcd will take the request of a client to hand the
// leadership to a member.
func (t *Tracker) mayMove(ctx context.Context, to uint64) bool {
	s := t.leads()
	return s != nil && s.MayMove(ctx, to)
}

// settle waits until nothing is under way: here, in those that were told, and in
// the log.
func (t *Tracker) settle(ctx context.Context, s Server, g *gate, told []uint64) {
	limit := min(settleMax, max(settleLimit, 2*t.slowest(time.Now())))
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	poll := time.NewTicker(settlePoll)
	defer poll.Stop()
	answered := g.settled
	for answered != nil || !t.drained(g, told) || !s.Committed() {
		select {
		case <-answered:
			answered = nil
		case <-poll.C:
		case <-ctx.Done():
			return
		}
	}
}

// drained reports whether all of these have said that nothing of theirs is under
// way.
func (t *Tracker) drained(g *gate, told []uint64) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, id := range told {
		if !g.drained[id] {
			return false
		}
	}
	return true
}

// told notes what another member has said: the leader that it hands over the
// leadership, or one that was told so that nothing of its own is under way. The two
// are the same message, and are not mistaken for each other: a leader follows
// nobody, and a follower has asked nobody and believes its leader only. It is
// called by raft's own goroutine.
func (t *Tracker) told(by uint64) {
	t.mu.Lock()
	s := t.server
	asked := t.gate != nil && t.gate.drained != nil
	if asked {
		t.gate.drained[by] = true
	}
	follows := by != raft.None && by == t.following
	t.mu.Unlock()
	if asked || !follows {
		return
	}
	// Again if it is told again: that one has begun anew, and waits for an answer.
	if g, _ := t.close(keepLimit); s != nil {
		go t.answer(s, g, by)
	}
}

// answer tells the leader, once it is so, that nothing is under way here.
func (t *Tracker) answer(s Server, g *gate, leader uint64) {
	select {
	case <-g.settled:
	case <-g.opened: // it has ceased to wait, or another leads
		return
	}
	t.mu.Lock()
	still := t.gate == g && t.following == leader
	t.mu.Unlock()
	if still {
		ctx, cancel := context.WithTimeout(context.Background(), tellLimit)
		defer cancel()
		s.Answer(ctx, leader)
	}
}

// close keeps requests back until open is called, or for limit; and longer if
// others keep them back too. It may be called by raft's own goroutine.
func (t *Tracker) close(limit time.Duration) (g *gate, open func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.gate == nil {
		t.gate = &gate{opened: make(chan struct{}), settled: make(chan struct{})}
		t.settled()
	}
	g = t.gate
	g.holds++
	open = sync.OnceFunc(func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if g.holds--; g.holds == 0 {
			t.open(g)
		}
	})
	time.AfterFunc(limit, open)
	return g, open
}

// open lets requests go on that this gate keeps back. Call it under the lock.
func (t *Tracker) open(g *gate) {
	if t.gate == g && g != nil {
		t.gate = nil
		close(g.opened)
	}
}

// openAny opens the gate that there is, whoever keeps it closed.
func (t *Tracker) openAny() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.open(t.gate)
}
