package netdetect

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Names are looked up again after a second, because DNS is up with the network
// or shortly after it, and then at least every 5 s: the wait is a minute.
const (
	firstRetry = time.Second
	lastRetry  = 5 * time.Second
)

// Timeout is the error of a wait that reached its limit. What it waited for
// may still come, so trying again later is right; errors.As finds it, and the
// [*Pending] with the last reason inside it.
type Timeout struct {
	Limit   time.Duration
	Pending *Pending
}

func (e *Timeout) Error() string {
	return fmt.Sprintf("no address for this member after %v (ETCD_NODE_ADDRESS_WAIT): %s",
		e.Limit, explain(e.Pending.Reason, e.Pending.Found, e.Pending.Hint))
}

func (e *Timeout) Unwrap() error { return e.Pending }

// Wait looks until the machine's identity is known, whenever the kernel
// reports a change, and while names do not resolve also every 1 to 5 s.
// Say is called with the reason for waiting when it changes, from Wait's own
// goroutine; it must not block.
//
// Wait returns what [Find] does, except that instead of a Pending it fails
// with a [*Timeout] once limit has passed (at once if that is zero), or, when
// there is data that outranks the cluster list, with what the list lacks as a
// warning. It ends at once with ctx, and leaves no goroutine behind.
func Wait(ctx context.Context, host *Host, req Request, limit time.Duration, say func(reason string)) (Result, error) {
	// Subscribed before the first look, no change falls between the two.
	watch, stop := context.WithCancel(ctx)
	changes, err := host.Changes(watch)
	if err != nil {
		changes = nil // then only the timer is left
	}
	defer func(watched <-chan struct{}) {
		stop()
		if watched != nil {
			for range watched {
			}
		}
	}(changes)

	deadline := time.After(limit)
	var said string
	for retry := firstRetry; ; {
		if ctx.Err() != nil {
			return Result{}, fmt.Errorf("find this machine's address: %w", ctx.Err())
		}
		r, err := Find(ctx, host, req)
		var pending *Pending
		if !errors.As(err, &pending) {
			return r, err
		}
		if pending.Reason != said {
			said = pending.Reason
			say(said)
		}
		var again <-chan time.Time
		if len(pending.Unresolved) > 0 || changes == nil {
			again = time.After(retry)
		}
		select {
		case <-ctx.Done():
		case <-deadline:
			return lastLook(ctx, host, req, limit)
		case _, open := <-changes:
			if !open {
				changes = nil // ctx ended, or the kernel's socket broke
			}
		case <-again:
			retry = min(2*retry, lastRetry)
		}
	}
}

// lastLook ends a wait that reached its limit.
func lastLook(ctx context.Context, host *Host, req Request, limit time.Duration) (Result, error) {
	r, err := find(ctx, host, req, true)
	var pending *Pending
	if errors.As(err, &pending) {
		err = &Timeout{Limit: limit, Pending: pending}
	}
	return r, err
}
