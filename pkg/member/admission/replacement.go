package admission

import (
	"context"
	"fmt"
	"time"

	"go.uber.org/zap"

	"go.etcd.io/etcd/pkg/v3/netutil"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/member/datadir"
	"github.com/etcd-node/etcd-node/pkg/member/peers"
	"github.com/etcd-node/etcd-node/pkg/status"
)

const (
	// answerWait is how long a node on which a member has lived waits for
	// somebody who knows whether this is its replacement: a machine that has
	// just booted may have no network yet. The refusal that follows is for
	// good, and has to come within 30 s.
	answerWait = 15 * time.Second
	// askTimeout bounds one round of questions.
	askTimeout = time.Second
)

// mayBegin reports whether a member may begin on an empty data dir. Where one
// has lived before, only as its replacement: the cluster lists a member that
// has never started, with our peer URL and another ID.
func (d *Door) mayBegin(ctx context.Context, a *Admission) *failure.Failure {
	lived := d.Guard.Pin != nil || d.Guard.Damage != ""
	switch {
	case d.Guard.Unreadable != "":
		return failure.New(failure.IDCannotLook, d.Guard.Unreadable+": whether a member has lived here cannot be known")
	case d.New && d.announced(ctx, lived):
		d.Log.Info("the cluster lists this node as a new member: it joins, as with --initial-cluster-state=existing")
		a.Joins = true
		return nil
	case ctx.Err() != nil:
		return failure.New(failure.IDSignalled, "")
	case !lived:
		return nil
	case d.Guard.Pin == nil, d.New:
		return failure.New(failure.IDWiped, d.pinned())
	}
	return d.replacement(ctx, unstarted,
		failure.New(failure.IDWiped, d.pinned()+", and the cluster lists no new member with this node's peer URL"))
}

// unstarted is a member that was added and has not been there yet; those with
// which a cluster begins have their names from the beginning.
func unstarted(x peers.Member) bool { return x.Name == "" }

// announced reports whether a peer lists a new member with our peer URL. If
// nobody answers there is none; a patient caller has it asked again for
// answerWait.
func (d *Door) announced(ctx context.Context, patient bool) bool {
	others, err := d.Asker.Peers()
	if err != nil {
		return false // etcd says the same, and more
	}
	over := time.Now().Add(answerWait)
	for said := false; ; said = true {
		yes, answered := d.ask(ctx, others)
		if yes || answered || !patient || len(others) == 0 || time.Now().After(over) {
			return yes
		}
		if !said {
			d.waitForAnswer()
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(peers.PauseMissing):
		}
	}
}

// ask asks all peers at once whether they list a new member with our peer URL,
// and whether any of them answered.
func (d *Door) ask(ctx context.Context, others []peers.Peer) (yes, answered bool) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	type answer struct{ yes, ok bool }
	answers := make(chan answer, len(others))
	for _, p := range others {
		go func() {
			members, ok := d.listed(ctx, []peers.Peer{p})
			answers <- answer{ok && d.replaces(ctx, members, unstarted), ok}
		}()
	}
	for range others {
		a := <-answers
		if a.yes {
			return true, true
		}
		answered = answered || a.ok
	}
	return false, answered
}

// wait says what the start waits for.
func (d *Door) wait(id, text string) {
	d.Log.Warn(text)
	d.Waiting(status.Condition{ID: id, Text: text})
}

func (d *Door) waitForAnswer() {
	d.wait(failure.IDWiped, "asking the cluster whether this node replaces a member; no answer yet")
}

// mayStay reports whether the data is the pinned member's, or that of its
// replacement, which has not served yet.
func (d *Door) mayStay(ctx context.Context, data datadir.Data) *failure.Failure {
	p, cluster, id := d.Guard.Pin, fmt.Sprintf("%x", data.WAL.ClusterID), fmt.Sprintf("%x", data.WAL.MemberID)
	if p.ClusterID == cluster && p.MemberID == id {
		return nil
	}
	refusal := failure.New(failure.IDOtherIdentity, fmt.Sprintf("the data is of member %s of cluster %s; %s", id, cluster, d.pinned()))
	if p.ClusterID != cluster {
		return refusal
	}
	return d.replacement(ctx, func(x peers.Member) bool { return x.ID == data.WAL.MemberID }, refusal)
}

// replacement asks the cluster whether this node is to replace the pinned
// member: it lists one as wanted, with our peer URL, and the pinned one no
// more. It waits until somebody answers.
func (d *Door) replacement(ctx context.Context, wanted func(peers.Member) bool, refusal *failure.Failure) *failure.Failure {
	others, err := d.Asker.Peers()
	if err != nil {
		if f := failure.FromError(err); f != nil {
			return f
		}
		return refusal
	}
	if len(others) == 0 { // nobody to ask
		return refusal
	}
	for said := false; ; {
		members, ok := d.listed(ctx, others)
		if ok {
			if d.replaces(ctx, members, wanted) {
				d.Log.Info("the cluster lists this node as a new member; it replaces the one that lived here", zap.Stringer("before", d.Guard.Pin))
				return nil
			}
			return refusal
		}
		if !said {
			d.waitForAnswer()
			said = true
		}
		select {
		case <-ctx.Done():
			return failure.New(failure.IDSignalled, "")
		case <-time.After(peers.PauseMissing):
		}
	}
}

// replaces judges the cluster's list.
func (d *Door) replaces(ctx context.Context, members []peers.Member, wanted func(peers.Member) bool) bool {
	found := false
	for _, x := range members {
		if p := d.Guard.Pin; p != nil && fmt.Sprintf("%x", x.ID) == p.MemberID {
			return false
		}
		// As etcd compares them: by address, where one names a host. It would
		// ask for ever for one that has no address any more.
		ctx, cancel := context.WithTimeout(ctx, askTimeout)
		same, err := netutil.URLStringsEqual(ctx, d.Log, d.PeerURLs, x.PeerURLs)
		cancel()
		found = found || err == nil && same && wanted(x)
	}
	return found
}

// listed is the list of the first peer that answers.
func (d *Door) listed(ctx context.Context, others []peers.Peer) ([]peers.Member, bool) {
	for _, p := range others {
		for _, u := range p.URLs {
			if members, err := d.Asker.Members(ctx, u); err == nil {
				return members, true
			}
		}
	}
	return nil, false
}

// pinned is what the pin says.
func (n Node) pinned() string {
	if n.Guard.Pin == nil {
		return n.Guard.Damage
	}
	return "the pin says " + n.Guard.Pin.String()
}
