package election

import (
	"context"
	"slices"
	"time"

	"go.uber.org/zap"
)

// soon is when the question is put again. The evidence reaches the survivors
// within a few milliseconds of each other, more on a loaded machine.
var soon = []time.Duration{2 * time.Millisecond, 5 * time.Millisecond, 10 * time.Millisecond, 20 * time.Millisecond}

// follow watches one leader after the other.
func (e *Elector) follow(ctx context.Context) {
	for ctx.Err() == nil {
		chosen := e.opts.Server.LeaderChangedNotify()
		lead := e.opts.Server.Leader()
		if wait := time.Until(e.distrust[lead].until); lead == 0 || lead == e.opts.Self || wait > 0 {
			select {
			case <-ctx.Done():
			case <-chosen:
			case <-time.After(max(wait, pollInterval)):
			}
			continue
		}
		if e.dies(ctx, lead, chosen) {
			e.replace(ctx, lead)
		}
	}
}

// dies watches a leader and reports whether it has died; false when there is
// another one, or nothing more to watch.
func (e *Elector) dies(ctx context.Context, lead uint64, chosen <-chan struct{}) bool {
	ended, refused, stop := e.line(ctx, lead)
	defer stop()
	var (
		begun   = time.Now()
		suspect time.Time // when our connection ended; zero once that led nowhere
		lost    bool      // raft's streams were lost since, both ways
	)
	poll := time.NewTicker(pollInterval)
	defer poll.Stop()
	for {
		moved := e.opts.Streams.changed()
		select {
		case <-ctx.Done():
			return false
		case <-ended:
			suspect = time.Now()
			lost = e.lost(ctx, lead, chosen)
		case <-refused:
			if lost && e.gone(lead) {
				return true
			}
			if ctx.Err() == nil {
				e.count(doubts, func(c *Counts) { c.Doubts++ })
				e.opts.Log.Warn("the leader refuses connections, but raft's streams with it are not all lost: leaving it to the election timeout",
					zap.String("leader", hex(lead)))
			}
		case <-chosen:
			chosen = e.opts.Server.LeaderChangedNotify()
		case <-moved:
		case <-poll.C:
		}
		if l := e.opts.Server.Leader(); l != 0 && l != lead {
			return false
		}
		// A supervisor may be quicker than we are: it is back already, and
		// accepts. But who asks for a pre-vote itself leads no more, and
		// another member that asks has found it dead.
		if e.opts.Streams.asked(hex(lead), begun) || lost && e.gone(lead) && e.othersAsk(suspect) {
			return true
		}
		// Removed from the cluster, by a quorum's decision, it leads no more.
		if e.opts.Server.Removed(lead) {
			return true
		}
		if lost && (time.Since(suspect) > e.opts.Timeout || !e.gone(lead)) {
			lost = false // it is back, or has been here all the time
		}
	}
}

// line holds a connection to the leader in the background, until stop is
// called; what happens to it comes over the channels.
func (e *Elector) line(ctx context.Context, lead uint64) (ended, refused <-chan struct{}, stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	end, refuse, gone := make(chan struct{}), make(chan struct{}), make(chan struct{})
	say := func(c chan struct{}) {
		select {
		case c <- struct{}{}:
		case <-ctx.Done():
		}
	}
	go func() {
		defer close(gone)
		urls := func() []string { return e.peerURLs(lead) }
		for pause := time.Second; e.opts.Network.hold(ctx, urls, func() { say(end) }); pause = min(2*pause, maxRedial) {
			say(refuse)
			// If it is not dead, then its port may refuse us for long.
			if !sleep(ctx, pause) {
				return
			}
		}
	}()
	return end, refuse, func() { cancel(); <-gone }
}

// othersAsk reports whether another voting member has asked for an election
// since then.
func (e *Elector) othersAsk(since time.Time) bool {
	ids, _ := e.voters()
	return slices.ContainsFunc(ids, func(id uint64) bool { return e.opts.Streams.asked(hex(id), since) })
}

const (
	// knockPause is about a round trip between the machines of a cluster. The
	// first write to a dead connection is answered with a reset, the next
	// fails, and it takes net/http two more to say so; quickKnocks leaves some
	// over, and then the pause doubles.
	knockPause  = 500 * time.Microsecond
	quickKnocks = 10
)

// gone reports whether raft's streams with the leader are lost, both ways.
func (e *Elector) gone(lead uint64) bool {
	return !e.opts.Streams.hears(hex(lead)) && e.opts.Streams.abandoned(hex(lead))
}

// lost waits until raft's streams with the leader are lost, both ways. They
// are within milliseconds if its process has died; half the election timeout
// is time enough for a loaded machine, and then the timer is near anyway.
func (e *Elector) lost(ctx context.Context, lead uint64, chosen <-chan struct{}) bool {
	peer := hex(lead)
	over := time.After(e.opts.Timeout / 2)
	knock := time.NewTimer(0)
	defer knock.Stop()
	for knocks := 0; ; {
		moved := e.opts.Streams.changed()
		if e.gone(lead) {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-chosen:
			return false
		case <-over:
			return false
		case <-moved:
			if knocks == 0 {
				knock.Reset(0)
			}
		case <-knock.C:
			if e.opts.Streams.hears(peer) {
				continue // until that changes
			}
			if err := e.knock(ctx, lead); err != nil {
				return false // the server stops
			}
			knocks++
			knock.Reset(knockPause << max(0, knocks-quickKnocks))
		}
	}
}

// replace gives up a leader that is dead by all evidence, and asks for another.
func (e *Elector) replace(ctx context.Context, lead uint64) {
	if _, ok := e.voters(); !ok {
		return // a learner, or removed meanwhile
	}
	begun := time.Now()
	chosen := e.opts.Server.LeaderChangedNotify()
	term := e.opts.Server.Raft().HardState.GetTerm()
	if err := e.forget(ctx); err != nil {
		return // the server stops
	}
	e.count(deaths, func(c *Counts) { c.Deaths++ })
	e.opts.Log.Warn("the leader is gone; asking for an election now",
		zap.String("leader", hex(lead)), zap.Int("members-before-this-one", e.rank(lead, begun)))
	e.campaign(ctx, plan{term: term, without: lead, soon: soon, again: e.opts.Timeout / 4, limit: 2 * e.opts.Timeout}, chosen)

	switch now := e.opts.Server.Leader(); {
	case ctx.Err() != nil:
	case now == lead && e.opts.Server.Removed(lead):
		sleep(ctx, pollInterval) // it is about to end
	case now == lead:
		d := e.distrust[lead]
		d.pause = min(max(2*d.pause, minDistrust), maxDistrust)
		d.until = time.Now().Add(d.pause)
		e.distrust[lead] = d
		e.count(deceived, func(c *Counts) { c.Deceived++ })
		e.opts.Log.Warn("the leader lives, though its connections ended and its port refused new ones; what stands between it and us?",
			zap.String("leader", hex(lead)), zap.Duration("left-to-the-election-timeout-for", d.pause))
	case now == 0:
		e.opts.Log.Warn("no leader was elected; the election timeout decides", zap.Duration("after", time.Since(begun)))
	default:
		delete(e.distrust, lead)
		e.opts.Log.Info("a leader was elected without waiting for the election timeout",
			zap.String("leader", hex(now)), zap.String("was", hex(lead)), zap.Duration("took", time.Since(begun)))
	}
}

func (e *Elector) peerURLs(id uint64) []string {
	for _, m := range e.opts.Server.Members() {
		if m.ID == id {
			return m.PeerURLs
		}
	}
	return nil
}
