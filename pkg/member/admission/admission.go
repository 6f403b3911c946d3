package admission

import (
	"context"
	"fmt"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/member/datadir"
	"github.com/etcd-node/etcd-node/pkg/member/peers"
	"github.com/etcd-node/etcd-node/pkg/pipe"
	"github.com/etcd-node/etcd-node/pkg/status"
)

// Node is what this node knows beside the data.
type Node struct {
	Guard           pipe.Guard
	DataDir, WALDir string       // --data-dir, --wal-dir
	PeerURLs        []string     // --initial-advertise-peer-urls
	Others          []peers.Peer // in --initial-cluster
	New             bool         // --initial-cluster-state=new
	OnlyMember      bool         // of a new cluster of one
	ForceNewCluster bool         // --force-new-cluster
}

// Asker asks the other members.
type Asker interface {
	// Peers are those that can be asked.
	Peers() ([]peers.Peer, error)
	// Members is the list of members of the one with a peer URL.
	Members(ctx context.Context, peerURL string) ([]peers.Member, error)
}

// Door is where a member is admitted.
type Door struct {
	Node
	Asker Asker
	// Waiting is told what the start waits for, an ID of the catalogue and a text.
	Waiting func(status.Condition)
	Log     *zap.Logger
}

// Admission is how etcd may start.
type Admission struct {
	Conditions []status.Condition // true for as long as this process lives
	// Joins: with --initial-cluster-state=existing, whatever is configured. The
	// env file is the same on every node, and says what was true when the
	// cluster began. Whoever ran `member add` has said what is true now.
	Joins bool
}

// Admit looks at the data before etcd touches it, and says why etcd must not;
// nil: it may. It can wait without limit, until ctx ends.
func (d *Door) Admit(ctx context.Context) (Admission, *failure.Failure) {
	if f := accessible(d.DataDir, d.WALDir); f != nil {
		return Admission{}, f
	}
	var a Admission
	if detail, yes := exposed(d.DataDir); yes {
		a.note(failure.IDDirMode, detail)
	}
	data, err := d.inspect(ctx)
	switch {
	case ctx.Err() != nil:
		return a, failure.New(failure.IDSignalled, "")
	case err != nil:
		// etcd reads the same, and says what it thinks of it.
		d.Log.Warn("the data cannot be inspected before etcd opens it", zap.Error(err))
		return a, nil
	case data.DB.Locked:
		return a, failure.New(failure.IDLocked, holderOf(data))
	}
	if f := unusable(data); f != nil {
		return a, f
	}
	// Half-begun first, for it is not empty; afterwards it is.
	if data.HalfBegun() && d.OnlyMember {
		if d.Guard.Unreadable != "" {
			return a, d.mayBegin(ctx, &a)
		}
		if d.Guard.Pin != nil || d.Guard.Damage != "" {
			return a, failure.New(failure.IDWiped, "its log holds no entry; "+d.pinned())
		}
		kept, err := datadir.MoveAside(d.DataDir, d.WALDir, time.Now())
		if err != nil {
			return a, failure.New(failure.IDAsideLimit, err.Error())
		}
		d.Log.Warn("a first start of this member was interrupted before anything was stored; it begins anew", zap.Strings("kept", kept))
		return a, nil
	}
	if data.Empty() {
		return a, d.mayBegin(ctx, &a)
	}
	if d.Guard.Pin != nil && data.WAL.MemberID != 0 {
		if f := d.mayStay(ctx, data); f != nil {
			return a, f
		}
	}
	if f := d.misconfigured(data); f != nil {
		return a, f
	}
	if text, yes := data.Torn(); yes {
		a.note(failure.IDWALBroken, text)
	}
	if text, yes := data.Kept(); yes {
		a.note(failure.IDHalfBegun, text)
	}
	if text, yes := data.Behind(); yes {
		a.note(failure.IDWALLost, text)
	}
	return a, nil
}

func (a *Admission) note(id, text string) {
	a.Conditions = append(a.Conditions, status.Condition{ID: id, Text: text})
}

// unusable says why etcd could do nothing with the data, whoever's it is.
func unusable(data datadir.Data) *failure.Failure {
	if why, yes := data.Foreign(); yes {
		if data.DB.StorageVersion != "" {
			return failure.New(failure.IDTooNew, why)
		}
		return failure.New(failure.IDTooOld, why)
	}
	if why, yes := data.WALLost(); yes {
		if data.WAL.Damage != nil {
			return failure.New(failure.IDDamaged, why)
		}
		return failure.New(failure.IDWALLost, why)
	}
	return nil
}

// misconfigured says why the data and the configuration cannot both be meant.
func (n Node) misconfigured(data datadir.Data) *failure.Failure {
	if self, yes := data.OneOfSeveral(); yes && n.Guard.Unconfigured && !n.ForceNewCluster {
		return failure.New(failure.IDLoopbackConfig, fmt.Sprintf("its peer URL is %s", strings.Join(self.PeerURLs, ", ")))
	}
	if alone, yes := data.AloneOnLoopback(); yes && n.reachesOthers() && data.WAL.LastIndex <= data.DB.ConsistentIndex {
		f := failure.New(failure.IDLoopbackData, fmt.Sprintf("its peer URL is %s", strings.Join(alone.PeerURLs, ", ")))
		if data.WAL.MemberID != 0 {
			f.Values = map[string]string{"member-id": fmt.Sprintf("%x", data.WAL.MemberID)}
		}
		return f
	}
	return nil
}

// reachesOthers reports whether the configuration is of several members, not
// all on this machine's loopback. Where they are, one may well be what is left.
func (n Node) reachesOthers() bool {
	for _, p := range n.Others {
		for _, u := range p.URLs {
			if !datadir.OnLoopback(u) {
				return true
			}
		}
	}
	return false
}
