package flight

import "time"

// span is for how long a slow commit is remembered: at least that, at most twice.
const span = 5 * time.Second

// commits knows the slowest commit of late.
type commits struct {
	begun         time.Time
	before, since time.Duration // the slowest of the span before, and of this one
}

func (c *commits) note(now time.Time, took time.Duration) {
	c.turn(now)
	c.since = max(c.since, took)
}

func (c *commits) slowest(now time.Time) time.Duration {
	c.turn(now)
	return max(c.before, c.since)
}

func (c *commits) turn(now time.Time) {
	switch passed := now.Sub(c.begun); {
	case passed < span:
	case passed < 2*span:
		c.begun, c.before, c.since = c.begun.Add(span), c.since, 0
	default:
		*c = commits{begun: now}
	}
}
