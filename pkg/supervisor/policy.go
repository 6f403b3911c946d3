package supervisor

import (
	"math/rand/v2"
	"time"

	"github.com/etcd-node/etcd-node/pkg/failure"
)

const (
	// firstDelay follows the first restart, which is at once: a member that
	// was killed is back in a tenth of a second, one that cannot run does not
	// spin.
	firstDelay = 100 * time.Millisecond
	// maxDelay bounds the doubling: most causes that heal by themselves do in
	// seconds, and the member shall be back within one of that, with the fifth by
	// which pauses differ and its own start.
	maxDelay = 700 * time.Millisecond
	// patientAfter attempts, a minute, the cause is one that lasts, and each
	// attempt leaves its lines in the log; patientDelay still has a member back
	// within five seconds of the disk being freed, the port being given up.
	patientAfter = 86
	patientDelay = 3 * time.Second
	// operatorDelay separates attempts that only a repair can help. Each
	// leaves its lines in the log, so they come slowly.
	operatorDelay = 30 * time.Second
	// healthyAfter is how long a member must have served for its failures to
	// be forgotten: longer than any failure that a start itself provokes.
	healthyAfter = 10 * time.Second
	// extendEvery and extendBy keep a start that is right to wait from being
	// ended by TimeoutStartSec: asked for often enough to survive several
	// lost turns, short enough that systemd notices soon if we are gone.
	extendEvery = 5 * time.Second
	extendBy    = 30 * time.Second
	// failingLimit is for how long a start may fail again and again: longer
	// than the causes that heal by themselves, and two attempts of the slow
	// kind.
	failingLimit = time.Minute
)

// policy decides what follows a failure, and how long a start may take. It
// reads no clock: its caller tells the time.
type policy struct {
	managed      bool          // a service manager waits for the start
	startTimeout time.Duration // 0: for ever
	delay        func(class failure.Class, n int) time.Duration

	begun        time.Time     // when the start began
	extended     time.Time     // when systemd was last asked to wait longer
	failing      failure.Class // of the last failure; "" once a start has got past it
	attempts     int           // since the member last was healthy
	doubted      bool          // one failure has not been believed since then
	served       bool          // the member has served since the start began
	servingSince time.Time     // of this member process; zero while it does not serve
}

// progressed says that the member has got past what ended the one before.
func (p *policy) progressed() { p.failing = "" }

// serving says that the member serves from now on.
func (p *policy) serving(now time.Time) { p.served, p.servingSince = true, now }

// believed is the failure, or what it is taken for until it comes again: what one
// damaged message can cause is no verdict on the data. Where a failure ends the
// daemon anyway it is believed at once.
func (p *policy) believed(f *failure.Failure, now time.Time) *failure.Failure {
	p.forgive(now)
	if !f.Wire || p.doubted || !p.managed && !p.served {
		return f
	}
	p.doubted = true
	return failure.New(failure.IDMessage, f.Detail)
}

// forgive forgets the failures before a healthy spell.
func (p *policy) forgive(now time.Time) {
	if !p.servingSince.IsZero() && now.Sub(p.servingSince) >= healthyAfter {
		p.attempts, p.doubted = 0, false
	}
}

// after decides what follows a failure: another attempt after a wait or, where
// end is not nil, the end of Run with it.
func (p *policy) after(f *failure.Failure, now time.Time) (wait time.Duration, end *failure.Failure) {
	p.forgive(now)
	p.servingSince = time.Time{}
	p.failing = f.Class
	switch {
	case f.Class == failure.Permanent, !p.managed && !p.served:
		return 0, f
	case !p.served && now.Sub(p.extended) >= failingLimit:
		// `systemctl start` shall fail and show it. systemd begins another start.
		temporary := *f
		temporary.Exit = failure.ExitTimeout
		return 0, &temporary
	}
	wait = p.delay(f.Class, p.attempts)
	p.attempts++
	return wait, nil
}

// overdue reports whether a start has taken longer than the operator allows.
func (p *policy) overdue(now time.Time) bool {
	return p.startTimeout > 0 && now.Sub(p.begun) >= p.startTimeout
}

// extend reports whether it is time to ask systemd to wait longer for a start.
// A start that fails again and again gets no more time.
func (p *policy) extend(now time.Time) bool {
	if p.failing != "" || now.Sub(p.extended) < extendEvery {
		return false
	}
	p.extended = now
	return true
}

// Delay is how long to wait before the next attempt: the n-th one (from 0)
// since the member last was healthy. Delays are spread at random over ±20 %,
// so that three members that fall together do not rise in step.
func Delay(class failure.Class, n int) time.Duration {
	return delay(class, n, rand.Float64())
}

// delay is Delay with the random number given, jitter in [0,1).
func delay(class failure.Class, n int, jitter float64) time.Duration {
	var d time.Duration
	switch {
	case class == failure.Operator:
		d = operatorDelay
	case n == 0:
		return 0
	case n >= patientAfter:
		d = patientDelay
	default:
		d = maxDelay
		if shift := n - 1; shift < 5 { // 100 ms << 5 is more than maxDelay
			d = min(maxDelay, firstDelay<<shift)
		}
	}
	return time.Duration(float64(d) * (0.8 + 0.4*jitter))
}
