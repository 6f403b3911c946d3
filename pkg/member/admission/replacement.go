package admission

import (
	"context"

	"go.uber.org/zap"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/member/datadir"
	"github.com/etcd-node/etcd-node/pkg/member/peers"
)

// begin finds out whether a member may begin on an empty data dir, and whether
// it joins a cluster that lives. Where a member has lived before, it may only
// as that one's replacement: the cluster lists a member that has never started,
// with this node's peer URLs and another ID.
func (d *Door) begin(ctx context.Context) (joins bool, f *failure.Failure) {
	switch {
	case d.Guard.Unreadable != "":
		return false, failure.New(failure.IDCannotLook, d.Guard.Unreadable+": whether a member has lived here cannot be known")
	case !d.lived() && !d.New:
		return true, nil
	}
	answer, err := d.ask(ctx, question{about: failure.IDWiped, new: unstarted, endless: !d.New, unlived: !d.lived()})
	switch {
	case answer == granted:
		d.Log.Info("the cluster lists this node as a new member: it joins, as with --initial-cluster-state=existing")
		return true, nil
	case ctx.Err() != nil:
		return false, failure.New(failure.IDSignalled, "")
	case !d.lived():
		return false, nil // where this is wrong the other members tell etcd so
	case err != nil:
		return false, unasked(err)
	case answer == refused:
		return false, d.empty(d.pinned() + ", and the cluster lists no new member with this node's peer URL")
	}
	return false, d.empty(d.pinned())
}

// unstarted recognises a member that was added and has not started yet. The
// members with which a cluster begins have their names from the beginning.
func unstarted(x peers.Member) bool { return x.Name == "" }

// stay finds out whether data of another member than the pinned one, but of the
// same cluster, is that of its replacement, which has not served yet.
func (d *Door) stay(ctx context.Context, data datadir.Data) *failure.Failure {
	isThis := func(x peers.Member) bool { return x.ID == data.WAL.MemberID }
	answer, err := d.ask(ctx, question{about: failure.IDOtherIdentity, new: isThis, endless: true})
	switch {
	case answer == granted:
		d.Log.Info("the cluster lists this node as a new member; it replaces the one that lived here", zap.Stringer("before", d.Guard.Pin))
		return d.misconfigured(data)
	case ctx.Err() != nil:
		return failure.New(failure.IDSignalled, "")
	case err != nil:
		return unasked(err)
	}
	return d.otherIdentity(data)
}

// unasked says why the other members could not even be asked.
func unasked(err error) *failure.Failure {
	if f := failure.FromError(err); f != nil {
		return f
	}
	return failure.New(failure.IDNotStarted, err.Error())
}
