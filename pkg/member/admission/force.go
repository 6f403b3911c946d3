package admission

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/member/datadir"
	"github.com/etcd-node/etcd-node/pkg/member/peers"
	"github.com/etcd-node/etcd-node/pkg/shown"
	"github.com/etcd-node/etcd-node/pkg/status"
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
		return true, failure.New(failure.IDForcedAgain, fmt.Sprintf("remove %s; the data has %d members", n.forcedBy(), len(data.DB.Members)))
	}
	return true, nil
}

// forcedBy is where --force-new-cluster was set.
func (n Node) forcedBy() string { return cmp.Or(n.Guard.ForcedBy, "--force-new-cluster") }

// throwsOut refuses --force-new-cluster while other members of the data answer:
// they would go on as this very cluster, or end as removed. The one that is
// wanted goes on alone, so the others have to be silent for as long as a restart
// takes. One that answers at first may be on its way to a stop.
//
// Nobody listens yet where the setting is in a file that all members share, and
// all are started at once. So each says meanwhile whose data it has.
//
// Without a service manager etcd's own behaviour counts.
func (c *Checker) throwsOut(ctx context.Context, data datadir.Data) *failure.Failure {
	if !c.ForceNewCluster || !c.Guard.Patient || data.WAL.ClusterID == 0 || len(data.DB.Members) < 2 {
		return nil
	}
	own := peers.Announcement{ClusterID: data.WAL.ClusterID, MemberID: data.WAL.MemberID}
	stop, err := c.Announce(func() peers.Announcement { return own })
	if err != nil { // etcd could not listen there either
		return unasked(err)
	}
	defer stop()
	c.Waiting(status.Condition{Text: "--force-new-cluster drops the other members of the data: asking whether they are stopped"})
	var rivals []string
	for begun, heard := time.Now(), time.Now(); ; {
		alive, begin := c.alive(ctx, data)
		rivals = append(rivals, begin...) // each of them refuses, too, and does not answer then
		alive = slices.Compact(sorted(append(alive, rivals...)))
		now := time.Now()
		switch {
		case ctx.Err() != nil:
			return failure.New(failure.IDSignalled, "")
		case len(alive) > 0 && now.Sub(begun) >= settleLimit:
			return failure.New(failure.IDForcedBeside, fmt.Sprintf("%s; remove %s, or first stop them for good, on each of their machines: systemctl disable --now etcd",
				strings.Join(alive, ", "), c.forcedBy()))
		case len(alive) > 0:
			heard = now
		case now.Sub(heard) >= restartLimit:
			return nil
		}
		select {
		case <-ctx.Done():
		case <-time.After(peers.PauseMissing):
		}
	}
}

// alive names the other members of the data that answer, at any of their URLs, as
// members of its cluster, also under the other scheme; and those that say that
// their etcd is about to begin with its data.
func (c *Checker) alive(ctx context.Context, data datadir.Data) (alive, begin []string) {
	var at []peers.Peer
	names := map[string]string{}
	for _, x := range data.DB.Members {
		if x.ID == data.WAL.MemberID {
			continue
		}
		for _, u := range x.PeerURLs {
			p := peers.Peer{URLs: []string{u}}
			at, names[p.Key()] = append(at, p), fmt.Sprintf("%s (%s)", shown.Text(cmp.Or(x.Name, hex(x.ID))), shown.Text(hostOf(u)))
		}
	}
	c.askAll(ctx, at, func(r reply) bool {
		who := names[r.peer.Key()]
		if w, waits := errors.AsType[*peers.Waits](r.err); waits && w.ClusterID == data.WAL.ClusterID {
			begin = append(begin, who)
		} else if r.list.ClusterID == hex(data.WAL.ClusterID) {
			alive = append(alive, who)
		}
		return false
	})
	return alive, begin
}
