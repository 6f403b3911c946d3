package election

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.etcd.io/etcd/server/v3/etcdserver"
	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// quarter is what an election may take at most where nobody waits for timers:
// far more than the milliseconds that it does take, far less than a timer's
// minimum.
func quarter(n *node) time.Duration { return time.Duration(n.Election) * time.Millisecond / 4 }

// replaced waits for a leader other than old among nodes, and returns how long
// that took.
func replaced(t *testing.T, old uint64, nodes ...*node) time.Duration {
	t.Helper()
	begun := time.Now()
	until(t, "another leader", func() bool {
		for _, n := range nodes {
			if _, lead, _, ok := n.view(); ok && lead != 0 && lead != old {
				return true
			}
		}
		return false
	})
	return time.Since(begun)
}

// TestRaft rests on raft's internals: that MsgHup from raft.LocalAppendThread
// begins an election with pre-vote, that MsgForgetLeader gives up the lease,
// and that a member writes when it is handed a pre-vote of an old term.
func TestRaft(t *testing.T) {
	t.Parallel()
	for _, timing := range [][2]uint{{100, 2000}, {1000, 5000}} {
		t.Run(fmt.Sprint(timing), func(t *testing.T) {
			t.Parallel()
			nodes := newCluster(t, timing[0], timing[1], "a", "b", "c")
			leader, followers, term := roles(t, nodes...)
			old, _, _, _ := leader.view()
			hold(leader, followers...)
			kill9(leader)
			if took := replaced(t, old, followers...); took > quarter(leader) {
				t.Errorf("a new leader after %v, want less than %v", took, quarter(leader))
			}
			_, _, now := roles(t, followers...)
			if now > term+2 {
				t.Errorf("term %d, was %d", now, term)
			}
			asked := 0
			for _, n := range followers {
				if n.counter("leader_deaths_total") != 1 {
					t.Errorf("%s did not find the leader dead", n.Name)
				}
				asked += n.counter("campaigns_total")
			}
			if asked == 0 {
				t.Error("nobody asked")
			}
		})
	}
}

// Five members, two of them, the leader and another, killed at once.
func TestTwoOfFive(t *testing.T) {
	t.Parallel()
	nodes := newCluster(t, 500, 5000, "a", "b", "c", "d", "e")
	leader, followers, _ := roles(t, nodes...)
	old, _, _, _ := leader.view()
	hold(leader, followers...)
	kill9(followers[0])
	kill9(leader)
	if took := replaced(t, old, followers[1:]...); took > quarter(leader) {
		t.Errorf("a new leader after %v, want less than %v", took, quarter(leader))
	}
}

// A survivor that is stock etcd honours its lease to the end. It is asked again
// until then, so that no timer has to run out as well.
func TestStockSurvivor(t *testing.T) {
	t.Parallel()
	nodes := newCluster(t, 100, 2000, "a", "b", "stock")
	leader, followers, _ := roles(t, nodes...)
	for leader.Stock { // one of ours must go
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		to, _, _, _ := followers[0].view()
		_, err := leader.client.MoveLeader(ctx, to)
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		leader, followers, _ = roles(t, nodes...)
	}
	ours := followers[0]
	if ours.Stock {
		ours = followers[1]
	}
	old, _, _, _ := leader.view()
	hold(leader, ours)
	before, counted := ours.questions(), ours.counter("campaigns_total")
	kill9(leader)
	took, timeout := replaced(t, old, followers...), 2*time.Second
	if took > 2*timeout { // stock: between one and two
		t.Errorf("a new leader after %v", took)
	}
	// Five questions in a quarter of the timeout, and a moment.
	if asked := ours.questions() - before; took > timeout*9/10 && asked < 15 {
		t.Errorf("asked %d times in %v", asked, took)
	}
	if now := ours.counter("campaigns_total"); now != counted+1 {
		t.Errorf("counted as %d elections", now-counted)
	}
}

// A member restarted under a healthy leader asks, perhaps, and nobody agrees.
func TestRestartChangesNoTerm(t *testing.T) {
	t.Parallel()
	nodes := newCluster(t, 100, 2000, "a", "b", "c")
	_, followers, term := roles(t, nodes...)
	for i := range 4 {
		n := followers[i%2]
		n.kill()
		n.start()
		n.serves()
	}
	if _, _, now := roles(t, nodes...); now != term {
		t.Errorf("term %d, was %d", now, term)
	}
}

func TestSingleMemberStart(t *testing.T) {
	t.Parallel()
	n := newNode(t, "a", 1000, 10000)
	n.Cluster = "a=" + n.Advertise
	for range 2 { // without data and with
		begun := time.Now()
		n.start()
		until(t, "a leader", func() bool { _, lead, _, ok := n.view(); return ok && lead != 0 })
		if took := time.Since(begun); took > quarter(n) {
			t.Errorf("a leader after %v, want less than %v", took, quarter(n))
		}
		n.serves()
		n.kill()
	}
}

// What stands in front of the leader ends every connection to it and refuses
// new ones, for every follower at once, as a firewall answering RST or a
// restarted DNAT does. The leader lives, and its own connections stand.
func TestDeceivedAll(t *testing.T) {
	t.Parallel()
	nodes := newCluster(t, 100, 2000, "a", "b", "c")
	leader, followers, term := roles(t, nodes...)
	for doubts := 1; doubts <= 3; doubts++ {
		hold(leader, followers...)
		leader.proxy.cut()
		time.Sleep(300 * time.Millisecond) // what a restart takes
		leader.proxy.open()
		for _, n := range followers {
			until(t, n.Name+" to doubt", func() bool { return n.counter("doubts_total") >= doubts })
		}
		for _, n := range nodes {
			n.serves()
		}
	}
	now, _, at := roles(t, nodes...)
	if now != leader || at != term {
		t.Errorf("term %d under %s, was %d under %s", at, now.Name, term, leader.Name)
	}
	for _, n := range followers {
		if d := n.counter("leader_deaths_total"); d != 0 {
			t.Errorf("%s found a living leader dead %d times", n.Name, d)
		}
	}
}

// One follower has the whole evidence, for its own connections with everybody
// are ended as well; the others still hear the leader, and do not vote.
func TestDeceivedOne(t *testing.T) {
	t.Parallel()
	nodes := newCluster(t, 100, 2000, "a", "b", "c")
	leader, followers, term := roles(t, nodes...)
	victim := followers[0]
	until(t, "the deception", func() bool {
		hold(leader, victim)
		leader.proxy.cut()
		victim.proxy.cut() // else the leader connects again at once
		time.Sleep(200 * time.Millisecond)
		victim.proxy.open()
		leader.proxy.open()
		return victim.counter("leader_deaths_total") > 0
	})
	until(t, "its end", func() bool { return victim.counter("deceptions_total") > 0 })
	for _, n := range nodes {
		n.serves()
	}
	if now, _, at := roles(t, nodes...); now != leader || at != term {
		t.Errorf("term %d under %s, was %d under %s", at, now.Name, term, leader.Name)
	}
}

// A learner has the evidence, as the others have, but no vote.
func TestLearnerNeverAsks(t *testing.T) {
	t.Parallel()
	nodes := newCluster(t, 100, 2000, "a", "b", "c")
	leader, followers, _ := roles(t, nodes...)
	learner := newNode(t, "l", 100, 2000)
	until(t, "the learner to be added", func() bool { // refused while the cluster is young
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := leader.client.MemberAddAsLearner(ctx, []string{learner.Advertise})
		return err == nil || strings.Contains(err.Error(), "exist")
	})
	learner.State, learner.Cluster = "existing", leader.Cluster+",l="+learner.Advertise
	learner.start()
	until(t, "the learner to follow", func() bool { _, lead, _, ok := learner.view(); return ok && lead != 0 })
	old, _, _, _ := leader.view()
	hold(leader, append(followers, learner)...)
	kill9(leader)
	replaced(t, old, followers...)
	if got := learner.connection(old); got != refused { // by the dead one, before it follows the next
		t.Errorf("its connection to the dead leader is %q", got.what)
	}
	if d, c := learner.counter("leader_deaths_total"), learner.counter("campaigns_total"); d+c > 0 {
		t.Errorf("the learner found %d dead and asked %d times", d, c)
	}
}

// A leader whose supervisor is quicker than its followers: nobody sees its port
// closed, and its own question gives it away.
func TestLeaderRestartedUnnoticed(t *testing.T) {
	t.Parallel()
	nodes := newCluster(t, 500, 5000, "a", "b", "c")
	leader, followers, term := roles(t, nodes...)
	hold(leader, followers...)
	leader.kill() // its proxy lives, and accepts connections for it
	leader.start()
	begun := time.Now()
	leader.serves()
	if took := time.Since(begun); took > 2*quarter(leader) {
		t.Errorf("it serves again after %v, want less than %v", took, 2*quarter(leader))
	}
	if _, _, now := roles(t, nodes...); now > term+2 || now == term {
		t.Errorf("term %d, was %d", now, term)
	}
}

// A leader that is removed from the cluster is replaced as soon as its removal
// is applied.
func TestLeaderRemoved(t *testing.T) {
	t.Parallel()
	nodes := newCluster(t, 1000, 5000, "a", "b", "c")
	leader, followers, _ := roles(t, nodes...)
	old, _, _, _ := leader.view()
	until(t, "the removal", func() bool { // refused while the cluster is young
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := followers[0].client.MemberRemove(ctx, old)
		return err == nil
	})
	// stock: between one election timeout and two
	if took := replaced(t, old, followers...); took > 2*quarter(leader) {
		t.Errorf("a new leader after %v, want less than %v", took, 2*quarter(leader))
	}
}

// What raft logs when it is refused a vote, and granted a pre-vote.
func TestVotesHeard(t *testing.T) {
	s := NewStreams()
	r := candidate(t, s, false)
	err := r.Step(&raftpb.Message{Type: raftpb.MsgVoteResp.Enum(), From: new(uint64(11)), To: new(uint64(10)), Term: new(uint64(7)), Reject: new(true)})
	if err != nil {
		t.Fatal(err)
	}
	if s.of(11).denied != 7 || s.of(12).denied != 0 {
		t.Errorf("%+v and %+v", s.of(11), s.of(12))
	}
}

// What a message of an earlier term asks for is not done, as the elector sends
// them; in the same term it is.
func TestTerms(t *testing.T) {
	for _, term := range []uint64{6, 7} {
		r := candidate(t, NewStreams(), true)
		heartbeat := &raftpb.Message{Type: raftpb.MsgHeartbeat.Enum(), From: new(uint64(11)), To: new(uint64(10)), Term: new(uint64(7))}
		e := New(Options{Server: rawServer{r}, Self: 10})
		for name, ask := range map[string]func(context.Context, uint64) error{"forget": e.forget, "hup": e.hup} {
			if err := r.Step(heartbeat); err != nil {
				t.Fatal(err)
			}
			if err := ask(t.Context(), term); err != nil {
				t.Fatal(err)
			}
			now := r.BasicStatus()
			if follows := now.Lead == 11; follows != (term < 7) || now.HardState.GetTerm() != 7 {
				t.Errorf("%s in term %d: it follows %d in term %d", name, term, now.Lead, now.HardState.GetTerm())
			}
		}
	}
}

type rawServer struct{ *raft.RawNode }

func (s rawServer) Process(_ context.Context, m *raftpb.Message) error { return s.Step(m) }
func (rawServer) LeaderChangedNotify() <-chan struct{}                 { return nil }
func (rawServer) View() View                                           { return View{} }

// candidate is raft alone, member 10 of 10, 11 and 12, that asks for votes.
func candidate(t *testing.T, s Streams, preVote bool) *raft.RawNode {
	t.Helper()
	storage := raft.NewMemoryStorage()
	storage.SetHardState(&raftpb.HardState{Term: new(uint64(6)), Commit: new(uint64(1))})
	storage.ApplySnapshot(&raftpb.Snapshot{Metadata: &raftpb.SnapshotMetadata{
		Index: new(uint64(1)), Term: new(uint64(1)), ConfState: &raftpb.ConfState{Voters: []uint64{10, 11, 12}},
	}})
	r, err := raft.NewRawNode(&raft.Config{
		ID: 10, ElectionTick: 10, HeartbeatTick: 1, Storage: storage, Applied: 1,
		MaxSizePerMsg: 1 << 20, MaxInflightMsgs: 1, MaxCommittedSizePerReady: 1 << 20, PreVote: preVote,
		Logger: etcdserver.NewRaftLoggerZap(zap.New(zapcore.NewTee(zapcore.NewNopCore(), s))),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Campaign(); err != nil {
		t.Fatal(err)
	}
	return r
}
