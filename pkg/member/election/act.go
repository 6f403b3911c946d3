package election

import (
	"context"
	"fmt"
	"time"

	"go.etcd.io/raft/v3"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// act does what was decided on a snapshot. An error is of etcd, which refuses a message or stops.
func (e *Elector) act(ctx context.Context, s *snapshot, d decision) error {
	switch d.action {
	case knock:
		e.leader.knocks, e.leader.knocked = e.leader.knocks+1, s.now
		return Knock(ctx, e.opts.Server, e.opts.Self, s.lead)
	case doubt:
		e.leader.ended, e.leader.refused = time.Time{}, time.Time{}
		e.count(doubts, func(c *Counts) { c.Doubts++ })
		e.opts.Log.Warn("the leader refuses connections, but raft's streams with it are not all lost: leaving it to the election timeout",
			e.named("leader", s.lead))
	case forget:
		return e.giveUp(ctx, s, d.host)
	case ask:
		e.election.asking = true
		e.running.Go(func() {
			select {
			case e.answers <- answer{e.whoLeads(ctx), s.term}:
			case <-ctx.Done():
			}
		})
	case campaign:
		if s.last().IsZero() {
			e.election.asked = 0
		}
		e.election.asked, e.election.last, e.election.answered, e.led = e.election.asked+1, s.now, time.Time{}, false
		if !e.election.counted { // what follows are questions about the same
			e.election.counted = true
			e.count(campaigns, func(c *Counts) { c.Campaigns++ })
		}
		return e.hup(ctx, s.term)
	case conclude:
		e.conclude(s)
	}
	return nil
}

// giveUp forgets the leader. A second time is for one that raft follows again by
// a message that was on its way when it died. silent: because of its host.
func (e *Elector) giveUp(ctx context.Context, s *snapshot, silent bool) error {
	again := e.election.dead != raft.None && s.back()
	switch {
	case again:
	case silent:
		e.count(silences, func(c *Counts) { c.Silent++ })
		e.opts.Log.Warn("the leader's host is silent; asking for an election now", e.named("leader", s.lead),
			zap.Duration("since-it-was-asked", s.now.Sub(s.leader.hushed)))
	default:
		e.count(deaths, func(c *Counts) { c.Deaths++ })
		e.opts.Log.Warn("the leader is gone; asking for an election now", e.named("leader", s.lead))
	}
	err := e.forget(ctx, s.term)
	if !again { // its turn is counted from when it can vote, which may take a while
		e.election = election{dead: s.lead, term: s.term, begun: time.Now(), silent: silent}
	}
	e.election.forgot = time.Now()
	return err
}

// conclude ends the election that was asked for.
func (e *Elector) conclude(s *snapshot) {
	dead, took, silent := s.election.dead, s.now.Sub(s.election.begun), s.election.silent
	e.election = election{}
	switch {
	case s.lead == raft.None:
		e.opts.Log.Warn("no leader was elected; the election timeout decides", zap.Duration("after", took))
	case s.back():
		pause := min(max(2*e.distrusted[dead].pause, minDistrust), maxDistrust)
		e.distrusted[dead] = distrust{s.now.Add(pause), pause}
		e.leader = leader{id: dead, term: s.term, since: s.now} // the evidence was none
		e.count(deceived, func(c *Counts) { c.Deceived++ })
		why := "the leader lives, though its connections ended and its port refused new ones; what stands between it and us?"
		if silent {
			why = "the leader lives, though its host did not answer; does the network between it and us pause, or its machine?"
		}
		e.opts.Log.Warn(why, e.named("leader", dead), zap.Duration("left-to-the-election-timeout-for", pause))
	default:
		delete(e.distrusted, dead)
		e.opts.Log.Info("a leader was elected without waiting for the election timeout",
			e.named("leader", s.lead), e.named("was", dead), zap.Duration("took", took))
	}
}

// count counts for Counts and for /metrics.
func (e *Elector) count(metric counter, f func(*Counts)) {
	e.mu.Lock()
	f(&e.counts)
	e.mu.Unlock()
	metric.Inc()
	e.opts.Changed()
}

// named is a member in the log: its ID, and its name where that is known.
func (e *Elector) named(key string, id uint64) zap.Field {
	e.mu.Lock()
	defer e.mu.Unlock()
	name := ""
	for _, m := range e.members {
		if m.ID == id {
			name = m.Name
		}
	}
	return zap.Inline(zapcore.ObjectMarshalerFunc(func(o zapcore.ObjectEncoder) error {
		o.AddString(key, hex(id))
		if name != "" {
			o.AddString(key+"-name", name)
		}
		return nil
	}))
}

// hex is a member ID as etcd prints it.
func hex(id uint64) string { return fmt.Sprintf("%x", id) }
