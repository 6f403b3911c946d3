package admission

import (
	"cmp"
	"fmt"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/member/datadir"
)

// unforced reports whether --force-new-cluster has been used already, so that etcd
// must start without it, and why it must not start at all: it would drop the
// members that were added since, and they would end as removed.
//
// Its first use, with all members in the data, is what it is for. A later process
// of the same daemon goes on with the cluster that began then. A later daemon
// knows of it by the pin, and cannot know what the operator wants.
func (n Node) unforced(data datadir.Data) (yes bool, f *failure.Failure) {
	p := n.Guard.Pin
	switch {
	case !n.ForceNewCluster:
		return false, nil
	case n.Guard.Forced:
		return true, nil
	case p == nil || !p.Forced || !n.pinsSame(data):
		return false, nil
	case len(data.DB.Members) > 1:
		by := cmp.Or(n.Guard.ForcedBy, "--force-new-cluster")
		return true, failure.New(failure.IDForcedAgain, fmt.Sprintf("remove %s; the data has %d members", by, len(data.DB.Members)))
	}
	return true, nil
}
