package admission

import (
	"context"

	"go.uber.org/zap"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/member/datadir"
	"github.com/etcd-node/etcd-node/pkg/member/peers"
)

// replace finds out whether this node, on which a member has lived and whose data
// dir is empty, is that one's replacement: the cluster lists a member that has
// never started, with this node's peer URLs and another ID.
func (c *Checker) replace(ctx context.Context) (Admission, *failure.Failure) {
	v, err := c.ask(ctx, question{about: failure.IDWiped, new: unstarted, endless: !c.New})
	switch {
	case v.answer == granted:
		c.Log.Info("the cluster lists this node as a new member: it joins, as with --initial-cluster-state=existing")
		return c.joinBy(v.list, v.own), nil
	case ctx.Err() != nil:
		return Admission{}, failure.New(failure.IDSignalled, "")
	case err != nil:
		return Admission{}, unasked(err)
	case v.answer == refused:
		if f := c.runsElsewhere(ctx, v.pinned); f != nil {
			return Admission{}, f
		}
		return Admission{}, c.empty(c.pinned() + ", and the cluster lists no new member with this node's peer URL")
	}
	return Admission{}, c.empty(c.pinned())
}

// unstarted recognises a member that was added and has not started yet. The
// members with which a cluster begins have their names from the beginning.
func unstarted(x peers.Member) bool { return x.Name == "" }

// stay finds out whether data of another member than the pinned one, but of the
// same cluster, is that of its replacement, which has not served yet.
func (c *Checker) stay(ctx context.Context, data datadir.Data) *failure.Failure {
	isThis := func(x peers.Member) bool { return x.ID == data.WAL.MemberID }
	v, err := c.ask(ctx, question{about: failure.IDOtherIdentity, new: isThis, endless: true})
	switch {
	case v.answer == granted:
		c.Log.Info("the cluster lists this node as a new member; it replaces the one that lived here", zap.Stringer("before", c.Guard.Pin))
		return c.misconfigured(data)
	case ctx.Err() != nil:
		return failure.New(failure.IDSignalled, "")
	case err != nil:
		return unasked(err)
	}
	return c.otherIdentity(data)
}

// unasked says why the other members could not even be asked.
func unasked(err error) *failure.Failure {
	if f := failure.FromError(err); f != nil {
		return f
	}
	return failure.New(failure.IDNotStarted, err.Error())
}
