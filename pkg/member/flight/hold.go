package flight

import (
	"context"
	"time"

	"go.etcd.io/raft/v3"
)

const (
	// tellLimit bounds how long a handover waits until the others know of it: one
	// question each, on connections that are there as a rule. It is what a follower
	// costs that does not answer.
	tellLimit = 100 * time.Millisecond
	// settleLimit bounds how long it waits after that until what is under way is
	// committed and answered: a few commits, where the disk is not slow.
	settleLimit = 100 * time.Millisecond
	// settlePoll is how late it is seen that all is committed.
	settlePoll = time.Millisecond
	// keepLimit is how long a follower keeps requests back for a handover that it was
	// told of and that does not come. It bounds what a leader costs that dies, or
	// thinks better of it.
	keepLimit = 500 * time.Millisecond
)

// gate keeps requests back.
type gate struct {
	opened  chan struct{} // closed when it opens
	settled chan struct{} // closed when nothing is under way any more
}

// Hold prepares a handover of the leadership, so that no request falls into it:
// a leader that hands over drops what is proposed to it meanwhile. To its own
// clients etcd then says "raft proposal dropped", and to those of the followers
// nothing. So new requests are kept back, here and by the followers, and Hold
// returns when those under way are answered, or after [tellLimit] and
// [settleLimit]. They go on when the leader has changed, when release is called,
// or after an election timeout, when raft gives up the transfer.
//
// In a member that does not lead it does nothing.
func (t *Tracker) Hold(ctx context.Context) (release func()) {
	s := t.leads()
	if s == nil {
		return func() {}
	}
	g := t.close(t.opts.Timeout)
	told, cancel := context.WithTimeout(ctx, tellLimit)
	defer cancel()
	s.Tell(told)
	t.settle(ctx, s, g)
	return func() { t.open(g) }
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

// settle waits until nothing is under way, here and in the log.
func (t *Tracker) settle(ctx context.Context, s Server, g *gate) {
	ctx, cancel := context.WithTimeout(ctx, settleLimit)
	defer cancel()
	poll := time.NewTicker(settlePoll)
	defer poll.Stop()
	answered := g.settled
	for answered != nil || !s.Committed() {
		select {
		case <-answered:
			answered = nil
		case <-poll.C:
		case <-ctx.Done():
			return
		}
	}
}

// told notes that a member says that it hands over the leadership. It counts if
// that one leads.
func (t *Tracker) told(by uint64) {
	t.mu.Lock()
	follows := by != raft.None && by == t.following
	t.mu.Unlock()
	if follows {
		t.close(keepLimit)
	}
}

// close keeps requests back, for limit at most.
func (t *Tracker) close(limit time.Duration) *gate {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.gate != nil { // somebody else keeps them back already
		return t.gate
	}
	g := &gate{opened: make(chan struct{}), settled: make(chan struct{})}
	if t.gate = g; len(t.calls) == 0 {
		close(g.settled)
	}
	time.AfterFunc(limit, func() { t.open(g) })
	return g
}

// open lets requests go on that this gate keeps back.
func (t *Tracker) open(g *gate) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.gate == g && g != nil {
		t.gate = nil
		close(g.opened)
	}
}

// openAny opens the gate that there is.
func (t *Tracker) openAny() {
	t.mu.Lock()
	g := t.gate
	t.mu.Unlock()
	t.open(g)
}
