package admission

import (
	"context"
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
}

// Door is where a member is admitted.
type Door struct {
	Node
	Asker Asker
	// Announce tells the other nodes that there is no data here, until stop.
	Announce func() (stop func())
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
}

// Admit looks at the data before etcd touches it, and says why etcd must not;
// nil where it may. It can wait without limit, until ctx ends.
func (d *Door) Admit(ctx context.Context) (Admission, *failure.Failure) {
	var a Admission
	if f := accessible(d.DataDir, d.WALDir); f != nil {
		return a, f
	}
	a.show(failure.IDDirMode, d.exposed)
	data, err := d.inspect(ctx)
	switch {
	case ctx.Err() != nil:
		return a, failure.New(failure.IDSignalled, "")
	case err != nil:
		// etcd will not be able to read it either, and says why.
		d.Log.Warn("the data cannot be inspected before etcd opens it", zap.Error(err))
		return a, nil
	case data.DB.Locked:
		return a, failure.New(failure.IDLocked, holderOf(data))
	}
	next, f := d.decide(data)
	if f != nil {
		return a, f
	}
	switch next {
	case begin:
		begun, f := d.begin(ctx)
		begun.Conditions = append(a.Conditions, begun.Conditions...)
		return begun, f
	case clear:
		return a, d.clear()
	}
	if f := d.copied(ctx, data); f != nil {
		return a, f
	}
	if next == stay {
		if f := d.stay(ctx, data); f != nil {
			return a, f
		}
	}
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
func (d *Door) begin(ctx context.Context) (Admission, *failure.Failure) {
	switch {
	case d.Guard.Unreadable != "":
		return Admission{}, failure.New(failure.IDCannotLook, d.Guard.Unreadable+": whether a member has lived here cannot be known")
	case d.lived():
		return d.replace(ctx)
	}
	return d.firstStart(ctx)
}

// clear makes room for a first start in place of one that was interrupted.
func (d *Door) clear() *failure.Failure {
	kept, err := datadir.MoveAside(d.DataDir, d.WALDir, time.Now())
	if err != nil {
		return failure.New(failure.IDAsideLimit, err.Error())
	}
	d.Log.Warn("a first start of this member was interrupted before anything was stored; it begins anew", zap.Strings("kept", kept))
	return nil
}

// waitFor tells the reason for which the start waits.
func (d *Door) waitFor(id, text string) {
	d.Log.Warn(text)
	d.Waiting(status.Condition{ID: id, Text: text})
}
