package admission

import (
	"fmt"
	"strings"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/member/datadir"
	"github.com/etcd-node/etcd-node/pkg/member/peers"
	"github.com/etcd-node/etcd-node/pkg/pipe"
)

// Node is what is known of this node beside the data.
type Node struct {
	Guard           pipe.Guard
	Name            string            // --name
	DataDir, WALDir string            // --data-dir, --wal-dir
	PeerURLs        []string          // --initial-advertise-peer-urls
	Others          []peers.Peer      // in --initial-cluster
	Names           map[string]string // of all in it, by Peer.Key
	New             bool              // --initial-cluster-state=new
	OnlyMember      bool              // of a new cluster of one
	ForceNewCluster bool              // --force-new-cluster
	// AsEtcd: nothing is waited for before a first start, because the cluster is
	// not the list's (discovery) or no other member matters (--force-new-cluster).
	AsEtcd bool
	// Begins is what a first start by the list begins.
	Begins Identity
	// ByToken is the ID that a first start with this node's token gives a member with
	// these peer URLs; nil: it is not known.
	ByToken func(peerURLs []string) uint64
}

// Identity is a member of a cluster, in hexadecimal; "" where it is not known.
type Identity struct{ ClusterID, MemberID string }

// step is what has to happen before etcd may start on the data.
type step int

const (
	start     step = iota // nothing more: the data is this member's
	moveAside             // move aside what an interrupted first start of a cluster of one left
	begin                 // there is no data: find out whether a member may begin here
	stay                  // the data is another member's of the same cluster: find out whether it replaces the pinned one
)

// decide judges the data before any other member is asked.
func (n Node) decide(data datadir.Data) (step, *failure.Failure) {
	if f := unusable(data); f != nil {
		return 0, f
	}
	if n.livesElsewhere(data) {
		return 0, n.pinElsewhere()
	}
	halfBegun := data.HalfBegun() // it is not empty
	switch {
	case data.Empty(), halfBegun && n.OnlyMember && n.Guard.Unreadable != "":
		return begin, nil
	case halfBegun && n.OnlyMember && n.lived(), halfBegun && n.pinsSame(data):
		// Where a member has served its log holds entries, and promises.
		f := failure.New(failure.IDWiped, "its log holds no entry; "+n.pinned())
		f.Values = map[string]string{"case": failure.CasePart}
		return 0, f
	case halfBegun && n.OnlyMember:
		return moveAside, nil
	case !data.WAL.Exists() && n.lived():
		// etcd would take the member for one that has not begun.
		return 0, failure.New(failure.IDWALLost, fmt.Sprintf("there is a database, but no WAL in %s; %s", data.WALDir, n.pinned()))
	case n.Guard.Pin == nil, data.WAL.MemberID == 0, n.pinsSame(data):
		return start, n.misconfigured(data)
	case n.Guard.Pin.ClusterID != hex(data.WAL.ClusterID):
		return 0, n.otherIdentity(data)
	}
	return stay, nil
}

// lived reports whether a member has served on this node before.
func (n Node) lived() bool { return n.Guard.Pin != nil || n.Guard.Damage != "" }

// pinned says how that is known.
func (n Node) pinned() string {
	if n.Guard.Pin == nil {
		return n.Guard.Damage
	}
	return "the pin says " + n.Guard.Pin.String()
}

// pinsSame reports whether the data is the pinned member's.
func (n Node) pinsSame(data datadir.Data) bool {
	p := n.Guard.Pin
	return p != nil && p.ClusterID == hex(data.WAL.ClusterID) && p.MemberID == hex(data.WAL.MemberID)
}

// otherIdentity refuses the data because it is not the pinned member's.
func (n Node) otherIdentity(data datadir.Data) *failure.Failure {
	return failure.New(failure.IDOtherIdentity, fmt.Sprintf("the data is of member %x of cluster %x; %s", data.WAL.MemberID, data.WAL.ClusterID, n.pinned()))
}

// unusable says why etcd could do nothing with the data, whichever member's it is.
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
		return failure.New(failure.IDLoopbackConfig, "its peer URL is "+strings.Join(self.PeerURLs, ", "))
	}
	if alone, yes := data.AloneOnLoopback(); yes && n.reachesOthers() && data.WAL.LastIndex <= data.DB.ConsistentIndex {
		f := failure.New(failure.IDLoopbackData, "its peer URL is "+strings.Join(alone.PeerURLs, ", "))
		if data.WAL.MemberID != 0 {
			f.Values = map[string]string{"member-id": hex(data.WAL.MemberID)}
		}
		return f
	}
	return nil
}

// reachesOthers reports whether the configuration is of several members that
// are not all on this machine's loopback. Where they all are, the data may well
// be of the last one left.
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

// hex is an ID as etcd prints it.
func hex(id uint64) string { return fmt.Sprintf("%x", id) }
