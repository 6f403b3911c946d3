package silence

import (
	"slices"
	"time"
)

// Tally counts, on a leader, which of the other voters' hosts are silent. A
// leader writes to all of them with each heartbeat, so it asks nothing: what is
// written and not acknowledged is the question.
type Tally struct {
	Limit time.Duration // as in [Suspicion]

	voters map[uint64]*voter
	looked time.Time
	due    time.Time
}

type voter struct {
	heard time.Time     // last
	asked time.Time     // since when nothing was heard that was waited for
	limit time.Duration // for that
}

// Step takes a look at each of the other voters. It returns since when a quorum
// has been silent, the zero time if it is not, whether one is about to be, and
// when the next look is due. A voter that is not connected at all acknowledges
// nothing: its look has no more than the time.
func (t *Tally) Step(at time.Time, looks map[uint64]Look) (since time.Time, suspect bool, next time.Duration) {
	slept := !t.due.IsZero() && at.Sub(t.due) > late
	looked := t.looked
	known := map[uint64]*voter{}
	next = Settled
	defer func() { t.looked, t.due = at, at.Add(next) }()
	var silent []time.Time
	for id, l := range looks {
		v := t.voters[id]
		if v == nil {
			v = &voter{heard: at} // not longer than we know of it
		}
		known[id] = v
		if l.Heard.After(v.heard) {
			v.heard = l.Heard
		}
		if l.Acked || v.heard.After(v.asked) {
			v.asked = time.Time{}
		}
		if !l.Acked && (v.asked.IsZero() || slept) {
			v.asked, v.limit = at, limitOf(t.Limit, l)
			// It was sent since the last look, and nothing came after it.
			if !slept && !l.Sent.Before(looked) && !l.Sent.Before(v.heard) {
				v.asked = l.Sent
			}
		}
		if !l.Acked {
			next = tallied
		}
		switch age := at.Sub(v.asked); {
		case v.asked.IsZero():
		case age >= v.limit:
			silent = append(silent, v.heard)
		case age >= v.limit/2:
			suspect = true
		}
	}
	t.voters = known
	voters := len(looks) + 1
	spare := voters - (voters/2 + 1) // so many a quorum can do without
	if len(silent) <= spare {
		return time.Time{}, suspect, next
	}
	slices.SortFunc(silent, time.Time.Compare)
	return silent[spare], suspect, next
}

// Pause says that the next look is to be so long after the last one, and not when
// Step has said.
func (t *Tally) Pause(d time.Duration) { t.due = t.looked.Add(d) }

// tallied is how often the voters are looked at while something is under way to
// one, and Settled while all is acknowledged. It costs a wake-up. What is under way
// counts from when it was sent, so that nothing is known later for it.
const tallied, Settled = 200 * time.Millisecond, 400 * time.Millisecond
