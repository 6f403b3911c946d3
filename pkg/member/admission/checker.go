package admission

import (
	"context"
	"net/netip"
	"time"

	"go.uber.org/zap"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/member/datadir"
	"github.com/etcd-node/etcd-node/pkg/member/peers"
	"github.com/etcd-node/etcd-node/pkg/status"
)

// Asker asks the other members.
type Asker interface {
	// Peers are the members that can be asked.
	Peers() ([]peers.Peer, error)
	// Members is the list of the member with a peer URL, as it has applied it.
	Members(ctx context.Context, peerURL string) (peers.List, error)
	// Is reports whether a member answers at a peer URL.
	Is(ctx context.Context, peerURL, clusterID string, memberID uint64) bool
	// IsAnother reports whether another member of that cluster does.
	IsAnother(ctx context.Context, peerURL, clusterID string, memberID uint64) bool
}

// Checker decides whether a member may begin or stay on a node.
type Checker struct {
	Node
	Asker Asker
	// PortsFree says why etcd could not listen for its peers, as far as that
	// concerns what is asked of them; nil where it can.
	PortsFree func() *failure.Failure
	// Announce tells the other nodes what says returns, until stop.
	Announce func(says func() peers.Announcement) (stop func(), err error)
	// Here reports whether an address is this machine's.
	Here func(netip.Addr) bool
	// Waiting is told what the start waits for: an ID of the catalogue and a text.
	Waiting func(status.Condition)
	Log     *zap.Logger
}

// Admission is how etcd may start.
type Admission struct {
	Conditions []status.Condition // true for as long as this process lives
	// Joins: etcd has to start with --initial-cluster-state=existing, whatever is
	// configured. The env file is the same on every node and was right when the
	// cluster began; `member add` has changed that.
	Joins bool
	// InitialCluster is the list by which it joins; "": as configured.
	InitialCluster string
	// Members are the cluster's by the data, and Self is this one's ID; empty
	// where there is no data, or none that says so.
	Members []datadir.Member
	Self    uint64
	// Misplaced: this machine is another entry of the list than the one at whose
	// address the cluster knows this member, and what is to be done; "" where it is not.
	Misplaced string
	// Unforced: etcd must not be told --force-new-cluster, which has been obeyed.
	Unforced bool
}

// Admit looks at the data before etcd touches it, and says why etcd must not;
// nil where it may. It can wait without limit, until ctx ends.
func (c *Checker) Admit(ctx context.Context) (Admission, *failure.Failure) {
	var a Admission
	if f := accessible(c.DataDir, c.WALDir); f != nil {
		switch {
		case !c.unmounted():
			return a, f
		case c.usableAgain(ctx, f.Error()):
			return c.Admit(ctx) // from the beginning
		}
		return a, failure.New(failure.IDSignalled, "")
	}
	a.show(failure.IDDirMode, c.exposed)
	data, err := c.inspect(ctx)
	switch {
	case ctx.Err() != nil:
		return a, failure.New(failure.IDSignalled, "")
	case err != nil:
		// etcd will not be able to read it either, and says why.
		c.Log.Warn("the data cannot be inspected before etcd opens it", zap.Error(err))
		return a, nil
	case data.DB.Locked:
		return a, failure.New(failure.IDLocked, holderOf(data))
	}
	next, f := c.decide(data)
	if f == nil {
		a.Unforced, f = c.unforced(data)
	}
	switch {
	case f != nil && f.ID == failure.IDWALLost && c.walMounted(ctx, data):
		return c.Admit(ctx) // from the beginning
	case f != nil:
		return a, f
	}
	switch next {
	case begin:
		if f := c.PortsFree(); f != nil {
			return a, f
		}
		begun, mounted, f := c.beginOrMount(ctx)
		if mounted {
			return c.Admit(ctx)
		}
		begun.Conditions = append(a.Conditions, begun.Conditions...)
		return begun, f
	case moveAside:
		return a, c.makeRoom()
	}
	if !a.Unforced {
		if f := c.throwsOut(ctx, data); f != nil {
			return a, f
		}
	}
	if f := c.copied(ctx, data); f != nil {
		return a, f
	}
	a.Misplaced, f = c.ofOtherEntry(ctx, data)
	if f != nil {
		return a, f
	}
	if next == stay {
		if f := c.stay(ctx, data); f != nil {
			return a, f
		}
	}
	a.Members, a.Self = data.DB.Members, data.WAL.MemberID
	a.show(failure.IDWALBroken, data.Torn)
	a.show(failure.IDHalfBegun, data.Kept)
	a.show(failure.IDWALLost, data.Behind)
	return a, nil
}

// show keeps a finding as a condition, if there is one.
func (a *Admission) show(id string, found func() (text string, yes bool)) {
	if text, yes := found(); yes {
		a.Conditions = append(a.Conditions, status.Condition{ID: id, Text: text})
	}
}

// begin finds out whether a member may begin on an empty data dir.
func (c *Checker) begin(ctx context.Context) (Admission, *failure.Failure) {
	switch {
	case c.Guard.Unreadable != "":
		return Admission{}, failure.New(failure.IDCannotLook, c.Guard.Unreadable+": whether a member has lived here cannot be known")
	case c.lived():
		return c.replace(ctx)
	}
	return c.firstStart(ctx)
}

// makeRoom makes room for a first start in place of one that was interrupted.
func (c *Checker) makeRoom() *failure.Failure {
	kept, err := datadir.MoveAside(c.DataDir, c.WALDir, time.Now())
	if err != nil {
		return failure.New(failure.IDAsideLimit, err.Error())
	}
	c.Log.Warn("a first start of this member was interrupted before anything was stored; it begins anew", zap.Strings("kept", kept))
	return nil
}

// waitFor tells the reason for which the start waits.
func (c *Checker) waitFor(x status.Condition) {
	x = c.here(x)
	c.Log.Warn(x.Text)
	c.Waiting(x)
}

// here has a condition speak of this node's unit.
func (c *Checker) here(x status.Condition) status.Condition {
	x.Text = failure.ForUnit(x.Text, c.Guard.Values)
	return x
}
