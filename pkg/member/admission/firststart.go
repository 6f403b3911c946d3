package admission

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/member/peers"
	"github.com/etcd-node/etcd-node/pkg/status"
)

// settleLimit is how long peers must keep saying that this node is no new member
// of theirs before that counts; for what ends the start for good, a quorum of them. One that lags behind does not know of a `member
// add` yet; once it has succeeded, a quorum has it in its logs, and applies it
// with the leader's next message.
const settleLimit = 2 * time.Second

const (
	// restartLimit is how long a closed port may mean that an etcd is just being
	// restarted: longer than RestartSec= of the unit and the start of a member.
	// Nodes that begin at the same time do not wait for that, because each
	// announces that it has no data.
	restartLimit = 2 * time.Second
	// quorumLimit is how long a quorum may be missing before that is worth a
	// condition, as for a member that runs.
	quorumLimit = 10 * time.Second
	// turnLimit is how long nodes that begin together let the first of them begin
	// alone. Each etcd asks the others before it begins, for up to a second, and
	// none of them answers while it asks itself.
	turnLimit = time.Second
	// firstPause is the pause between two rounds in that time: nobody shall see
	// the nodes of a new cluster wait for each other.
	firstPause = 20 * time.Millisecond
	// quorumPause is the pause while others have not been started yet: etcd itself
	// would dial them as often. A round of closed ports costs next to nothing.
	quorumPause = 100 * time.Millisecond
)

// standing is what a peer's reply means for a node on which no member has lived.
// The highest one among the peers counts.
type standing int

const (
	fresh     standing = iota // the peer is a node without data
	noEtcd                    // its port is closed
	noAnswer                  // it does not answer, or does not know its members yet
	original                  // its cluster has listed this node since it began, and is the one that this node would begin, or has not served
	stranger                  // what answers is neither a node without data nor a member that can be talked to as the list says
	foreign                   // the same, but it has served, and began with another token
	hasServed                 // its cluster lists this node as a member that has served
	unlisted                  // its cluster does not list this node, or it waits itself for one that lives
	added                     // its cluster lists this node, which has not started, and is not the one that this node would begin
)

// WaitsForPeers reports whether what a start waits for is what the other members
// say, or that more of them come up: the latter has no text of its own, because
// the list of members with the reason for each says it.
func WaitsForPeers(step status.Condition) bool {
	switch step.ID {
	case failure.IDNotListed, failure.IDSeveral, failure.IDNoCluster, failure.IDNoAnswer, failure.IDNoQuorumYet, failure.IDWipedRejoin, failure.IDForeign:
		return true
	}
	return step == status.Condition{}
}

// firstStart finds out whether a member may begin on a node on which none has
// lived, and whether it joins a cluster that lives.
func (c *Checker) firstStart(ctx context.Context) (Admission, *failure.Failure) {
	if c.AsEtcd {
		return Admission{Joins: !c.New}, nil
	}
	others, err := c.Asker.Peers()
	if err != nil || len(others) == 0 {
		return Admission{Joins: !c.New}, nil // etcd says what is wrong, if anything is
	}
	s := survey{Node: c.Node, begun: time.Now(), size: len(others) + 1}
	var (
		says   atomic.Pointer[peers.Announcement]
		told   waiting
		logged string // its ID
	)
	for round := 1; ; round++ {
		c.askAll(ctx, others, func(r reply) bool {
			what, own := c.standingOf(ctx, r)
			s.take(surveyed{reply: r, standing: what, own: own.ID})
			return what == added
		})
		if ctx.Err() != nil {
			return Admission{}, failure.New(failure.IDSignalled, "")
		}
		a, wait, f := s.next(time.Now())
		if wait == nil {
			if f == nil {
				c.tell(&s, a)
			}
			return a, f
		}
		// Not before it has asked: others may begin with a node that knows nothing.
		if says.Swap(s.announces()) == nil && s.waits() {
			stop, err := c.Announce(func() peers.Announcement { return *says.Load() })
			if err != nil { // etcd could not listen there either
				return Admission{}, unasked(err)
			}
			defer stop()
		}
		switch {
		case round > 1 && *wait == told:
		case wait.text != "" && wait.id != logged:
			c.waitFor(status.Condition{ID: wait.id, Text: wait.text})
			logged = wait.id
		default: // what a peer says may change every second: not worth the log
			c.Waiting(status.Condition{ID: wait.id, Text: wait.text})
		}
		told = *wait
		pause := peers.PauseMissing
		switch {
		case s.top > noEtcd: // a member logs each question that it cannot take
		case time.Since(s.begun) < restartLimit+turnLimit:
			pause = firstPause
		default:
			pause = quorumPause
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// tell logs how the member begins, where that is not a matter of course.
func (c *Checker) tell(s *survey, a Admission) {
	if silent := s.reasons(noAnswer); s.top == noAnswer && !a.Joins && s.waits() {
		c.Log.Warn("a new cluster begins although not all of its members could be asked: if an older one lives behind them, there will be two", zap.String("unanswered", silent))
	}
	if s.top == added {
		c.Log.Info("the cluster lists this node as a new member: it joins, as with --initial-cluster-state=existing")
	}
	if a.InitialCluster != "" {
		c.Log.Warn("it joins by the cluster's own list, from which ETCD_INITIAL_CLUSTER differs", zap.String("list", a.InitialCluster))
	}
}

// standingOf is what a reply means for this node, and the member that this node
// is in its list. Under another scheme than the list's, with which etcd would not
// reach it, a member can only keep this node from beginning.
func (c *Checker) standingOf(ctx context.Context, r reply) (what standing, own peers.Member) {
	what, own = c.standingIn(ctx, r)
	if r.list.OtherScheme != "" && (what == added || what <= original) {
		if what = stranger; c.Guard.BootstrapWait == 0 {
			what = noAnswer
		}
	}
	return what, own
}

func (c *Checker) standingIn(ctx context.Context, r reply) (what standing, own peers.Member) {
	switch {
	case r.unlisted != "":
		return unlisted, own
	case r.fresh:
		return fresh, own
	case r.absent:
		return noEtcd, own
	case r.strange && c.Guard.BootstrapWait != 0:
		return stranger, own
	case r.list.ClusterID == "":
		return noAnswer, own
	case len(r.list.Members) == 0 && r.list.ClusterID == c.Begins.ClusterID:
		return original, own
	case len(r.list.Members) == 0:
		return noAnswer, own
	}
	own, listed := c.ownIn(ctx, r.list)
	switch {
	case !listed:
		return unlisted, own
	case len(own.ClientURLs) > 0:
		return hasServed, own
	case own.Name == "":
		return added, own
	case c.Begins.ClusterID == "", c.Begins.ClusterID == r.list.ClusterID, !r.list.Served():
		return original, own
	case c.Begins.MemberID == hex(own.ID): // it is made of token and URLs: the lists differ
		return added, own
	case c.sameToken(r.list): // its URL was another one when the cluster began
		return added, own
	}
	return foreign, own
}

// sameToken reports whether a cluster began with this node's token: the ID of one of
// its first members is made of that and of its URLs.
func (n Node) sameToken(l peers.List) bool {
	return n.ByToken != nil && slices.ContainsFunc(l.Members, func(x peers.Member) bool { return n.ByToken(x.PeerURLs) == x.ID })
}

// ownIn is the member of a list with this node's peer URLs. What is written the
// same is found without DNS.
func (c *Checker) ownIn(ctx context.Context, l peers.List) (peers.Member, bool) {
	own := sorted(c.PeerURLs)
	for _, x := range l.Members {
		if slices.Equal(sorted(x.PeerURLs), own) {
			return x, true
		}
	}
	for _, x := range l.Members {
		if c.listedAs(ctx, x) {
			return x, true
		}
	}
	return peers.Member{}, false
}

func sorted(list []string) []string { return slices.Sorted(slices.Values(list)) }
