package flight

import (
	"context"
	"errors"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/etcd-node/etcd-node/pkg/pace"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
)

// Options are what a Tracker works with.
type Options struct {
	// Timeout is etcd's election timeout.
	Timeout time.Duration
	// Activity hears of each request; it may be nil.
	Activity *pace.Activity
	// Changed is called, from any goroutine, when Counts has changed.
	Changed func()
}

// Counts says what was done since the process began.
type Counts struct {
	Ended int // requests that were lost with a leader, or on the way to it
}

// Tracker knows the requests under way. Make one with New.
type Tracker struct {
	opts  Options
	heard chan struct{} // of capacity 1: the log has said something of the leader

	mu        sync.Mutex
	server    Server // nil before Run
	calls     map[*call]struct{}
	gate      *gate     // nil: requests pass
	following uint64    // the leader, by the last look
	since     time.Time // since when it is
	lostAt    time.Time // when the log first spoke of a change since then
	restored  uint64    // the term of the last entry of the latest leader's snapshot
	slow      commits
	passed    order
	counts    Counts
}

// call is a request under way that is a proposal.
type call struct {
	began  time.Time
	end    context.CancelCauseFunc
	prompt bool
}

// New returns a Tracker that ends nothing before Run.
func New(o Options) *Tracker {
	return &Tracker{opts: o, heard: make(chan struct{}, 1), calls: map[*call]struct{}{}}
}

// Look has Run look at once, because what the server says has changed.
func (t *Tracker) Look() {
	select {
	case t.heard <- struct{}{}:
	default: // it is about to
	}
}

// Counts returns what was done so far.
func (t *Tracker) Counts() Counts {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.counts
}

// Intercept is a [grpc.UnaryServerInterceptor].
func (t *Tracker) Intercept(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	t.opts.Activity.Touch()
	r := rules[info.FullMethod]
	switch {
	case r.kind == transfer:
		// Whom etcd will refuse keeps nobody's requests back.
		if move, ok := req.(*etcdserverpb.MoveLeaderRequest); ok && t.mayMove(ctx, move.GetTargetID()) {
			defer t.Hold(ctx)()
		}
		return handler(ctx, req)
	case !r.proposes(req):
		return handler(ctx, req)
	}
	lost := r.lost(req) // before etcd chooses the ID of a lease
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	c, err := t.begin(ctx, end, r.prompt)
	if err != nil {
		return nil, status.FromContextError(err).Err()
	}
	resp, err := handler(ctx, req)
	t.over(c, err == nil)
	// An answer that came wins, and so does another error than that of the context.
	if err != nil && errors.Is(context.Cause(ctx), errLost) && isCancel(err) {
		return nil, lost
	}
	return resp, err
}

// InterceptStream is a [grpc.StreamServerInterceptor]. A stream is no request that
// waits, but what comes on it is use: leases are kept alive so.
func (t *Tracker) InterceptStream(srv any, s grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	return handler(srv, touching{s, t.opts.Activity})
}

// touching is a stream that notes when something comes.
type touching struct {
	grpc.ServerStream
	activity *pace.Activity
}

func (s touching) RecvMsg(m any) error {
	err := s.ServerStream.RecvMsg(m)
	if err == nil {
		s.activity.Touch()
	}
	return err
}

func isCancel(err error) bool {
	return errors.Is(err, context.Canceled) || status.Code(err) == codes.Canceled
}

// begin waits until requests may pass, and notes this one.
func (t *Tracker) begin(ctx context.Context, end context.CancelCauseFunc, prompt bool) (*call, error) {
	for {
		t.mu.Lock()
		g := t.gate
		if g == nil {
			c := &call{began: time.Now(), end: end, prompt: prompt}
			t.calls[c] = struct{}{}
			t.mu.Unlock()
			return c, nil
		}
		t.mu.Unlock()
		select {
		case <-g.opened:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// over notes that a request has its answer.
func (t *Tracker) over(c *call, good bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.calls, c)
	// Others also take the time of what is no commit: a compaction goes through the
	// database, a password is hashed.
	if good && c.prompt {
		// One that has waited for a leader says nothing of how long a commit takes.
		if now := time.Now(); t.lostAt.IsZero() && c.began.After(t.since) {
			t.slow.note(now, now.Sub(c.began))
		}
		t.passed.answered(c.began)
	}
	t.settled()
}

// settled tells the gate that nothing is under way. Call it under the lock.
func (t *Tracker) settled() {
	if t.gate == nil || len(t.calls) > 0 {
		return
	}
	select {
	case <-t.gate.settled:
	default:
		close(t.gate.settled)
	}
}

// slowest is how long the slowest commit of late has taken.
func (t *Tracker) slowest(now time.Time) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.slow.slowest(now)
}

// endThose ends what is under way and lost, and says how many these are.
func (t *Tracker) endThose(lost func(*call) bool) (ended int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for c := range t.calls {
		if lost(c) {
			c.end(errLost)
			delete(t.calls, c)
			ended++
		}
	}
	t.settled()
	if ended > 0 {
		t.counts.Ended += ended
		lostRequests.Add(float64(ended))
	}
	return ended
}

// underWay reports whether a request is under way that began before a moment.
func (t *Tracker) underWay(before time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for c := range t.calls {
		if c.began.Before(before) {
			return true
		}
	}
	return false
}
