package election

import (
	"slices"
	"time"

	"go.etcd.io/raft/v3"
)

// snapshot is all that a decision rests on: what is so now, and what this
// member has seen and done so far. The zero time means never.
type snapshot struct {
	now     time.Time
	timeout time.Duration // etcd's election timeout, after which it acts by itself
	silence time.Duration // how long a host is silent before that is known; 0: it never is
	self    uint64

	// What raft says.
	term, vote, lead uint64
	role             raft.StateType
	// applied: raft counts all that it knows to be committed as applied, and
	// etcd has recorded some of it. raft panics when it campaigns over entries
	// that etcd has applied and compacted already, but that it does not count
	// yet. That is so for a moment after a start, which no timer ends so soon.
	applied bool
	removed bool      // the leader was removed from the cluster
	voted   time.Time // when this term and vote were first seen; never: since the start
	stood   time.Time // when this member was last seen as a candidate that may win

	voters   []voter // in the order of their IDs
	starting bool    // no leader has been known since the start, and one is to be asked for
	led      bool    // this member led, or nearly did, before the start
	leader   leader
	election election
}

// voter is a voting member.
type voter struct {
	id        uint64
	connected bool
	trip      time.Duration // a round trip to it; 0: not measured
	peer
}

// leader is the one that is followed, or was followed last.
type leader struct {
	id, term   uint64
	since      time.Time // followed since
	ended      time.Time // when our connection ended
	refused    time.Time // when a new one was refused after that
	hushed     time.Time // the question that its host has not acknowledged for half the limit
	silent     time.Time // the same for the whole limit, with all other evidence
	knocks     int       // since it ended
	knocked    time.Time
	distrusted time.Time // until then: it was given up, and was alive
	peer
}

// election is the one that this member asks for.
type election struct {
	dead     uint64    // the leader that was given up; none at a start
	term     uint64    // in which that one led
	begun    time.Time // since when it is given up; at a start: since when there is a quorum
	forgot   time.Time // when it was given up last
	silent   bool      // it was given up because its host is silent
	asked    int       // how often this member has asked for votes, in this round
	counted  bool      // it has, at all
	last     time.Time // when it asked last
	asking   bool      // the others are being asked whether one of them leads
	answer   leads
	answered time.Time
}

// The leader.

// lost reports whether raft's streams with the leader are lost, both ways.
func (s *snapshot) lost() bool { return !s.leader.heard && s.leader.abandoned }

// ended reports whether our connection to the leader ended within that time.
func (s *snapshot) ended(within time.Duration) bool {
	return !s.leader.ended.IsZero() && s.now.Sub(s.leader.ended) <= within
}

// evident reports whether our connection has ended, and the streams are lost.
// After an election timeout etcd has acted, and the end is no evidence any more.
func (s *snapshot) evident() bool { return s.ended(s.timeout) && s.lost() }

// refused reports whether a new connection was refused after the end.
func (s *snapshot) refused() bool { return !s.leader.refused.IsZero() }

// back reports whether raft follows the leader again that was given up, as it
// was: one that was restarted may be elected like any other, in a later term.
func (s *snapshot) back() bool {
	return s.lead == s.election.dead && s.term == s.election.term
}

// lives reports whether a leader that is back is so by more than a message that
// was on its way when it died.
func (s *snapshot) lives() bool { return s.now.Sub(s.election.begun) > s.turn() }

// othersAsk reports whether another member has asked for an election since then.
func (s *snapshot) othersAsk(since time.Time) bool {
	return slices.ContainsFunc(s.voters, func(v voter) bool { return v.id != s.leader.id && v.ignored.After(since) })
}

// The voters.

// mayVote reports whether this member has a vote.
func (s *snapshot) mayVote() bool {
	return slices.ContainsFunc(s.voters, func(v voter) bool { return v.id == s.self })
}

// alone reports whether this member is the only one with a vote.
func (s *snapshot) alone() bool { return len(s.voters) == 1 }

// present are the voting members that take part in the election, as far as we can
// know: connected, and not dead.
func (s *snapshot) present() []voter {
	return slices.DeleteFunc(slices.Clone(s.voters), func(v voter) bool { return !v.connected || v.id == s.election.dead })
}

// quorum reports whether so many members are one.
func (s *snapshot) quorum(members int) bool { return members > len(s.voters)/2 }

// rank is this member's place in the order of those that are present. One before
// it does not count whose request it has refused since the election began, if
// nobody can be elected without this member's vote: its own log is longer, and
// it is for it to ask.
func (s *snapshot) rank() (rank int) {
	present := s.present()
	decisive := !s.quorum(len(present) - 1)
	for _, v := range present {
		if v.id < s.self && !(decisive && v.rejected.After(s.election.begun)) {
			rank++
		}
	}
	return rank
}

// standing reports whether this member is a candidate that may win. Its own vote
// is being written, and the others' are. To begin again would throw them away,
// for as long as a write takes longer than our patience. Should they be lost,
// raft's timer asks anew.
func (s *snapshot) standing() bool { return s.role == raft.StateCandidate && !s.outvoted() }

// outvoted reports whether so many have refused this member their vote in this
// term that those that are present cannot elect it any more: the votes are split.
// One that is not connected may vote yet, so absence alone is no refusal.
func (s *snapshot) outvoted() bool {
	refused, left := 0, 0
	for _, v := range s.present() {
		if v.denied == s.term && v.id != s.self {
			refused++
		} else {
			left++
		}
	}
	return refused > 0 && !s.quorum(left)
}

// The order, and when to ask.

const (
	// baseTurn is how long a member waits for the one before it, apart from the
	// way between them. It is time enough for the writes to two disks, unless
	// they are slow. It is also what a first candidate costs whose log is
	// shorter.
	baseTurn = 50 * time.Millisecond
	// retryAlone is how soon a single member asks again, should raft refuse:
	// nobody else can be disturbed.
	retryAlone = 5 * time.Millisecond
)

// soon is after what time the question is put again, first, second and so on:
// the others may give up the leader a moment later, and have ignored it. The
// evidence reaches them within a few milliseconds of each other, more on a
// loaded machine.
var soon = []time.Duration{2 * time.Millisecond, 3 * time.Millisecond, 5 * time.Millisecond, 10 * time.Millisecond}

// straggle is how often the question is put while the others may still gather the
// evidence that a host is silent, which they do at different times.
const straggle = 50 * time.Millisecond

// straggling reports whether that may be so. They count from the last packet that
// they had, an interval apart at most, and must then wait as long as we did.
func (s *snapshot) straggling() bool {
	return s.election.silent && s.now.Sub(s.election.begun) < s.silence
}

// trip is the longest round trip to a member that is present. etcd wants ten of
// them in an election timeout; a longer one was measured in a bad moment.
func (s *snapshot) trip() (longest time.Duration) {
	for _, v := range s.present() {
		longest = max(longest, v.trip)
	}
	return min(longest, s.timeout/10)
}

// turn is how long a member waits for the one before it. An election takes two
// round trips and two disk writes, and is known after one and a half: then the
// next has been asked for its vote.
func (s *snapshot) turn() time.Duration { return baseTurn + 2*s.trip() }

// again is after what time the question is put again when all of soon is over:
// etcd members that do not act like this one honour their lease for its whole
// length, and then wait longer than we do.
func (s *snapshot) again() time.Duration { return max(s.timeout/4, 5*s.trip()) }

// oftener is the same while others may be about to give up the leader.
func (s *snapshot) oftener() time.Duration {
	if s.straggling() {
		return min(s.again(), straggle+s.trip())
	}
	return s.again()
}

// anotherStands reports whether there was a vote for another, or a new term, for
// which another must have stood, since the start or since this member gave up the
// leader.
func (s *snapshot) anotherStands() bool {
	if s.voted.IsZero() || s.election.dead != raft.None && s.voted.Before(s.election.begun) {
		return false
	}
	return s.vote != s.self
}

// patience is how long a member waits for another that stands.
func (s *snapshot) patience() time.Duration { return s.timeout / 2 }

// agreed is until when this member waits for another that has its pre-vote, and
// is about to be a candidate. It waits once in a round, for that one may never
// hear the answers, and not at all if it led: the others may not know yet that
// it does no more.
func (s *snapshot) agreed() (until time.Time) {
	for _, v := range s.present() {
		if !s.led && v.id != s.self && v.backed.After(latest(s.election.begun, s.voted, s.stood)) {
			until = latest(until, v.backed.Add(s.again()))
		}
	}
	if most := s.settled().Add(s.patience()); until.After(most) {
		return most
	}
	return until
}

// settled is when it was clear that this member must ask: at first, after another
// stood and has not won, and after a lost candidacy. Another may just be
// winning then, and its votes being written, which takes as long as it took
// this member to lose.
func (s *snapshot) settled() time.Time {
	voted, stood := s.voted, s.stood
	if s.anotherStands() {
		voted = voted.Add(s.patience())
	}
	if !stood.IsZero() {
		stood = stood.Add(max(s.turn(), min(stood.Sub(s.voted), s.again())))
	}
	return latest(s.election.begun, voted, stood)
}

// round is when the present round of questions began, for the first in order.
func (s *snapshot) round() time.Time { return latest(s.settled(), s.agreed()) }

// last is when this member asked last, in this round.
func (s *snapshot) last() time.Time {
	if s.election.last.Before(s.round()) {
		return time.Time{}
	}
	return s.election.last
}

// due is when the next question is.
func (s *snapshot) due() time.Time {
	last, n := s.last(), s.election.asked%(len(soon)+1)
	switch {
	case last.IsZero() && s.led: // out of order
		return s.round()
	case last.IsZero():
		return s.round().Add(time.Duration(s.rank()) * s.turn())
	case s.alone():
		return last.Add(retryAlone)
	case s.election.dead == raft.None || n == 0 || s.election.asked > len(soon) && s.straggling():
		return last.Add(s.oftener())
	default:
		return last.Add(soon[n-1] + s.trip())
	}
}

// leaderless reports whether the others have just said that none of them leads.
// One that neither answers nor refuses may be a leader that we cannot reach
// yet; it is waited for, half the time after which etcd would no longer care.
func (s *snapshot) leaderless() bool {
	if s.now.Sub(s.election.answered) >= pollInterval {
		return false
	}
	return s.election.answer == nobody || s.election.answer == unknown && s.now.Sub(s.election.begun) >= s.timeout/2
}

// everLonger is how long to wait for what nothing announces, and what takes a
// moment or, rarely, long: an eighth of the time that has passed already.
func (s *snapshot) everLonger() time.Duration {
	return min(max(s.now.Sub(s.election.begun)/8, time.Millisecond), pollInterval)
}

func latest(times ...time.Time) (last time.Time) {
	for _, t := range times {
		if t.After(last) {
			last = t
		}
	}
	return last
}
