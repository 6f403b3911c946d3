package netdetect

import (
	"context"
	"errors"
	"fmt"
	"sync"
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

// Patience is how long a [Wait] lasts, and what else may be known in it.
type Patience struct {
	// Limit is for how long what may still come is waited for.
	Limit time.Duration
	// Absent: an address of the cluster list that is on no interface may still
	// come, with a VPN, a virtual IP or a bond. Else it is refused at once, or
	// with data a warning.
	Absent bool
	// Endless: the wait goes on when Limit has passed. Somebody sees the reason.
	Endless bool
	// List is where the cluster list stands, for the operator:
	// "ETCD_INITIAL_CLUSTER (/etc/default/etcd:3)".
	List string
	// Data returns the hosts under which the cluster knows this member by its
	// data, nil where that cannot be told. It is asked where there is data and no
	// address of this machine stands in the list. Nil: it is not known.
	Data func() []string
}

// Wait looks until the machine's identity is known, whenever the kernel
// reports a change, and while names do not resolve also every 1 to 5 s.
// Say is called with the reason for waiting when it changes, from Wait's own
// goroutine; it must not block.
//
// Wait returns what [Find] does, except that instead of a Pending it fails
// with a [*Timeout] once the limit has passed (at once if that is zero), or, when
// there is data that outranks the cluster list, with what the list lacks as a
// warning. An endless wait has no Timeout; with data that says where the cluster
// knows this member, its address is waited for, and nothing else once the limit
// has passed. Wait ends at once with ctx, and leaves no goroutine behind.
func Wait(ctx context.Context, host *Host, req Request, patience Patience, say func(reason string)) (Result, error) {
	// Subscribed before the first look, no change falls between the two.
	changes, stop := host.subscribe(ctx)
	defer stop()

	if patience.Data != nil {
		patience.Data = sync.OnceValue(patience.Data) // what it reads does not change while nothing runs
	}
	deadline := time.After(patience.Limit)
	var said string
	last := false
	for retry := firstRetry; ; {
		if ctx.Err() != nil {
			return Result{}, fmt.Errorf("find this machine's address: %w", ctx.Err())
		}
		r, err := find(ctx, host, req, patience, last)
		var pending *Pending
		switch {
		case !errors.As(err, &pending):
			return r, err
		case last && !patience.Endless:
			return r, &Timeout{Limit: patience.Limit, Pending: pending}
		}
		if pending.Reason != said {
			said = pending.Reason
			say(said)
		}
		var again <-chan time.Time
		if pending.names || changes == nil {
			again = time.After(retry)
		}
		select {
		case <-ctx.Done():
		case <-deadline:
			last = true
		case _, open := <-changes:
			if !open {
				changes = nil // ctx ended, or the kernel's socket broke
			}
		case <-again:
			retry = min(2*retry, lastRetry)
		}
	}
}

// subscribe is [Host.Changes] until stop is called, which waits for the goroutine
// behind it. Where the kernel's reports cannot be had, changes is nil, and only a
// timer is left.
func (h *Host) subscribe(ctx context.Context) (changes <-chan struct{}, stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	changes, err := h.Changes(ctx)
	if err != nil {
		return nil, cancel
	}
	return changes, func() {
		cancel()
		for range changes {
		}
	}
}
