package election

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"go.etcd.io/raft/v3"
	"go.uber.org/zap"
)

const (
	// stagger is how long a member waits for the one before it. An election
	// that nothing hinders takes two round trips and two disk writes, a few
	// milliseconds; where it takes longer a second candidate costs a term but
	// no time. It is also what a first candidate costs whose log is shorter.
	stagger = 50 * time.Millisecond
	// stateInterval is how late a change of raft's own state is seen, which
	// nothing announces.
	stateInterval = 10 * time.Millisecond
	// pollInterval is how late something is seen that nothing announces: that
	// there is no leader any more, a change of the membership.
	pollInterval = 200 * time.Millisecond
	// minDistrust and maxDistrust bound for how long a leader that turned out
	// to be alive is left to etcd's timers; it doubles each time.
	minDistrust, maxDistrust = time.Minute, time.Hour
)

// Options are what an Elector works with.
type Options struct {
	Server  Server
	Self    uint64 // this member's ID
	Streams Streams
	Network Network
	// Timeout is etcd's election timeout: after it etcd acts by itself.
	Timeout time.Duration
	Log     *zap.Logger
	// Changed is called, from any goroutine, when Counts has changed.
	Changed func()
	// Failover and Start turn the two parts on.
	Failover, Start bool
}

// Counts says what was done since the process began.
type Counts struct {
	Deaths    int // leaders found dead, by the whole evidence
	Campaigns int // elections asked for, also those at the start
	Deceived  int // leaders that were given up and turned out to be alive
	Doubts    int // leaders that refused connections, but whose own to us stood
}

// Elector asks for elections on behalf of one member. Make one with New.
type Elector struct {
	opts Options

	mu       sync.Mutex
	counts   Counts
	distrust map[uint64]distrust // only used by follow
}

type distrust struct {
	until time.Time
	pause time.Duration
}

// New returns an Elector that does nothing before Run.
func New(o Options) *Elector {
	return &Elector{opts: o, distrust: map[uint64]distrust{}}
}

// Counts returns what was done so far. It is safe for concurrent use.
func (e *Elector) Counts() Counts {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.counts
}

// Run works until ctx ends. Call it once the server was started.
func (e *Elector) Run(ctx context.Context) {
	if e.opts.Start {
		e.begin(ctx)
	}
	if e.opts.Failover {
		e.follow(ctx)
	}
}

// voters are the IDs of the voting members in their order; ok says that this
// member is one of them.
func (e *Elector) voters() (ids []uint64, ok bool) {
	for _, m := range e.opts.Server.Members() {
		if !m.Learner {
			ids = append(ids, m.ID)
			ok = ok || m.ID == e.opts.Self
		}
	}
	slices.Sort(ids)
	return ids, ok
}

// connected reports whether a member takes part, as far as we can know.
func (e *Elector) connected(id uint64) bool {
	return id == e.opts.Self || e.opts.Streams.hears(hex(id))
}

// rank is this member's place in the order of the connected voting members.
// One before it does not count whose request it has refused since then, if
// nobody can be elected without this member's vote: its own log is longer, and
// it is for it to ask.
func (e *Elector) rank(without uint64, since time.Time) int {
	ids, _ := e.voters()
	there := 0
	for _, id := range ids {
		if id != without && e.connected(id) {
			there++
		}
	}
	decisive := there-1 <= len(ids)/2
	rank := 0
	for _, id := range ids {
		if id == e.opts.Self {
			break
		}
		if id != without && e.connected(id) && !(decisive && e.opts.Streams.refused(hex(id), since)) {
			rank++
		}
	}
	return rank
}

// plan is how to ask for an election.
type plan struct {
	term    uint64 // raft's, before it was decided to ask
	without uint64 // the leader that was given up
	// atOnce: regardless of the order.
	atOnce bool
	// soon is when, after the beginning of a turn, the question is put again:
	// the others may have been a moment later to give up the leader, and have
	// ignored it.
	soon []time.Duration
	// again is how long after the beginning of a turn the next begins: etcd
	// members that do not act like this one honour their lease for its whole
	// length, and then wait longer than we do.
	again time.Duration
	limit time.Duration
	// may is asked before each question; nil: there is nothing in its way.
	may func() bool
}

// campaign asks for elections, at this member's turns, until a leader is known
// or the limit has passed; chosen is the server's notification, taken before
// there was none. The result is raft's term, as far as it was looked at.
func (e *Elector) campaign(ctx context.Context, p plan, chosen <-chan struct{}) (term uint64) {
	over := time.After(p.limit)
	// wait returns false when the campaign is over.
	wait := func(d time.Duration, moved <-chan struct{}) bool {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-ctx.Done():
			return false
		case <-over:
			return false
		case <-chosen:
			return false
		case <-moved:
		case <-timer.C:
		}
		select {
		case <-chosen: // of several that are ready
			return false
		default:
			return true
		}
	}
	asked := time.Now()
	questions := append([]time.Duration{0}, p.soon...)
	begun, turn, question := asked, 0, 0
	again := func() { // in order, also for who asked at once
		begun, turn, question, p.atOnce = time.Now(), 0, 0, false
	}
	stood := false     // as a candidate, in the term p.term
	var last time.Time // when it asked last
	for {
		moved := e.opts.Streams.changed()
		s := e.opts.Server.Raft()
		switch term, vote := s.HardState.GetTerm(), s.HardState.GetVote(); {
		case term > p.term:
			// Whoever has just got our vote would be deposed by our question
			// the moment it leads. It wants two disk writes, of any length.
			p.term, stood = term, false
			pause := e.opts.Timeout / 2
			switch vote {
			case raft.None:
				pause = 0
			case e.opts.Self:
				pause = stateInterval // it stands, or has stood for a moment only
			}
			if pause > 0 && !wait(pause, nil) {
				return p.term
			}
			again()
			continue
		case s.RaftState == raft.StateCandidate && !e.outvoted(p.without, term):
			// Its own vote is being written, and the others' are. To begin
			// again would throw them away, for as long as a write takes longer
			// than our patience. Should they be lost, raft's timer asks anew.
			stood = true
			if !wait(stateInterval, moved) {
				return p.term
			}
			continue
		case stood: // and has lost
			stood = false
			again()
			continue
		}
		due := begun.Add(time.Duration(turn)*p.again + questions[question])
		if !p.atOnce {
			due = due.Add(time.Duration(e.rank(p.without, asked)) * stagger)
		}
		if left := time.Until(due); left > 0 {
			if !wait(left, moved) { // ranks may have changed, votes been refused
				return p.term
			}
			continue
		}
		pause := time.Duration(0)
		switch {
		case e.agreed(last):
			pause = stateInterval // it is about to stand
		case !e.applied(s):
			pause = applyPause
		case s.Lead != raft.None && s.Lead != p.without:
			// The server's word lags behind raft's by a disk write. The leader
			// that was given up may be raft's again by a message that it sent
			// before it died.
			pause = stateInterval
		case p.may != nil:
			if !p.may() {
				pause = pollInterval
			} else if now := e.opts.Server.Raft(); now.Lead != raft.None || now.HardState.GetTerm() > p.term {
				continue // it has taken a while
			}
		}
		if pause > 0 {
			if !wait(pause, moved) {
				return p.term
			}
			continue
		}
		select {
		case <-chosen:
			return p.term
		default:
		}
		last = time.Now()
		e.count(campaigns, func(c *Counts) { c.Campaigns++ })
		if err := e.hup(ctx); err != nil {
			return p.term // the server stops
		}
		if question++; question == len(questions) {
			turn, question = turn+1, 0
		}
	}
}

// agreed reports whether a quorum has granted this member its pre-vote to a
// question that was put then. To ask again would throw that away.
func (e *Elector) agreed(since time.Time) bool {
	if since.IsZero() || time.Since(since) > e.opts.Timeout/4 { // it came to nothing
		return false
	}
	ids, _ := e.voters()
	agreed := 1 // itself
	for _, id := range ids {
		if id != e.opts.Self && e.opts.Streams.agreed(hex(id), since) {
			agreed++
		}
	}
	return len(ids) > 1 && agreed > len(ids)/2
}

// outvoted reports whether so many have refused this member their vote in a
// term that those who are there cannot elect it any more: the votes are split.
func (e *Elector) outvoted(without, term uint64) bool {
	ids, _ := e.voters()
	left := 0
	for _, id := range ids {
		if id != without && e.connected(id) && !e.opts.Streams.denied(hex(id), term) {
			left++
		}
	}
	return left <= len(ids)/2
}

// applyPause is how soon to look again whether raft has applied its log.
const applyPause = time.Millisecond

// applied reports whether raft counts all that it knows to be committed as
// applied. Before it campaigns, raft looks for changes of the configuration
// among the entries that are not, and panics if etcd has compacted them away
// already: etcd applies and compacts before raft counts. That is so for a
// moment after a start, where a timer would not have run out yet.
func (e *Elector) applied(s raft.BasicStatus) bool {
	return s.ID == e.opts.Self && s.Applied >= s.HardState.GetCommit()
}

func (e *Elector) count(metric counter, f func(*Counts)) {
	e.mu.Lock()
	f(&e.counts)
	e.mu.Unlock()
	metric.Inc()
	e.opts.Changed()
}

// hex is a member ID as etcd prints it.
func hex(id uint64) string { return fmt.Sprintf("%x", id) }
