package member

import (
	"context"
	"strings"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/member/peers"
)

// whyEnded is why the server ended by itself. Its own word in the log comes
// before what its listeners say, which is only that it ended. It may ask the
// other members.
func (m *member) whyEnded(ctx context.Context, text string) *failure.Failure {
	f := m.heard.whyEnded()
	if o := m.observer.last.Load(); f == nil && o != nil && o.removed {
		f = failure.New(failure.IDRemoved, "")
	}
	if f == nil {
		f = failure.FromText(text)
	}
	switch {
	case f == nil:
		return failure.New(failure.IDServerStopped, text)
	case f.ID == failure.IDRemoved:
		return m.removed(ctx, f)
	}
	return f
}

// removed is the removal, if this member has applied it itself or another member
// of the cluster confirms it; else what was said instead.
func (m *member) removed(ctx context.Context, f *failure.Failure) *failure.Failure {
	s := m.etcd.Load().Server
	self := s.MemberID()
	if s.IsIDRemoved(uint64(self)) {
		return f
	}
	var others []peers.Peer
	for _, x := range s.Cluster().Members() {
		if x.ID != self {
			others = append(others, peerOf(x))
		}
	}
	client, err := m.client()
	if err != nil { // raft's own certificates: without them nobody can have told it anything
		return failure.New(failure.IDRemovalUnproven, err.Error())
	}
	yes, said := client.Removed(ctx, others, s.Cluster().ID().String(), uint64(self))
	if yes {
		return f
	}
	if p := proxies(); len(p) > 0 {
		said = append(said, strings.Join(p, ", ")+" is set")
	}
	return failure.New(failure.IDRemovalUnproven, strings.Join(said, "; "))
}
