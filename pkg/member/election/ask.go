package election

import (
	"context"
	"expvar"

	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"
)

// Server is what is asked of etcd's server; an *etcdserver.EtcdServer in a
// small adapter is one. Its methods may be called at any time from any
// goroutine.
type Server interface {
	// Process hands a message to raft, as if it came over the network.
	Process(ctx context.Context, m *raftpb.Message) error
	// Leader is the leader's member ID, 0 if there is none.
	Leader() uint64
	// LeaderChangedNotify is closed when a leader becomes known, also if it
	// is the one that was known before there was none.
	LeaderChangedNotify() <-chan struct{}
	// Members are the members as applied here, this one included.
	Members() []Member
	// Removed reports whether a member was removed from the cluster, as
	// applied here. One that was added a moment ago is neither removed nor
	// among Members.
	Removed(id uint64) bool
	// Raft is what raft itself says of its state; see [RaftStatus].
	Raft() raft.BasicStatus
}

// RaftStatus is what raft says of its state, as etcd publishes it in expvar;
// the zero value if it does not. There is one etcd server in a process.
func RaftStatus() raft.BasicStatus {
	if f, ok := expvar.Get("raft.status").(expvar.Func); ok {
		if s, ok := f.Value().(raft.Status); ok {
			return s.BasicStatus
		}
	}
	return raft.BasicStatus{}
}

// Member is one member of the cluster.
type Member struct {
	ID       uint64
	Learner  bool
	PeerURLs []string
}

// forget gives up the leader, and with it the lease that keeps this member
// from voting for another. A leader that lives is known again with its next
// message.
func (e *Elector) forget(ctx context.Context) error {
	return e.opts.Server.Process(ctx, &raftpb.Message{
		Type: raftpb.MsgForgetLeader.Enum(), To: new(e.opts.Self), From: new(e.opts.Self),
	})
}

// hup begins an election as raft's own timer does, with pre-vote. raft takes
// MsgHup from no member, only from its own threads. Not before [Elector.applied].
func (e *Elector) hup(ctx context.Context) error {
	return e.opts.Server.Process(ctx, &raftpb.Message{
		Type: raftpb.MsgHup.Enum(), To: new(e.opts.Self), From: new(raft.LocalAppendThread),
	})
}

func (e *Elector) knock(ctx context.Context, leader uint64) error {
	return Knock(ctx, e.opts.Server, e.opts.Self, leader)
}

// Knock makes the member self write to the stream that a peer opened to it:
// only a write finds out that the other end is gone, the second or third in
// fact, and an idle follower has nothing to say. It does so by handing raft a
// pre-vote request of term 1, of which no leader ever is, in the peer's name,
// as if it had been on its way since the cluster began. raft answers it with a
// rejection; a leader and a follower ignore answers to questions that they did
// not ask. A peer that asks at that very moment may take it for its answer: it
// asks again.
func Knock(ctx context.Context, s Server, self, peer uint64) error {
	return s.Process(ctx, &raftpb.Message{
		Type: raftpb.MsgPreVote.Enum(), To: new(self), From: new(peer), Term: new(uint64(1)),
	})
}
