package silence

import (
	"time"

	"golang.org/x/sys/unix"
)

// Least is the least limit there is: TCP's shortest pause before it sends again,
// and as long for an answer.
const Least = 200*time.Millisecond + patience

// Quiet is how long nothing is heard of a host before it is asked anything: by
// etcd's defaults, a heartbeat and as much as a busy machine delays it, so that a
// leader that lives is asked little.
const Quiet = 120 * time.Millisecond

const (
	// every is how often a host is asked that speaks seldom: five small requests a
	// second. What costs is to wake up for it, here and there, so whether it has
	// acknowledged is looked at when the next is due.
	every = 200 * time.Millisecond
	// step is how often a host is looked at that has not acknowledged.
	step = 50 * time.Millisecond
	// late is how late one of our steps may be. A busy machine is late by some
	// ten milliseconds; one that is later may not have taken in what had come.
	late = 2 * step
	// patience is how long a fresh connection may be unanswered at least. It is
	// etcd's measure of a far network and more than a delayed acknowledgement
	// (40 ms, 200 at most).
	patience = 200 * time.Millisecond
	// trips is how many round trips everything may take at least: as many as etcd's
	// guide wants in an election timeout.
	trips = 10
	// perLoss is by how much the limit grows with the share of packets that are
	// lost: each 5 % more make room for one more try of TCP's, which come after 0.2,
	// 0.4 and 0.8 s. mostLoss is from where on it grows no more.
	perLoss, mostLoss = 10, 0.1
)

// Look is what is known of a host at one moment. The zero time means never.
type Look struct {
	At    time.Time
	Heard time.Time // the last packet from it, on any connection
	Acked bool      // it has acknowledged all that was asked
	Sent  time.Time // when something was sent last that is not acknowledged, where that is known
	// As TCP has measured them on the line.
	Trip  time.Duration // a round trip
	Again time.Duration // the pause before it sends again: its retransmission timeout
	Loss  float64       // the share of segments that had to be sent again
	// Of the fresh connection.
	Dialed   time.Time // since when it is unanswered
	Answered time.Time // when one was answered last, also by a refusal
	// Reached is since when a quorum is reached without the host.
	Reached time.Time
}

// Evidence is that a host is silent.
type Evidence int

// The evidence is half when half of the limit has passed. It does not count
// alone.
const (
	None Evidence = iota
	Half
	Whole
)

// Move is what is to be done next.
type Move int

const (
	Rest Move = iota
	Ask       // ask something on the line
	Dial      // ask for a fresh connection
)

// Suspicion gathers the evidence that one host is silent.
type Suspicion struct {
	Limit time.Duration // without an acknowledgement, at least

	last  time.Time     // when something was asked last
	asked time.Time     // since when nothing was heard that was asked for; zero: all is well
	limit time.Duration // for this question
	wait  time.Duration // for a fresh connection
	due   time.Time     // when the next step is to be
	left  bool          // the next look at what is asked was to be whenever it is convenient
}

// Asked is when what is unanswered was asked.
func (s *Suspicion) Asked() time.Time { return s.asked }

// Whenever is the time of the next look where nobody waits for what it shows.
const Whenever time.Duration = 0

// Step takes a look. It says what to do, what is known, and when the next look
// is due. Should a move fail, Reset must follow. unused: nobody would feel now that
// the host is gone; should that change, the next look is due at once.
func (s *Suspicion) Step(l Look, unused bool) (do Move, is Evidence, next time.Duration) {
	// A question that was left alone is worth no more than one that is put now: one
	// packet may be lost, and nobody knows what this process did meanwhile.
	slept := !s.due.IsZero() && l.At.Sub(s.due) > late || s.left
	do, is, next = s.judge(l, slept)
	s.due, s.left = l.At.Add(next), false
	if unused && (s.asked.IsZero() || s.last.Equal(l.At)) { // all is well, or was until now
		s.due, s.left, next = time.Time{}, !s.asked.IsZero(), Whenever
	}
	return do, is, next
}

// Reset begins anew.
func (s *Suspicion) Reset() { s.asked, s.due, s.left = time.Time{}, time.Time{}, false }

func (s *Suspicion) judge(l Look, slept bool) (Move, Evidence, time.Duration) {
	heard := l.Heard
	if l.Answered.After(heard) {
		heard = l.Answered
	}
	if l.Acked || heard.After(s.asked) {
		s.asked = time.Time{}
	}
	if s.asked.IsZero() {
		if soon := max(Quiet-l.At.Sub(heard), every-l.At.Sub(s.last)); soon > 0 {
			return Rest, None, max(soon, time.Millisecond)
		}
		s.last = l.At
		s.ask(l)
		return Ask, None, min(every, s.limit-s.wait)
	}
	if slept {
		s.ask(l) // what is under way is question enough
	}
	// TCP alone would send again after 0.2 s and 0.4 s more: an outage of a quarter
	// of a second could hide both. What is asked anew is sent at once, and whatever
	// arrives is acknowledged.
	age, again := l.At.Sub(s.asked), Ask
	if age < 2*l.Trip {
		again = Rest // the answer is on its way
	}
	dialed := l.Dialed.After(s.asked) // else it may have been lost while we slept
	switch dial := s.limit - s.wait; {
	case age < dial:
		return again, s.half(age), min(step, dial-age)
	case !dialed:
		return Dial, s.half(age), step
	case age < s.limit:
		return again, s.half(age), min(step, s.limit-age)
	case l.At.Sub(l.Dialed) < s.wait:
		return Rest, s.half(age), min(step, s.wait-l.At.Sub(l.Dialed))
	case l.Reached.IsZero():
		return again, None, step
	case l.At.Sub(l.Reached) < s.wait/2: // our own network may just be back, and the host's answer be on its way
		return again, s.half(age), step
	default:
		return Rest, Whole, step
	}
}

func (s *Suspicion) half(age time.Duration) Evidence {
	if age < s.limit/2 {
		return None
	}
	return Half
}

// ask counts from now.
func (s *Suspicion) ask(l Look) {
	s.asked, s.wait, s.limit = l.At, waitOf(l), limitOf(s.Limit, l)
}

// waitOf is how long an answer may take.
func waitOf(l Look) time.Duration { return max(trips*l.Trip, patience) }

// limitOf is how long an acknowledgement may take. TCP must have had the time to
// send again once, and its answer to come; how long that is now, for its pause
// grows with each try.
func limitOf(least time.Duration, l Look) time.Duration {
	limit := max(least, trips*l.Trip, l.Again+waitOf(l))
	return limit + time.Duration(float64(limit)*perLoss*min(l.Loss, mostLoss))
}

// add adds what the kernel knows of one more connection: a packet on any of them
// is one of the host's, and the slowest of them must have had its time.
func (l *Look) add(now time.Time, info *unix.TCPInfo) {
	// The kernel counts in milliseconds, and in its own ticks, of up to ten.
	if at := now.Add(-time.Duration(min(info.Last_ack_recv, info.Last_data_recv)) * time.Millisecond); at.After(l.Heard) {
		l.Heard = at
	}
	l.Trip = max(l.Trip, time.Duration(info.Rtt)*time.Microsecond)
	l.Again = max(l.Again, time.Duration(info.Rto)*time.Microsecond)
}
