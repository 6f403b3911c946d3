package pace

import "time"

// After is [time.After] for what is not urgent: it fires at the next time of day
// that is a multiple of d, so that whoever waits for the same wakes up once. That is
// between 0.1 d and 1.1 d from now. A loop that often wakes up for other reasons
// keeps the channel until it has fired: else it may be put off again and again.
func After(d time.Duration) <-chan time.Time { return time.After(Until(time.Now(), d)) }

// Until is how long After waits.
func Until(now time.Time, d time.Duration) time.Duration {
	wait := d - time.Duration(now.UnixNano())%d
	if wait < d/10 { // a clock that is being set may not have come quite to the last one
		wait += d
	}
	return wait
}
