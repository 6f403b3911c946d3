package election

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// fakeServer records what raft is asked, with the time in the test's bubble.
type fakeServer struct {
	mu         sync.Mutex
	begun      time.Time
	raft       raft.BasicStatus
	chosen     chan struct{}
	members    []Member
	removed    []uint64
	unrecorded bool
	views      int // how often it was looked at
	asked      []asked
	before     func(kind string) // called before each request, with the lock
	refuse     error             // the answer to the next request
	on         func(kind string) // called after each request, without the lock
}

type asked struct {
	what string
	at   time.Duration
}

func newFakeServer(leader uint64, voters ...uint64) *fakeServer {
	f := &fakeServer{chosen: make(chan struct{}), begun: time.Now()}
	f.raft.Lead, f.raft.HardState = leader, &raftpb.HardState{Term: new(uint64(2)), Vote: &leader}
	for _, id := range voters {
		f.members = append(f.members, Member{ID: id, PeerURLs: []string{"http://" + hex(id) + ":2380"}})
	}
	return f
}

func (f *fakeServer) Process(_ context.Context, m *raftpb.Message) error {
	kind := m.GetType().String()
	switch {
	case m.GetType() == raftpb.MsgHup && m.GetFrom() == raft.LocalAppendThread:
		kind = "hup"
	case m.GetType() == raftpb.MsgForgetLeader:
		kind = "forget"
	case m.GetType() == raftpb.MsgPreVote && m.GetTerm() == 1 && m.GetFrom() == f.View().Raft.Lead:
		kind = "knock"
	}
	f.mu.Lock()
	if f.before != nil {
		f.before(kind)
	}
	if m.GetTerm() < f.raft.HardState.GetTerm() && kind != "knock" {
		kind = "late " + kind // raft ignores it
	}
	f.asked = append(f.asked, asked{kind, time.Since(f.begun)})
	if kind == "forget" {
		f.raft.Lead = raft.None
	}
	on, refused := f.on, f.refuse
	f.refuse = nil
	f.mu.Unlock()
	if on != nil {
		on(kind)
	}
	return refused
}

func (f *fakeServer) LeaderChangedNotify() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.chosen
}

func (f *fakeServer) View() View {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.views++
	return View{
		Raft: f.raft, Members: slices.Clone(f.members), Recorded: !f.unrecorded,
		LeaderRemoved: f.raft.Lead != raft.None && slices.Contains(f.removed, f.raft.Lead),
	}
}

// become is how raft changes its state.
func (f *fakeServer) become(s raft.StateType, term, vote uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.raft.RaftState, f.raft.HardState = s, &raftpb.HardState{Term: &term, Vote: &vote}
}

// elected makes a leader known.
func (f *fakeServer) elected(id uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.raft.Lead, f.raft.RaftState = id, raft.StateFollower
	close(f.chosen)
	f.chosen = make(chan struct{})
}

// times are when something was asked.
func (f *fakeServer) times(kind string) (at []time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, a := range f.asked {
		if a.what == kind {
			at = append(at, a.at)
		}
	}
	return at
}

// kinds are what was asked, without repetitions.
func (f *fakeServer) kinds() (kinds []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, a := range f.asked {
		if len(kinds) == 0 || kinds[len(kinds)-1] != a.what {
			kinds = append(kinds, a.what)
		}
	}
	return kinds
}

// say is what raft's transport logs about a stream.
func say(s Streams, what, kind, typ string, peer uint64) {
	log := zap.New(zapcore.NewTee(zapcore.NewNopCore(), s))
	log.Warn(what, zap.String(kind, typ), zap.String(fieldPeer, hex(peer)))
}

// connect establishes all streams with peers.
func connect(s Streams, peers ...uint64) {
	for _, p := range peers {
		for _, typ := range []string{"stream Message", "stream MsgApp v2"} {
			say(s, msgEstablished, fieldReader, typ, p)
			say(s, msgEstablished, fieldWriter, typ, p)
		}
	}
}

// loseReaders is what a follower notices by itself when a peer goes away.
func loseReaders(s Streams, peer uint64) {
	say(s, msgLost, fieldReader, "stream Message", peer)
	say(s, msgLost, fieldReader, "stream MsgApp v2", peer)
}

// loseWriter is what it notices when it writes.
func loseWriter(s Streams, peer uint64) { say(s, msgLost, fieldWriter, writerProbed, peer) }

// elector runs an Elector of member self until the test ends.
func run(t *testing.T, f *fakeServer, self uint64, n *fakeNetwork, s Streams, change func(*Options)) *Elector {
	t.Helper()
	f.mu.Lock()
	f.raft.ID = self
	f.mu.Unlock()
	o := Options{
		Server: f, Self: self, Streams: s, Network: Network{Dial: n.dial},
		Timeout: time.Second, Log: zap.NewNop(), Changed: func() {}, Failover: true, Start: true,
	}
	if change != nil {
		change(&o)
	}
	e := New(o)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); e.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return e
}
