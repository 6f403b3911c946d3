package flight

import (
	"context"
	"time"

	"go.etcd.io/raft/v3"
	"go.uber.org/zap"
)

const (
	// leaderless is how long what was under way waits without a leader. An election
	// that follows a death takes milliseconds, one of etcd's timer about its timeout.
	leaderless = time.Second
	// cutOffGrace is how long a request waits for a quorum that is silent, and
	// cutOffPoll how late that is seen: long enough for one that comes back in this
	// moment, and for clients that ask again at once not to spin.
	cutOffGrace, cutOffPoll = 100 * time.Millisecond, 50 * time.Millisecond
	// appliedPoll is how late it is seen that the new leader's first entry is
	// applied. It is asked for a few commits after a change of leader only.
	appliedPoll = 2 * time.Millisecond
	// minGrace is how long an answer may come after that: what raft kept back while
	// there was no leader goes to the new one with the first entry, or with the next.
	// Two round trips and two writes to a disk take less.
	minGrace = 20 * time.Millisecond
	// On a slow disk it takes longer. The first entry has just shown how long, and
	// what was kept back comes two writes behind it. It comes no later either than
	// the slowest commit of late.
	graceOfEntry = 3
	// maxGrace bounds it, where something stood still for seconds. What is ended too
	// early is told that nobody knows its fate, which is true.
	maxGrace = 2 * time.Second
)

// Server is one member, as a Tracker sees it.
type Server interface {
	// LeaderChangedNotify is closed when a leader becomes known.
	LeaderChangedNotify() <-chan struct{}
	// Leader is what raft itself says: its leader, 0 if there is none, and its term.
	Leader() (id, term uint64)
	// Self is this member's ID.
	Self() uint64
	// AppliedTerm is the term of the last entry that this member has applied by
	// itself; what it has from a leader's snapshot does not count.
	AppliedTerm() uint64
	// MayMove reports whether the client of a request may hand the leadership to a
	// member, and that one could take it.
	MayMove(ctx context.Context, to uint64) bool
	// Committed reports, in a leader, whether all of its log is.
	Committed() bool
	// QuorumSilentSince is since when this member, as leader, hears no quorum; the
	// zero time if it does.
	QuorumSilentSince() time.Time
	// Transferring reports whether raft is in the middle of handing over this member's
	// leadership, and so drops what is proposed.
	Transferring() bool
	// Tell tells the other members that this one hands over the leadership, until
	// ctx ends. They hear it in their log. It returns those whose answer is worth
	// waiting for.
	Tell(ctx context.Context) []uint64
	// Answer tells the leader, which hands over, that nothing of this member's is
	// under way to it, until ctx ends.
	Answer(ctx context.Context, leader uint64)
}

// reign is the time of one leader: in one term there is one at most.
type reign struct{ leader, term uint64 }

// run is one Run of a Tracker.
type run struct {
	*Tracker
	server Server
	log    *zap.Logger

	last  reign     // the last leader that this member followed
	lost  time.Time // when it lost that one; zero: it follows it
	next  reign     // the one after it
	known time.Time // since when; zero: there is none
	until time.Time // when the grace ends; zero: its first entry is not applied
}

// Run ends requests until ctx ends. Call it once the server was started.
func (t *Tracker) Run(ctx context.Context, s Server, log *zap.Logger) {
	r := run{Tracker: t, server: s, log: log}
	overtaken := t.nextCheck()
	t.mu.Lock()
	t.server = s
	t.mu.Unlock()
	for {
		changed := s.LeaderChangedNotify() // before the look, so that nothing is missed after it
		var due <-chan time.Time           // nil: not before something moves
		if wait := r.look(time.Now()); wait > 0 {
			due = time.After(wait)
		}
		select {
		case <-ctx.Done():
			return
		case <-t.heard:
		case <-changed:
		case <-due:
		case <-overtaken:
			overtaken = t.nextCheck()
			r.endOvertaken()
		}
	}
}

// never: there is no need to look again before something moves.
const never time.Duration = 0

// look looks at the leader, ends what is to be ended, and returns when to look
// again though nothing has moved.
func (r *run) look(now time.Time) time.Duration {
	id, term := r.server.Leader()
	is := reign{id, term}
	// Taken after the look at raft, which speaks before it shows the change: what is
	// heard belongs to this change, not to the next.
	at := now
	if heard := r.heardLoss(id); !heard.IsZero() && heard.Before(now) {
		at = heard
	}
	switch {
	case r.lost.IsZero() && is != r.last:
		r.lost = at
	case !r.known.IsZero() && is != r.next:
		// The next one is lost too, before its first entry was applied here. What was
		// proposed to it shares the fate of the rest.
		r.lost, r.known, r.until = at, time.Time{}, time.Time{}
	}
	switch {
	case is == r.last: // it was given up for a moment at most, and has what it was sent
		r.follow(is)
		return r.cutOff(id, now)
	case r.last.leader == raft.None: // there was none before
		if id != raft.None {
			r.follow(is)
		}
		return never
	case id == raft.None:
		return r.withoutLeader(now)
	case r.known.IsZero():
		r.known, r.next = now, is
		r.openAny() // whoever handed over is done
	}
	return r.withLeader(now)
}

// cutOff ends what was proposed to this member itself while it leads without a
// quorum: raft would find that out after an election timeout. It does so to the
// end, or until the quorum is back.
func (r *run) cutOff(leader uint64, now time.Time) time.Duration {
	if leader != r.server.Self() || r.server.QuorumSilentSince().IsZero() {
		return never
	}
	return r.withoutQuorum(now)
}

func (r *run) withoutQuorum(now time.Time) time.Duration {
	r.say("no quorum is heard", r.endThose(func(c *call) bool { return now.Sub(c.began) >= cutOffGrace }))
	return cutOffPoll
}

// withoutLeader ends what waits for a leader that does not come. Without a quorum
// there is nothing that could prove its fate.
func (r *run) withoutLeader(now time.Time) time.Duration {
	if !r.server.QuorumSilentSince().IsZero() {
		// It led, and has stepped down since. Behind the same cut cable there is no next
		// leader to keep anything back for.
		return r.withoutQuorum(now)
	}
	if left := r.lost.Add(leaderless).Sub(now); left > 0 {
		return left
	}
	r.end("there is no new leader")
	return never
}

// withLeader ends what the new leader does not know of.
func (r *run) withLeader(now time.Time) time.Duration {
	if !r.underWay(r.lost) {
		r.follow(r.next)
		return never
	}
	if r.until.IsZero() {
		// Or the first entry came in a snapshot, of which etcd's Term knows nothing; in a
		// cluster where nobody else writes no other entry would follow. A commit index would
		// prove less: what the old leader had stored may be behind it.
		if max(r.server.AppliedTerm(), r.restoredTerm()) < r.next.term {
			return appliedPoll
		}
		r.until = now.Add(min(maxGrace, max(minGrace, graceOfEntry*now.Sub(r.known), r.slowest(now))))
	}
	if left := r.until.Sub(now); left > 0 {
		return left
	}
	r.end("the new leader does not know of them")
	r.follow(r.next)
	return never
}

// follow notes that nothing is lost.
func (r *run) follow(is reign) {
	r.last, r.lost, r.next, r.known, r.until = is, time.Time{}, reign{}, time.Time{}, time.Time{}
}

// end ends what began before the loss.
func (r *run) end(why string) {
	r.say(why, r.endThose(func(c *call) bool { return c.began.Before(r.lost) }))
}

// endOvertaken ends what was lost under a leader that stays.
func (r *run) endOvertaken() {
	r.mu.Lock()
	before := r.passed.check(time.Now())
	r.mu.Unlock()
	r.say("later ones have been answered", r.endThose(func(c *call) bool { return c.prompt && c.began.Before(before) }))
}

func (r *run) say(why string, ended int) {
	if ended > 0 {
		r.log.Warn("ended requests that were lost on the way to the leader or with it, which may have carried them out or not; "+
			"their clients were told so, and should read before they repeat them",
			zap.Int("requests", ended), zap.String("why", why))
		r.opts.Changed()
	}
}
