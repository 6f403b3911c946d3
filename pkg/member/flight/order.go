package flight

import (
	"time"

	"github.com/etcd-node/etcd-node/pkg/pace"
)

const (
	// orderCheck is how often it is looked whether requests were overtaken: a little
	// more than slack, so that a check which comes somewhat early still counts.
	orderCheck = slack + 100*time.Millisecond
	// slack is how much later a request must have begun than another to prove that
	// that one is lost, and how long ago its answer must have come, at least. A
	// goroutine that is not scheduled, and messages that go to the leader on four
	// connections at once while the stream to it is down, change places by much less.
	slack = time.Second
	// unusedCheck is how often that is while nobody uses the member and nothing is
	// under way.
	unusedCheck = 2 * slack
)

// nextCheck fires when it is to be looked again whether requests were overtaken.
func (t *Tracker) nextCheck() <-chan time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, unused := t.opts.Activity.Calm(); unused && len(t.calls) == 0 {
		return pace.After(unusedCheck)
	}
	return time.After(orderCheck)
}

// order knows which requests were overtaken. Raft takes what one member proposes in
// the order in which it is proposed, and applies it in that order. So a request that
// is unanswered while one that began later is answered was lost, whatever became
// of the leader: the stream to it was broken, or the leader dropped it, as it does
// in a transfer that is given up.
type order struct {
	latest time.Time // when the last request began, of those that were answered
	before time.Time // the same at the last check
	last   time.Time // when that was
}

func (o *order) answered(began time.Time) {
	if began.After(o.latest) {
		o.latest = began
	}
}

// check returns the moment before which a request must have begun to be lost.
// After a pause of the process two ticks can follow each other at once: then the
// answers that the first has seen prove nothing yet.
func (o *order) check(now time.Time) time.Time {
	if now.Sub(o.last) < slack {
		return time.Time{}
	}
	o.last = now
	overtaken := o.before.Add(-slack)
	o.before = o.latest
	return overtaken
}
