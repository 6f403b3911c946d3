package election

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"go.etcd.io/raft/v3"
	"go.uber.org/zap"

	"github.com/etcd-node/etcd-node/pkg/pace"
)

// minDistrust and maxDistrust bound for how long a leader that turned out to be
// alive is left to etcd's timers; it doubles each time.
const minDistrust, maxDistrust = time.Minute, time.Hour

// ruleMessage is what is logged when another rule decides.
const ruleMessage = "another rule decides"

// Options are what an Elector works with.
type Options struct {
	Server  Server
	Self    uint64 // this member's ID
	Streams Streams
	Network Network
	// Timeout is etcd's election timeout: after it etcd acts by itself.
	Timeout time.Duration
	Log     *zap.Logger
	// Activity says whether anybody uses the member: while nobody does, less is
	// looked at. The Elector tells it of what others propose. It may be nil.
	Activity *pace.Activity
	// Changed is called, from any goroutine, when Counts has changed.
	Changed func()
	// QuorumSilent is called, from any goroutine, when QuorumSilentSince has
	// changed; it may be nil.
	QuorumSilent func()
	// Failover and Start turn the two parts on.
	Failover, Start bool
}

// Counts says what was done since the process began.
type Counts struct {
	Deaths    int // leaders found dead, by the whole evidence
	Campaigns int // elections asked for, one for each lost leader and for the start
	Silent    int // leaders given up because their hosts were silent
	Deceived  int // leaders that were given up and turned out to be alive
	Doubts    int // leaders that refused connections, but whose own to us stood
}

// Elector asks for elections on behalf of one member. Make one with New. It
// gathers what [rules] must know, and carries out what that says. All but the
// counts belongs to the goroutine of Run.
type Elector struct {
	opts    Options
	rules   rulebook
	trips   trips
	events  <-chan event // of the connection to the leader
	release func()       // ends it
	answers chan answer  // the others' to the question whether they lead
	running sync.WaitGroup

	// What it has seen and done, as in [snapshot].
	term, vote    uint64
	voted, stood  time.Time
	starting, led bool
	leader        leader
	election      election
	commit        uint64
	distrusted    map[uint64]distrust // by leader

	mu      sync.Mutex
	counts  Counts
	members []Member      // at the last look
	moved   chan struct{} // closed when they are others, or elsewhere
	mayVote bool
	// quorumSilent is since when a leader has not heard a quorum.
	quorumSilent time.Time
}

type distrust struct {
	until time.Time
	pause time.Duration
}

// answer is what came of a question that was put in a term.
type answer struct {
	leads
	term uint64
}

// New returns an Elector that does nothing before Run.
func New(o Options) *Elector {
	e := &Elector{
		opts: o, rules: rules, trips: trips{took: map[string]time.Duration{}}, release: func() {}, answers: make(chan answer),
		starting: o.Start, distrusted: map[uint64]distrust{}, moved: make(chan struct{}),
	}
	e.opts.Network.Dial = e.trips.timed(o.Network.Dial)
	return e
}

// Counts returns what was done so far. It is safe for concurrent use.
func (e *Elector) Counts() Counts {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.counts
}

// Run works until ctx ends. Call it once the server was started.
func (e *Elector) Run(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer e.running.Wait()
	defer func() { e.release() }()
	defer cancel()
	e.running.Go(func() { e.measure(ctx) })

	before := e.opts.Server.View().Raft.HardState
	e.term, e.vote = before.GetTerm(), before.GetVote()
	// A member that voted for itself led, or nearly did. If it is back before
	// the others noticed that it was gone, its question tells them.
	e.led = e.vote == e.opts.Self
	complained := "" // the last rule that etcd has refused
	for rule := ""; ctx.Err() == nil; {
		// Taken before the look, so that nothing is missed after it.
		moved, chosen := e.opts.Streams.changed(), e.opts.Server.LeaderChangedNotify()
		s := e.look(ctx)
		if !e.starting && !e.opts.Failover || ctx.Err() != nil {
			return
		}
		d := e.rules.decide(s)
		if d.rule != rule {
			rule = d.rule
			e.opts.Log.Debug(ruleMessage, zap.String("rule", rule), zap.Duration("wait", d.wait))
		}
		if d.action != wait {
			err := e.act(ctx, s, d)
			switch {
			case errors.Is(err, raft.ErrStopped):
				return
			case err != nil && ctx.Err() == nil:
				// etcd takes nothing in the name of a member that it has just
				// removed. The next look knows of that.
				if complained != d.rule {
					complained = d.rule
					e.opts.Log.Info("etcd has refused what an election needs; looking again, and until then the election timeout decides", zap.String("rule", d.rule), zap.Error(err))
				}
				sleep(ctx, pollInterval)
			}
			continue
		}
		later := time.After(d.wait)
		woken, unused := e.opts.Activity.Calm()
		if unused && d.settled {
			later = pace.After(settledInterval)
		}
		select {
		case <-ctx.Done():
		case <-moved:
		case <-chosen:
		case <-woken:
		case <-later:
		case what := <-e.events:
			e.note(what)
		case a := <-e.answers:
			e.election.asking = false
			if a.term == e.term {
				e.election.answer, e.election.answered = a.leads, time.Now()
			}
		}
	}
}

// look takes a snapshot, and keeps of it what must be remembered.
func (e *Elector) look(ctx context.Context) *snapshot {
	v := e.opts.Server.View()
	e.mu.Lock()
	if !slices.EqualFunc(e.members, v.Members, Member.at) {
		close(e.moved)
		e.moved = make(chan struct{})
	}
	e.members = v.Members
	e.mu.Unlock()
	s := &snapshot{
		now: time.Now(), timeout: e.opts.Timeout, silence: e.opts.Network.Silence.knownAfter(), self: e.opts.Self,
		term: v.Raft.HardState.GetTerm(), vote: v.Raft.HardState.GetVote(), lead: v.Raft.Lead, role: v.Raft.RaftState,
		applied: v.Recorded && v.Raft.ID == e.opts.Self && v.Raft.Applied >= v.Raft.HardState.GetCommit(),
		removed: v.LeaderRemoved,
	}
	for _, m := range v.Members {
		if p := e.opts.Streams.of(m.ID); !m.Learner {
			s.voters = append(s.voters, voter{
				id: m.ID, peer: p, connected: m.ID == e.opts.Self || p.heard, trip: e.trips.to(m.PeerURLs),
			})
		}
	}
	slices.SortFunc(s.voters, func(a, b voter) int { return cmp.Compare(a.id, b.id) })
	e.mu.Lock()
	e.mayVote = s.mayVote()
	e.mu.Unlock()

	if commit := v.Raft.HardState.GetCommit(); commit != e.commit {
		if e.commit != 0 {
			e.opts.Activity.Touch() // clients of another member
		}
		e.commit = commit
	}
	if s.term != e.term || s.vote != e.vote {
		e.term, e.vote, e.voted = s.term, s.vote, s.now
		e.election.answered = time.Time{} // somebody may lead now
	}
	if s.lead != raft.None {
		e.starting, e.led = false, false
		e.follow(ctx, s)
	}
	s.voted, s.starting, s.led, s.leader, s.election = e.voted, e.starting, e.led, e.leader, e.election
	s.leader.peer, s.leader.distrusted = e.opts.Streams.of(s.leader.id), e.distrusted[s.leader.id].until
	if e.starting && (e.election.begun.IsZero() || !s.quorum(len(s.present()))) {
		e.election.begun = s.now
		s.election.begun = s.now
	}
	if s.standing() {
		e.stood = s.now
	}
	s.stood = e.stood
	return s
}

// follow watches a leader that is new.
func (e *Elector) follow(ctx context.Context, s *snapshot) {
	if s.lead == e.leader.id && s.term == e.leader.term {
		return
	}
	if s.lead != e.leader.id {
		e.release()
		e.events, e.release = nil, func() {}
		if s.lead == e.opts.Self {
			e.release = e.attend(ctx)
		} else {
			e.events, e.release = e.opts.Network.hold(ctx, func() []string { return e.urls(s.lead) }, around{e, s.lead})
		}
	}
	e.leader = leader{id: s.lead, term: s.term, since: s.now}
}

// note notes what has happened to the connection to the leader.
func (e *Elector) note(what event) {
	e.opts.Log.Debug("the connection to the leader", e.named("leader", e.leader.id), zap.String("is", what.what))
	switch {
	case what == broken:
		e.leader.ended, e.leader.refused, e.leader.knocks = time.Now(), time.Time{}, 0
	case what == refused && !e.leader.ended.IsZero(): // else its end led nowhere
		e.leader.refused = time.Now()
	case what.what == hushed:
		e.leader.hushed, e.leader.silent = what.asked, time.Time{}
	case what.what == silent:
		e.leader.hushed, e.leader.silent = what.asked, what.asked
	case what.what == heard:
		e.leader.hushed, e.leader.silent = time.Time{}, time.Time{}
	}
}

// urls are a member's peer URLs. It is safe for concurrent use.
func (e *Elector) urls(id uint64) []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, m := range e.members {
		if m.ID == id {
			return m.PeerURLs
		}
	}
	return nil
}

// peers are the peer URLs of the other voting members, by member. It is safe
// for concurrent use.
func (e *Elector) peers() (urls [][]string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, m := range e.members {
		if m.ID != e.opts.Self && !m.Learner {
			urls = append(urls, m.PeerURLs)
		}
	}
	return urls
}
