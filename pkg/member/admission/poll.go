package admission

import (
	"context"
	"fmt"
	"time"

	"github.com/etcd-node/etcd-node/pkg/member/peers"
	"github.com/etcd-node/etcd-node/pkg/status"
)

const (
	// silenceLimit is how long a node on which a member has lived waits for an
	// answer: a machine that has just booted may have no network yet.
	silenceLimit = 15 * time.Second
	// denialLimit is how long the members that answer must keep saying no before
	// they are believed: each lists the members as it has applied them, and one
	// with a slow disk or network lags behind the `member add`. Together with
	// silenceLimit it is below the 30 s in which a refusal has to come. Where a
	// quorum says no, settleLimit is enough.
	denialLimit = 10 * time.Second
)

// question is whether the cluster lists this node as a new member, and the
// pinned member no more.
type question struct {
	about   string                  // the failure's ID if the answer is no
	new     func(peers.Member) bool // recognises the new member
	endless bool                    // the start waits until a member answers
}

// answer is what the cluster says to a question.
type answer int

const (
	silent  answer = iota // no member answers, or there is none to ask
	refused               // it does not list this node as a new member
	granted               // it does
)

// verdict is the final answer to a question.
type verdict struct {
	answer
	votes // of the last round
}

// ask asks all other members until their answer is final, or ctx ends. The
// error says why they cannot be asked.
func (c *Checker) ask(ctx context.Context, q question) (verdict, error) {
	others, err := c.Asker.Peers()
	if err != nil || len(others) == 0 {
		return verdict{}, err
	}
	p := poll{question: q}
	for said := ""; ; {
		var v votes
		c.askAll(ctx, others, func(r reply) bool {
			v.add(c.vote(ctx, r.list, q))
			return v.granted
		})
		a, final := p.add(v, time.Now())
		if final || ctx.Err() != nil {
			return verdict{a, v}, nil
		}
		text := "asking the cluster whether this node replaces a member; no answer yet"
		if v.denied > 0 {
			text = fmt.Sprintf("asking the cluster whether this node replaces a member; %d of %d say no so far", v.denied, len(others))
		}
		if text != said {
			c.waitFor(status.Condition{ID: q.about, Text: text})
			said = text
		}
		select {
		case <-ctx.Done():
			return verdict{a, v}, nil
		case <-time.After(peers.PauseMissing):
		}
	}
}

// votes are what the members said in one round.
type votes struct {
	granted bool // one lists this node as a new member
	denied  int  // how many do not
	quorum  int  // how many are a quorum by the longest of their lists

	list   peers.List // of the one that grants it
	own    uint64     // this node's ID there
	pinned []string   // peer URLs of the pinned member, where it is listed
}

func (v *votes) add(w votes) {
	if w.granted {
		v.granted, v.list, v.own = true, w.list, w.own
	}
	v.denied += w.denied
	v.quorum = max(v.quorum, w.quorum)
	if len(w.pinned) > 0 {
		v.pinned = w.pinned
	}
}

// vote takes the answer to a question from one member's list.
func (c *Checker) vote(ctx context.Context, list peers.List, q question) (v votes) {
	voters := 0
	for _, x := range list.Members {
		if !x.Learner {
			voters++
		}
		if c.Guard.Pin != nil && c.Guard.Pin.MemberID == hex(x.ID) {
			v.pinned = x.PeerURLs
		}
		if q.new(x) && c.listedAs(ctx, x) {
			v.granted, v.list, v.own = true, list, x.ID
		}
	}
	v.granted = v.granted && len(v.pinned) == 0
	if v.granted && list.OtherScheme != "" { // etcd could not join there
		return votes{}
	}
	if len(list.Members) > 0 && !v.granted {
		v.denied, v.quorum = 1, voters/2+1
	}
	return v
}

// poll follows the votes from round to round.
type poll struct {
	question
	begun    time.Time // the first round
	denied   time.Time // since when a member says no in every round; zero: none does
	outvoted time.Time // the same of a quorum
}

// add takes in a round and returns the answer, and whether it is final. A yes
// always is: a member that says it has applied both the removal and the
// addition. A no may come from members that lag behind.
func (p *poll) add(v votes, now time.Time) (a answer, final bool) {
	outvoted := v.denied > 0 && v.denied >= v.quorum
	since := func(at *time.Time, yes bool) {
		switch {
		case !yes:
			*at = time.Time{}
		case at.IsZero():
			*at = now
		}
	}
	since(&p.begun, true)
	since(&p.denied, v.denied > 0)
	since(&p.outvoted, outvoted)
	late := !p.endless && now.Sub(p.begun) >= silenceLimit+denialLimit // answers come and go
	switch {
	case v.granted:
		return granted, true
	case v.denied == 0:
		return silent, !p.endless && now.Sub(p.begun) >= silenceLimit
	case outvoted:
		return refused, late || now.Sub(p.outvoted) >= settleLimit
	default:
		return refused, late || now.Sub(p.denied) >= denialLimit
	}
}
