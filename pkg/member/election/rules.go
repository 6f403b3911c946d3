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

// table is a list of rules: the first that applies is the decision.
type table []rule

type rule struct {
	name    string
	applies func(*snapshot) bool
	action  action
	// in is how long from now the action is due; if it is to wait, how long
	// until it is worth looking again though nothing has moved. Without it: at
	// once, and after pollInterval.
	in func(*snapshot) time.Duration
}

// rules are what docs/failover.md says, in the same order.
var rules = table{
	// With a leader.

	{name: "a new leader was elected", action: conclude,
		applies: func(s *snapshot) bool {
			return s.lead != raft.None && s.election.dead != raft.None && !s.back()
		}},
	{name: "this member leads", action: wait,
		applies: func(s *snapshot) bool { return s.lead == s.self }},
	{name: "this member has no vote", action: wait,
		applies: func(s *snapshot) bool { return !s.mayVote() }},
	{name: "the leader is removed from the cluster", action: forget,
		applies: func(s *snapshot) bool { return s.lead != raft.None && s.removed },
		in:      func(s *snapshot) time.Duration { return s.until(s.election.forgot.Add(pollInterval)) }},
	{name: "it was given up before, and lived", action: wait,
		applies: func(s *snapshot) bool { return s.lead != raft.None && s.now.Before(s.leader.distrusted) },
		in:      func(s *snapshot) time.Duration { return s.until(s.leader.distrusted) }},
	{name: "the leader's process is gone", action: forget,
		applies: func(s *snapshot) bool {
			// It may be back by a message that was on its way when it died.
			lives := s.back() && s.now.Sub(s.election.begun) > s.turn()
			return s.lead != raft.None && s.evident() && s.refused() && !lives
		}},
	{name: "it was given up, and lives", action: conclude,
		applies: (*snapshot).back},
	{name: "the leader itself asks for votes", action: forget,
		applies: func(s *snapshot) bool { return s.lead != raft.None && s.leader.ignored.After(s.leader.since) }},
	{name: "the leader is silent, and another asks for votes", action: forget,
		applies: func(s *snapshot) bool { return s.lead != raft.None && s.evident() && s.othersAsk() }},
	{name: "the leader's own stream may be lost", action: knock,
		applies: func(s *snapshot) bool {
			return s.lead != raft.None && s.ended(s.timeout/2) && !s.leader.heard && !s.leader.abandoned
		},
		in: func(s *snapshot) time.Duration {
			return s.until(s.leader.knocked.Add(max(knockPause, s.trip()/4) << max(0, s.leader.knocks-quickKnocks)))
		}},
	{name: "the leader refuses connections, but speaks", action: doubt,
		applies: func(s *snapshot) bool { return s.lead != raft.None && s.ended(s.timeout) && s.refused() },
		in:      func(s *snapshot) time.Duration { return s.until(s.leader.ended.Add(s.timeout / 2)) }},
	{name: "there is a leader", action: wait,
		applies: func(s *snapshot) bool { return s.lead != raft.None }},

	// Without one.

	{name: "etcd's timer decides", action: wait,
		applies: func(s *snapshot) bool { return !s.starting && s.election.dead == raft.None }},
	{name: "nobody was elected in time", action: conclude,
		applies: func(s *snapshot) bool { return !s.starting && s.now.Sub(s.election.begun) >= 2*s.timeout }},
	{name: "there is no quorum", action: wait,
		applies: func(s *snapshot) bool { return s.starting && !s.quorum(len(s.there())) }},
	{name: "this member has voted for another", action: wait,
		applies: func(s *snapshot) bool { return s.forAnother() && s.now.Before(s.voted.Add(s.patience())) },
		in:      func(s *snapshot) time.Duration { return s.until(s.voted.Add(s.patience())) }},
	{name: "this member has agreed to another", action: wait,
		applies: func(s *snapshot) bool { return s.now.Before(s.backs()) },
		in:      func(s *snapshot) time.Duration { return s.until(s.backs()) }},
	{name: "its votes are being written", action: wait,
		applies: func(s *snapshot) bool {
			return s.standing() || s.role == raft.StatePreCandidate && s.alone()
		},
		in: func(*snapshot) time.Duration { return stateInterval }},
	{name: "it is not its turn", action: wait,
		applies: func(s *snapshot) bool { return s.now.Before(s.due()) },
		in:      func(s *snapshot) time.Duration { return s.until(s.due()) }},
	{name: "its log is not applied", action: wait,
		applies: func(s *snapshot) bool { return !s.applied },
		in:      func(s *snapshot) time.Duration { return s.everLonger(s.election.begun) }},
	{name: "another may lead", action: ask,
		applies: func(s *snapshot) bool { return s.starting && !s.alone() && !s.leaderless() },
		in: func(s *snapshot) time.Duration {
			if s.election.asking {
				return s.timeout // the answer comes before
			}
			return s.until(s.election.answered.Add(pollInterval))
		}},
	{name: "an election is due", action: campaign,
		applies: func(*snapshot) bool { return true }},
}

// decision is what is done now, or how long to wait unless something moves.
type decision struct {
	rule   string
	action action
	wait   time.Duration
}

// decide says what a member does that knows what the snapshot says.
func (t table) decide(s *snapshot) decision {
	for _, r := range t {
		if !r.applies(s) {
			continue
		}
		var in time.Duration
		switch {
		case r.in != nil:
			in = r.in(s)
		case r.action == wait:
			in = pollInterval
		}
		if in > 0 {
			return decision{r.name, wait, in}
		}
		return decision{rule: r.name, action: r.action}
	}
	panic("election: the last rule always applies")
}
