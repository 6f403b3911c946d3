package election

import (
	"time"

	"go.etcd.io/raft/v3"
)

// action is what a member does.
type action int

const (
	wait     action = iota
	knock           // make raft write to the leader's own stream, which shows whether it stands
	doubt           // note that the evidence is not whole
	forget          // give up the leader, so that this member may vote for another
	ask             // ask the others whether one of them leads
	campaign        // ask for the others' votes
	conclude        // note how the election has ended
)

const (
	// pollInterval is how late something is seen that nothing announces: that
	// there is no leader any more, a change of the membership.
	pollInterval = 200 * time.Millisecond
	// settledInterval is the same while a leader is followed and nobody uses the
	// member.
	settledInterval = time.Second
	// stateInterval is how late a change of raft's own state is seen, which
	// nothing announces, while an election runs.
	stateInterval = 10 * time.Millisecond
	// knockPause is between two knocks, or a quarter of a round trip. The first
	// write to a dead connection is answered with a reset, the next fails, and
	// it takes net/http two more to say so; quickKnocks leaves some over, and
	// then the pause doubles.
	knockPause  = 500 * time.Microsecond
	quickKnocks = 10
)

// rule is one line of the tables below.
type rule struct {
	name    string
	action  action
	applies func(*snapshot) bool // nil: always
	// until is when the action is due. A rule to wait applies until then;
	// without it, it is worth looking again after pollInterval though nothing
	// has moved.
	until func(*snapshot) time.Time
	// host: it is the leader's host that is silent, whatever has become of its
	// process.
	host bool
}

// rulebook is what docs/failover.md says, in the same order: of the rules for
// the case that raft follows a leader, or that it does not, the first that
// applies decides.
type rulebook struct{ following, electing []rule }

var rules = rulebook{
	following: []rule{
		{name: "a new leader is elected", action: conclude,
			applies: func(s *snapshot) bool { return s.election.dead != raft.None && !s.back() }},
		{name: "this member leads", action: wait,
			applies: func(s *snapshot) bool { return s.lead == s.self }},
		{name: "this member has no vote", action: wait,
			applies: func(s *snapshot) bool { return !s.mayVote() }},
		{name: "the leader is removed from the cluster", action: forget,
			applies: func(s *snapshot) bool { return s.removed },
			until:   func(s *snapshot) time.Time { return s.election.forgot.Add(pollInterval) }},
		{name: "the leader was given up before, and lived", action: wait,
			until: func(s *snapshot) time.Time { return s.leader.distrusted }},
		{name: "the leader's process is gone", action: forget,
			applies: func(s *snapshot) bool { return s.evident() && s.refused() && !(s.back() && s.lives()) }},
		{name: "the leader's host is silent", action: forget, host: true,
			applies: func(s *snapshot) bool { return !s.leader.silent.IsZero() && !(s.back() && s.lives()) }},
		{name: "the leader is given up, and lives", action: conclude,
			applies: (*snapshot).back},
		{name: "the leader itself asks for votes", action: forget,
			applies: func(s *snapshot) bool { return s.leader.ignored.After(s.leader.since) }},
		{name: "the leader is silent, and another asks for votes", action: forget,
			applies: func(s *snapshot) bool { return s.evident() && s.othersAsk(s.leader.ended) }},
		{name: "the leader's host may be silent, and another asks for votes", action: forget, host: true,
			applies: func(s *snapshot) bool { return !s.leader.hushed.IsZero() && s.othersAsk(s.leader.hushed) }},
		{name: "the leader's own stream may be lost", action: knock,
			applies: func(s *snapshot) bool {
				return s.ended(s.timeout/2) && !s.leader.heard && !s.leader.abandoned
			},
			until: func(s *snapshot) time.Time {
				pause := max(knockPause, s.trip()/4) << max(0, s.leader.knocks-quickKnocks)
				return s.leader.knocked.Add(pause)
			}},
		{name: "the leader refuses connections, and speaks", action: doubt,
			applies: func(s *snapshot) bool { return s.ended(s.timeout) && s.refused() },
			until:   func(s *snapshot) time.Time { return s.leader.ended.Add(s.timeout / 2) }},
		{name: "all is well", action: wait},
	},
	electing: []rule{
		{name: "etcd's timer decides", action: wait,
			applies: func(s *snapshot) bool { return !s.starting && s.election.dead == raft.None }},
		{name: "nobody is elected in time", action: conclude,
			applies: func(s *snapshot) bool { return !s.starting && s.now.Sub(s.election.begun) >= 2*s.timeout }},
		{name: "this member has no vote yet", action: wait,
			applies: func(s *snapshot) bool { return !s.mayVote() }},
		{name: "no quorum is connected", action: wait,
			applies: func(s *snapshot) bool { return s.starting && !s.quorum(len(s.present())) }},
		{name: "its own votes are being written", action: wait,
			applies: func(s *snapshot) bool { return s.standing() || s.role == raft.StatePreCandidate && s.alone() },
			until:   func(s *snapshot) time.Time { return s.now.Add(stateInterval) }},
		{name: "another stands", action: wait,
			applies: (*snapshot).anotherStands,
			until:   func(s *snapshot) time.Time { return s.voted.Add(s.patience()) }},
		{name: "this member has agreed to another", action: wait,
			until: (*snapshot).agreed},
		{name: "it is not its turn", action: wait,
			until: (*snapshot).due},
		{name: "its log is not applied", action: wait,
			applies: func(s *snapshot) bool { return !s.applied },
			until:   func(s *snapshot) time.Time { return s.now.Add(s.everLonger()) }},
		{name: "another may lead", action: ask,
			applies: func(s *snapshot) bool { return s.starting && !s.alone() && !s.leaderless() },
			until: func(s *snapshot) time.Time {
				if s.election.asking {
					return s.now.Add(s.timeout) // the answer comes before
				}
				return s.election.answered.Add(pollInterval)
			}},
		{name: "it is its turn", action: campaign},
	},
}

// decision is what to do now, or how long to wait unless something moves.
type decision struct {
	rule   string
	action action
	wait   time.Duration
	host   bool // as in rule
	// settled: there is a leader, and nothing is under way that must be seen soon.
	settled bool
}

// decide says what a member does that knows what the snapshot says.
func (b rulebook) decide(s *snapshot) decision {
	rules := b.electing
	if s.lead != raft.None {
		rules = b.following
	}
	for _, r := range rules {
		if r.applies != nil && !r.applies(s) {
			continue
		}
		until := s.now
		switch {
		case r.until != nil:
			until = r.until(s)
		case r.action == wait:
			until = s.now.Add(pollInterval)
		}
		if s.now.Before(until) {
			return decision{rule: r.name, action: wait, wait: until.Sub(s.now), settled: s.lead != raft.None && r.until == nil}
		}
		if r.action != wait {
			return decision{rule: r.name, action: r.action, host: r.host}
		}
	}
	panic("election: the last rule always applies")
}
