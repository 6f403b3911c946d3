package election

import (
	"context"
	"expvar"
	"slices"

	"go.etcd.io/etcd/server/v3/etcdserver"
	"go.etcd.io/etcd/server/v3/storage/schema"
	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"
)

// Server is one member, as an Elector sees it: etcd's own by [Embedded]. View
// is called by the Elector alone, the others may be called by any goroutine.
type Server interface {
	// Process hands a message to raft, as if it came over the network.
	Process(ctx context.Context, m *raftpb.Message) error
	// LeaderChangedNotify is closed when a leader becomes known, also if it
	// is the one that was known before there was none.
	LeaderChangedNotify() <-chan struct{}
	// View is what the member knows now.
	View() View
}

// View is what a member knows at one moment.
type View struct {
	// Raft is what raft itself says of its state, the zero value if it says
	// nothing. The server's own words, such as its Leader, lag behind by a
	// running write to the WAL.
	Raft raft.BasicStatus
	// Members are the members as applied here, this one included.
	Members []Member
	// LeaderRemoved: Raft.Lead was removed from the cluster, as applied here.
	// A leader that was added a moment ago is neither removed nor among Members.
	LeaderRemoved bool
	// Recorded: etcd's database names the term of its first entry.
	Recorded bool
}

// Member is one member of the cluster.
type Member struct {
	ID       uint64
	Name     string // empty before its first start, if it was added
	Learner  bool
	PeerURLs []string
}

// at reports whether two are the same member in the same place.
func (m Member) at(o Member) bool { return m.ID == o.ID && slices.Equal(m.PeerURLs, o.PeerURLs) }

// Embedded is etcd's server in this process. There is one in a process, for
// raft's state comes from expvar.
func Embedded(s *etcdserver.EtcdServer) Server { return &embedded{EtcdServer: s} }

type embedded struct {
	*etcdserver.EtcdServer
	recorded bool
}

func (e *embedded) View() View {
	v := View{Raft: RaftStatus().BasicStatus, Recorded: e.isRecorded()}
	v.LeaderRemoved = v.Raft.Lead != raft.None && e.IsIDRemoved(v.Raft.Lead)
	for _, m := range e.Cluster().Members() {
		v.Members = append(v.Members, Member{ID: uint64(m.ID), Name: m.Name, Learner: m.IsLearner, PeerURLs: m.PeerURLs})
	}
	return v
}

// isRecorded reports whether etcd has committed to its database, once, under
// which term it applies entries. It does so a batch interval (100 ms) after its
// very first start, and stock etcd's election comes later. A leader that is
// elected before cannot tell the version of its own data, and logs an error.
func (e *embedded) isRecorded() bool {
	if !e.recorded {
		_, term := schema.ReadConsistentIndex(e.Backend().ReadTx())
		e.recorded = term != 0
	}
	return e.recorded
}

// RaftStatus is what raft says of its state, as etcd publishes it in expvar; the
// zero value if it says nothing.
func RaftStatus() raft.Status {
	if f, ok := expvar.Get("raft.status").(expvar.Func); ok {
		if s, ok := f.Value().(raft.Status); ok {
			return s
		}
	}
	return raft.Status{}
}

// The two messages below carry the term in which their reason was seen. raft
// ignores them in a later one, so what has happened since is never undone: a
// leader of that later term is never forgotten, an election of that later term
// never repeated. In one term there is one leader at most. (A term of 0 would
// count as none. No member with a vote is in it.)

// forget gives up the leader of a term, and with it the lease that keeps this
// member from voting for another. A leader that lives is known again with its
// next message.
func (e *Elector) forget(ctx context.Context, term uint64) error {
	return e.opts.Server.Process(ctx, &raftpb.Message{
		Type: raftpb.MsgForgetLeader.Enum(), To: new(e.opts.Self), From: new(e.opts.Self), Term: new(term),
	})
}

// hup begins an election as raft's own timer does, with pre-vote. raft takes
// MsgHup from no member, only from its own threads. It panics where its log is
// not applied, see [snapshot.applied].
func (e *Elector) hup(ctx context.Context, term uint64) error {
	return e.opts.Server.Process(ctx, &raftpb.Message{
		Type: raftpb.MsgHup.Enum(), To: new(e.opts.Self), From: new(raft.LocalAppendThread), Term: new(term),
	})
}

// Knock makes the member self write to the stream that a peer opened to it:
// only a write finds out that the other end is gone, the second or third in
// fact, and an idle follower has nothing to say. It does so by handing raft a
// pre-vote request of term 1, in which no leader ever is, in the peer's name,
// as if it had been on its way since the cluster began. raft answers it with a
// rejection; a leader and a follower ignore answers to questions that they did
// not ask. A peer that asks at that very moment may take it for its answer: it
// asks again.
func Knock(ctx context.Context, s interface {
	Process(context.Context, *raftpb.Message) error
}, self, peer uint64) error {
	return s.Process(ctx, &raftpb.Message{
		Type: raftpb.MsgPreVote.Enum(), To: new(self), From: new(peer), Term: new(uint64(1)),
	})
}
