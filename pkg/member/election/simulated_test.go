package election

import (
	"flag"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.etcd.io/raft/v3"

	"github.com/etcd-node/etcd-node/pkg/member/silence"
)

// One seed alone: -run 'TestSimulated/all/seed=17$' -trace, with -seeds above it.
var (
	seeds = flag.Int("seeds", 100, "how many clusters are simulated: 2000 in a minute, on two quiet cores")
	trace = flag.Bool("trace", false, "print what raft and the electors say in TestSimulated")
)

// rulesApplied are the names of the rules that have decided in simulations.
var rulesApplied sync.Map

// result is what a simulation was like.
type result struct {
	faults []string
	deaths int // leaders killed
	terms  int // that it took to replace them
	starts int // of all members
	begun  int // terms that those took
	took   []time.Duration
}

func (r *result) add(o result) {
	r.faults, r.took = append(r.faults, o.faults...), append(r.took, o.took...)
	r.deaths, r.terms, r.starts, r.begun = r.deaths+o.deaths, r.terms+o.terms, r.starts+o.starts, r.begun+o.begun
}

// perElection is how many terms it takes to elect a leader.
func (r *result) perElection() float64 { return float64(r.terms+r.begun) / float64(r.deaths+r.starts) }

func (r *result) String() string {
	slices.Sort(r.took)
	n := max(1, len(r.took))
	return fmt.Sprintf("%d leaders killed, %.3f terms each, half of them replaced within %v, all within %v; %d starts, %.3f terms each",
		r.deaths, float64(r.terms)/float64(max(1, r.deaths)), append(r.took, 0)[n/2], append(r.took, 0)[n-1],
		r.starts, float64(r.begun)/float64(max(1, r.starts)))
}

// simulate lets one cluster live through what a seed has in store for it.
func simulate(w *world) (r result) {
	w.play(&r)
	w.mu.Lock()
	w.stopped = true
	var running []*simNode
	for _, n := range w.nodes {
		if n.alive() {
			running = append(running, n)
		}
		for c := range n.conns {
			c.Close()
		}
		n.cancel()
	}
	r.faults = w.faults
	w.mu.Unlock()
	for _, n := range running {
		<-n.done
	}
	time.Sleep(2 * w.trip()) // for answers that are on their way
	if len(r.faults) > 0 {
		r.faults = append([]string{w.String()}, r.faults...)
	}
	return r
}

func (w *world) play(r *result) {
	w.startAll(r)
	for range 4 {
		time.Sleep(2 * w.timeout)
		leader, term := w.leader()
		if leader == nil {
			w.locked(func() { w.fault("the leader is gone") })
			return
		}
		var followers []*simNode
		for _, n := range w.voters() {
			if n != leader {
				followers = append(followers, n)
			}
		}
		w.locked(func() {
			w.rand.Shuffle(len(followers), func(i, j int) { followers[i], followers[j] = followers[j], followers[i] })
		})
		minority := len(followers) / 2
		some := 1
		w.locked(func() { some += w.rand.IntN(minority) })
		unchanged := func(what string) {
			now, at := w.leader()
			w.locked(func() {
				if now != leader || at != term {
					w.fault("%s: term %d, was %d", what, at, term)
				}
			})
		}
		var event int
		w.locked(func() { event = w.rand.IntN(w.events) })
		switch event {
		case 0, 1, 2: // the leader dies, alone or with others
			dead := []*simNode{leader}
			if event == 2 {
				dead = append(dead, followers[:some-1]...)
			}
			w.locked(func() {
				for _, n := range dead {
					n.die(false)
				}
			})
			w.replaced(r, term, event == 0, dead)
		case 3: // what stands before the leader ends all connections to it
			w.locked(func() {
				shut := time.Duration(w.between(0, 5e8))
				for _, n := range followers {
					w.sever(n.i, leader.i, shut)
				}
			})
			time.Sleep(2 * w.timeout)
			unchanged("all deceived")
		case 4: // some are cut off from it both ways
			w.locked(func() {
				shut := time.Duration(w.between(0, 5e8))
				for _, n := range followers[:some] {
					w.sever(n.i, leader.i, shut)
					w.sever(leader.i, n.i, shut)
				}
			})
			time.Sleep(2 * w.timeout)
			unchanged("some deceived")
		case 5, 6: // followers are restarted, some or all of them
			if event == 6 {
				some = len(followers)
			}
			w.locked(func() {
				for _, n := range followers[:some] {
					n.die(false)
					w.after(time.Duration(w.between(0, float64(w.timeout)/10)), n.start)
				}
			})
			time.Sleep(2 * w.timeout)
			unchanged(fmt.Sprintf("%d followers restarted", some))
		case 8: // the leader is removed from the cluster, and ends without a word
			w.locked(func() {
				w.removed = leader.id
				leader.die(true)
			})
			w.replaced(r, term, false, []*simNode{leader})
		case 9: // the leader dies, and so does the next, perhaps before the first is back
			for dead := leader; dead != nil; leader, dead = nil, w.next(leader) {
				w.locked(func() {
					dead.die(false)
					w.after(time.Duration(w.between(0, float64(w.timeout)/2)), dead.start)
				})
				r.deaths++
			}
			if _, now, ok := w.elects(len(w.voters())); ok {
				r.terms += int(now - term)
			}
		case 10: // the leader's host is gone
			w.locked(leader.vanish)
			w.replaced(r, term, false, []*simNode{leader})
		case 11: // the leader's cable is out for a moment
			w.locked(func() { w.unplug(leader, time.Duration(w.between(0, 0.9*float64(hostSilence)))) })
			time.Sleep(2 * w.timeout)
			unchanged("a short outage")
		case 12: // some followers' cables are out for long
			given := func() (sum int) {
				for _, n := range followers[:some] {
					c := n.elector.Counts()
					sum += c.Silent + c.Deceived
				}
				return sum
			}
			before := given()
			w.locked(func() {
				for _, n := range followers[:some] {
					w.unplug(n, time.Duration(w.between(0, 5e9)))
				}
			})
			time.Sleep(5*time.Second + 2*w.timeout)
			unchanged(fmt.Sprintf("%d followers cut off", some))
			if after := given(); after != before {
				w.locked(func() { w.fault("cut off themselves, they gave up the leader: %d, then %d", before, after) })
			}
		case 13: // all followers are frozen, while the leader's cable is out for a moment
			w.locked(func() {
				w.unplug(leader, time.Duration(w.between(0, 0.7*float64(hostSilence))))
				for _, n := range followers {
					w.after(time.Duration(w.between(0, float64(hostSilence))), func() {
						n.frozen = time.Now().Add(time.Duration(w.between(0.2, 0.4) * float64(w.timeout)))
					})
				}
			})
			time.Sleep(2 * w.timeout)
			unchanged("all followers frozen")
		case 7: // all are restarted
			w.locked(func() {
				for _, n := range w.nodes {
					n.die(false)
				}
			})
			w.startAll(r)
		}
	}
}

// startAll starts all members within a quarter of the election timeout.
func (w *world) startAll(r *result) {
	var before uint64
	w.locked(func() {
		for _, n := range w.nodes {
			hs, _, _ := n.storage.InitialState()
			before = max(before, hs.GetTerm())
			w.after(time.Duration(w.between(0, float64(w.timeout)/4)), n.start)
		}
	})
	time.Sleep(w.timeout / 4)
	if _, term, ok := w.elects(len(w.nodes)); ok {
		r.starts++
		r.begun += int(term - before)
	}
}

// replaced waits for the next leader, starts the dead again, now or then, and
// waits until all follow.
func (w *world) replaced(r *result, term uint64, atOnce bool, dead []*simNode) {
	var restart time.Duration
	w.locked(func() {
		restart = time.Duration(w.between(0.5, 3) * float64(w.timeout))
		if atOnce {
			restart = time.Duration(w.between(0, 2e8))
		}
		for _, n := range dead {
			w.after(restart, n.start)
		}
	})
	took, now, ok := w.elects(len(w.voters()) - len(dead))
	if !ok {
		return
	}
	r.deaths++
	r.terms += int(now - term)
	r.took = append(r.took, took)
	distrusted := false // a leader that was given up before, and lived, is left to the timer
	gone := false       // its host is
	w.locked(func() {
		w.removed = raft.None
		gone = w.excused[dead[0].i]
		for _, n := range w.voters() {
			distrusted = distrusted || n.elector.Counts().Deceived > 0
		}
	})
	limit := pollInterval + w.timeout/2 + 8*(w.trip()+w.slow+w.busy)
	if w.loss > 0 {
		limit += w.timeout
	}
	if gone {
		limit = max(limit+silence.Quiet+200*time.Millisecond, limit+w.silenceLimit())
		if w.busy > 0 || w.silenceLimit() > w.timeout*7/10 {
			limit = 3*w.timeout + limit // it is left to etcd's timer, by late steps or a far network
		}
	}
	if !distrusted && took > limit {
		w.locked(func() { w.fault("a dead leader was replaced after %v", took) })
	}
	time.Sleep(restart - took + w.timeout)
	after, at := w.leader()
	w.locked(func() {
		if after == nil || at != now {
			w.fault("a member came back: term %d, was %d", at, now)
		}
	})
}

// next waits for the leader after a dead one, not long, for there may be no
// quorum, and returns nil for none or after none.
func (w *world) next(dead *simNode) (leader *simNode) {
	for begun := time.Now(); dead != nil && leader == nil && time.Since(begun) < w.timeout; time.Sleep(w.timeout / 500) {
		w.locked(func() {
			for _, n := range w.voters() {
				if n.alive() && n.raw.BasicStatus().RaftState == raft.StateLeader {
					leader = n
				}
			}
		})
	}
	return leader
}

// elects waits for a leader that so many voting members follow.
func (w *world) elects(voters int) (took time.Duration, term uint64, ok bool) {
	begun := time.Now()
	limit := 3*w.timeout + 20*(w.trip()+w.slow+w.busy)
	for time.Since(begun) < limit {
		if leader, at := w.leader(); leader != nil {
			return time.Since(begun), at, true
		}
		time.Sleep(w.timeout / 500)
	}
	w.locked(func() {
		w.fault("no leader after %v", limit)
		for _, n := range w.nodes {
			if n.alive() {
				s := n.raw.BasicStatus()
				w.faults = append(w.faults, fmt.Sprintf("  %d: %v in term %d, voted for %d, follows %d", n.id, s.RaftState, s.HardState.GetTerm(), s.HardState.GetVote(), s.Lead))
			}
		}
	})
	return 0, 0, false
}

// leader is the one that all living voting members follow.
func (w *world) leader() (leader *simNode, term uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	lead, alive := uint64(raft.None), 0
	for _, n := range w.voters() {
		if !n.alive() {
			continue
		}
		alive++
		s := n.raw.BasicStatus()
		if s.Lead == raft.None || lead != raft.None && (s.Lead != lead || s.HardState.GetTerm() != term) {
			return nil, 0
		}
		lead, term = s.Lead, s.HardState.GetTerm()
	}
	if alive <= len(w.voters())/2 || !w.nodes[lead-1].alive() {
		return nil, 0
	}
	return w.nodes[lead-1], term
}

func (w *world) locked(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f()
}

// Thousands of clusters, over near and far networks, with quick and slow disks.
func TestSimulated(t *testing.T) {
	var (
		mu  sync.Mutex
		sum result
	)
	t.Run("all", func(t *testing.T) {
		for seed := range *seeds {
			t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					r := simulate(newWorld(uint64(seed), rules))
					for _, f := range r.faults {
						t.Error(f)
					}
					mu.Lock()
					defer mu.Unlock()
					sum.add(r)
				})
			})
		}
	})
	if sum.deaths == 0 {
		return // another seed was asked for
	}
	t.Log(sum.String())
	if float64(sum.terms) > 1.2*float64(sum.deaths) {
		t.Errorf("%d terms for %d dead leaders", sum.terms, sum.deaths)
	}
	for _, r := range slices.Concat(rules.following, rules.electing) {
		if _, ok := rulesApplied.Load(r.name); !ok && *seeds >= 1000 {
			t.Errorf("the rule %q never decided", r.name)
		}
	}
}

// The simulation must notice when a part of the rules is missing: here each
// elector is blind for what that part looks at.
func TestSimulatedBlind(t *testing.T) {
	const normal = 1.045 // terms in an election; with slow disks it is 1.025, and 1.065 without agreement
	slow := func(w *world) bool { return w.slow > time.Millisecond }
	far := func(w *world) bool { return w.slow <= time.Millisecond && w.trip() > 100*time.Millisecond }
	for _, blind := range []struct {
		to    string
		keep  func(*snapshot)
		where func(*world) bool // nil: everywhere
		rare  bool              // it takes hundreds of seeds
		hosts bool              // also with hosts that are silent, which split no votes
	}{
		{to: "the order", keep: func(s *snapshot) { s.led = true }},
		{to: "another that stands", keep: func(s *snapshot) { s.voted = time.Time{} }},
		{to: "its agreement to another", keep: func(s *snapshot) { s.each(func(v *voter) { v.backed = time.Time{} }) }, where: slow, rare: true},
		{to: "its candidacy", keep: func(s *snapshot) { s.role, s.stood = raft.StateFollower, time.Time{} }},
		// Votes are hardly ever split where members wait for one that they have agreed to.
		{to: "having lost", keep: func(s *snapshot) { s.each(func(v *voter) { v.denied, v.backed = 0, time.Time{} }) }, where: slow, rare: true},
		{to: "who leads", keep: func(s *snapshot) { s.election.answer, s.election.answered = nobody, s.now }},
		{to: "the whole silence", hosts: true, keep: func(s *snapshot) { s.leader.silent = s.leader.hushed }},
		{to: "who asks during half of it", hosts: true, keep: func(s *snapshot) { s.each(func(v *voter) { v.ignored = s.now }) }},
		{to: "the leader's own stream", keep: func(s *snapshot) { s.leader.abandoned = true }},
		{to: "round trips", keep: func(s *snapshot) { s.each(func(v *voter) { v.trip = 0 }) }, where: far},
	} {
		t.Run(blind.to, func(t *testing.T) {
			t.Parallel()
			if blind.rare && *seeds < 1000 {
				t.Skip("it takes -seeds 1000")
			}
			see := rule{name: "blind", applies: func(s *snapshot) bool { blind.keep(s); return false }}
			blinded := rulebook{append([]rule{see}, rules.following...), append([]rule{see}, rules.electing...)}
			var sum result
			for seed := 0; seed < *seeds && len(sum.faults) == 0; seed++ {
				w := newWorld(uint64(seed), blinded)
				if !blind.hosts {
					w.events = hostEvents
				}
				if blind.where == nil || blind.where(w) {
					synctest.Test(t, func(t *testing.T) { sum.add(simulate(w)) })
				}
			}
			t.Logf("%v %v", &sum, sum.faults)
			if len(sum.faults) == 0 && sum.perElection() < normal {
				t.Errorf("not noticed")
			}
		})
	}
}

// each changes what is known of the voters.
func (s *snapshot) each(change func(*voter)) {
	for i := range s.voters {
		change(&s.voters[i])
	}
}
