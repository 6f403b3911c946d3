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
	// seconds, and the member shall be back within one of that.
	maxDelay = time.Second
	// patientAfter attempts, a minute, the cause is one that lasts, and each
	// attempt leaves its lines in the log; patientDelay still has a member back
	// within five seconds of the disk being freed, the port being given up.
	patientAfter = 60
	patientDelay = 3 * time.Second
	// operatorDelay separates attempts that only a repair can help. Each
	// leaves its lines in the log, so they come slowly.
	operatorDelay = 30 * time.Second
	// healthyAfter is how long a member must have served for its failures to
	// be forgotten: longer than any failure that a start itself provokes.
	healthyAfter = 10 * time.Second
)

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
