package admission

import (
	"context"
	"fmt"
	"time"

	"go.etcd.io/etcd/pkg/v3/netutil"

	"github.com/etcd-node/etcd-node/pkg/member/peers"
)

const (
	// askTimeout bounds one round of questions.
	askTimeout = time.Second
	// silenceLimit is how long a node on which a member has lived waits for an
	// answer: a machine that has just booted may have no network yet.
	silenceLimit = 15 * time.Second
	// denialLimit is how long the members that answer must keep saying no before
	// they are believed: each lists the members as it has applied them, and one
	// with a slow disk or network lags behind the `member add`. Together with
	// silenceLimit it is below the 30 s in which a refusal has to come.
	denialLimit = 10 * time.Second
	// quorumLimit is the same for a quorum. Once `member add` has succeeded, a
	// quorum has it in its logs, and applies it with the leader's next message.
	quorumLimit = 2 * time.Second
)

// question is whether the cluster lists this node as a new member, and the
// pinned member no more.
type question struct {
	about   string                  // the failure's ID if the answer is no
	new     func(peers.Member) bool // recognises the new member
	endless bool                    // the start waits until a member answers
	// unlived: no member has lived on this node, so nothing is refused to it:
	// silence is an answer, and so is a list in which it has started.
	unlived bool
}

// answer is what the cluster says to a question.
type answer int

const (
	silent  answer = iota // no member answers, or there is none to ask
	refused               // it does not list this node as a new member
	granted               // it does
)

// ask asks all other members until their answer is final, or ctx ends. The
// error says why they cannot be asked.
func (d *Door) ask(ctx context.Context, q question) (answer, error) {
	others, err := d.Asker.Peers()
	if err != nil || len(others) == 0 {
		return silent, err
	}
	h := hearing{question: q}
	for said := ""; ; {
		t := d.round(ctx, others, q)
		a, final := h.hear(t, time.Now())
		if final || ctx.Err() != nil {
			return a, nil
		}
		text := "asking the cluster whether this node replaces a member; no answer yet"
		if t.denied > 0 {
			text = fmt.Sprintf("asking the cluster whether this node replaces a member; %d of %d say no so far", t.denied, len(others))
		}
		if text != said && !q.unlived {
			d.waitFor(q.about, text)
			said = text
		}
		select {
		case <-ctx.Done():
			return a, nil
		case <-time.After(peers.PauseMissing):
		}
	}
}

// tally is what the members said in one round.
type tally struct {
	granted bool // one lists this node as a new member
	denied  int  // how many do not
	quorum  int  // how many are a quorum by the longest of their lists
	settled bool // one lists this node as a member that has started
}

// hearing follows the answers to a question from round to round.
type hearing struct {
	question
	begun    time.Time // the first round
	denied   time.Time // since when a member says no in every round; zero: none does
	outvoted time.Time // the same of a quorum
}

// hear takes in a round and returns the answer, and whether it is final. A yes
// always is: a member that says it has applied both the removal and the
// addition. A no may come from members that lag behind.
func (h *hearing) hear(t tally, now time.Time) (a answer, final bool) {
	outvoted := t.denied > 0 && t.denied >= t.quorum
	since := func(at *time.Time, yes bool) {
		switch {
		case !yes:
			*at = time.Time{}
		case at.IsZero():
			*at = now
		}
	}
	since(&h.begun, true)
	since(&h.denied, t.denied > 0)
	since(&h.outvoted, outvoted)
	late := !h.endless && now.Sub(h.begun) >= silenceLimit+denialLimit // answers come and go
	switch {
	case t.granted:
		return granted, true
	case t.denied == 0:
		return silent, h.unlived || !h.endless && now.Sub(h.begun) >= silenceLimit
	case h.unlived:
		return refused, t.settled || now.Sub(h.denied) >= quorumLimit
	case outvoted:
		return refused, late || now.Sub(h.outvoted) >= quorumLimit
	default:
		return refused, late || now.Sub(h.denied) >= denialLimit
	}
}

// round asks all members at once.
func (d *Door) round(ctx context.Context, others []peers.Peer, q question) (sum tally) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	answers := make(chan tally, len(others))
	for _, p := range others {
		go func() { answers <- d.read(ctx, d.listOf(ctx, p), q) }()
	}
	for range others {
		t := <-answers
		if t.granted {
			return t
		}
		sum.denied += t.denied
		sum.quorum = max(sum.quorum, t.quorum)
		sum.settled = sum.settled || t.settled
	}
	return sum
}

// listOf is a member's list of members, at the first of its URLs that answers.
// It is empty where none does, and before the member knows its cluster.
func (d *Door) listOf(ctx context.Context, p peers.Peer) []peers.Member {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	for _, u := range p.URLs {
		if list, err := d.Asker.Members(ctx, u); err == nil {
			return list
		}
	}
	return nil
}

// read takes the answer to a question from one member's list.
func (d *Door) read(ctx context.Context, list []peers.Member, q question) (t tally) {
	voters, pinned := 0, false
	for _, x := range list {
		if !x.Learner {
			voters++
		}
		pinned = pinned || d.Guard.Pin != nil && d.Guard.Pin.MemberID == hex(x.ID)
		switch {
		case !q.new(x):
			t.settled = t.settled || q.unlived && d.listedAs(ctx, x)
		case d.listedAs(ctx, x):
			t.granted = true
		}
	}
	t.granted = t.granted && !pinned
	if len(list) > 0 && !t.granted {
		t.denied, t.quorum = 1, voters/2+1
	}
	return t
}

// listedAs reports whether a member has this node's peer URLs. They are
// compared as etcd does it, by address where one names a host, but etcd would
// ask for ever for a name that has no address any more.
func (d *Door) listedAs(ctx context.Context, x peers.Member) bool {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	same, err := netutil.URLStringsEqual(ctx, d.Log, d.PeerURLs, x.PeerURLs)
	return err == nil && same
}
