package member

import (
	"context"
	"sync"
	"time"

	"google.golang.org/grpc"

	"go.etcd.io/etcd/client/pkg/v3/types"
	"go.etcd.io/etcd/server/v3/etcdserver"
	"go.etcd.io/etcd/server/v3/etcdserver/api/membership"
	"go.etcd.io/raft/v3"

	"github.com/etcd-node/etcd-node/pkg/member/election"
	"github.com/etcd-node/etcd-node/pkg/member/flight"
	"github.com/etcd-node/etcd-node/pkg/status"
)

// newFlight makes what ends requests to a lost leader; nil where that is turned
// off. It must be there before etcd is.
func (m *member) newFlight() *flight.Tracker {
	if !m.Election.Failover {
		return nil
	}
	t := flight.New(flight.Options{
		Timeout:  time.Duration(m.Config.ElectionMs) * time.Millisecond,
		Activity: m.activity,
		Changed:  m.observer.ask,
	})
	m.Config.GRPCAdditionalServerOptions = append(m.Config.GRPCAdditionalServerOptions, grpc.ChainUnaryInterceptor(t.Intercept), grpc.ChainStreamInterceptor(t.InterceptStream))
	return t
}

// requests is what was done with requests to a lost leader.
func (m *member) requests() status.Requests {
	if m.flight == nil {
		return status.Requests{}
	}
	return status.Requests(m.flight.Counts())
}

// lookAtRequests has the requests under way looked at, because the quorum was lost
// or is back, and the status show it: its clients see it at once.
func (m *member) lookAtRequests() {
	m.observer.ask()
	if m.flight != nil {
		m.flight.Look()
	}
}

// hold keeps requests back while the leadership is handed over.
func (m *member) hold(ctx context.Context) (release func()) {
	if m.flight == nil {
		return func() {}
	}
	return m.flight.Hold(ctx)
}

// served is etcd's server as package flight sees it.
type served struct {
	*etcdserver.EtcdServer
	member *member
}

func (s served) Self() uint64 { return uint64(s.MemberID()) }

func (s served) Leader() (id, term uint64) {
	is := election.RaftStatus()
	return is.Lead, is.HardState.GetTerm()
}

func (s served) AppliedTerm() uint64 { return s.Term() }

// MayMove is what etcd asks before it moves the leadership for a client.
func (s served) MayMove(ctx context.Context, to uint64) bool {
	heir := s.Cluster().Member(types.ID(to))
	if heir == nil || heir.IsLearner || heir.ID == s.MemberID() {
		return false
	}
	who, err := s.AuthInfoFromCtx(ctx)
	return err == nil && s.AuthStore().IsAdminPermitted(who) == nil
}

// Committed looks at what was sent to the followers: raft sends what it takes in at
// once, before its own disk has it.
func (s served) Committed() bool {
	is := election.RaftStatus()
	for _, p := range is.Progress {
		if p.Next > is.HardState.GetCommit()+1 {
			return false
		}
	}
	return true
}

func (s served) QuorumSilentSince() time.Time { return s.member.elector.quorumSilentSince() }

func (s served) Transferring() bool { return election.RaftStatus().LeadTransferee != raft.None }

// Tell leaves out learners: etcd takes no proposal from their clients. It waits for
// those that raft is connected to; what the others forward would be lost anyway.
func (s served) Tell(ctx context.Context) (told []uint64) {
	o := s.member.observer.last.Load()
	if o == nil || s.member.asks.Load() == nil {
		return nil
	}
	var connected sync.WaitGroup
	for _, x := range o.others() {
		tell := func() { s.notify(ctx, o, x) }
		switch {
		case x.IsLearner:
		case s.member.isConnected(x.ID):
			told = append(told, uint64(x.ID))
			connected.Go(tell)
		default:
			go tell()
		}
	}
	connected.Wait()
	return told
}

func (s served) Answer(ctx context.Context, leader uint64) {
	o := s.member.observer.last.Load()
	if o == nil {
		return
	}
	for _, x := range o.others() {
		if uint64(x.ID) == leader {
			s.notify(ctx, o, x)
		}
	}
}

// notify sends a notice to another member.
func (s served) notify(ctx context.Context, o *observation, to *membership.Member) {
	if client := s.member.asks.Load(); client != nil {
		client.Tell(ctx, to.PeerURLs, o.cluster.String(), flight.Notice(uint64(o.self), uint64(to.ID)))
	}
}
