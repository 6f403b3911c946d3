package silence

import (
	"context"
	"sync"
	"time"

	"github.com/etcd-node/etcd-node/pkg/pace"
)

// Watch watches one host.
type Watch struct {
	Limit time.Duration // as in [Suspicion]
	// Look is what the kernel knows now, without what comes of Dial and Quorum;
	// false: there is no line, or nothing is to be asked.
	Look func() (Look, bool)
	// Ask sends something to the host that it has to acknowledge. It does not
	// wait.
	Ask func() error
	// Refresh is called before the evidence can become whole: Look is to know all
	// connections with the host.
	Refresh func()
	// Dial asks for a fresh connection until ctx ends, and reports whether the host
	// has answered, in whatever way. An error: it was not asked.
	Dial func(ctx context.Context) (answered bool, err error)
	// Quorum reports, until ctx ends, whether a quorum is reached without the host.
	Quorum func(ctx context.Context) bool
	// Activity says whether anybody would feel that the host is gone. While nobody
	// does, it is asked once in [calm], and that it is gone is known two of these and a
	// limit later, at most.
	Activity *pace.Activity
	// Tell is told when the evidence changes, and when the question was asked.
	Tell func(is Evidence, asked time.Time)
}

// Run watches until ctx ends.
func (w Watch) Run(ctx context.Context) {
	var (
		s    = Suspicion{Limit: w.Limit}
		p    probes
		told = None
	)
	defer p.end()
	for {
		woken, unused := w.Activity.Calm()
		l, ok := w.Look()
		do, is, next := Rest, None, Quiet
		if ok {
			l.Dialed, l.Answered, l.Reached = p.seen()
			do, is, next = s.Step(l, unused)
		} else if s.Reset(); unused {
			next = Whenever
		}
		if s.Asked().IsZero() {
			p.end()
		}
		switch do {
		case Ask:
			if err := w.Ask(); err != nil {
				s.Reset() // the line has ended, and its holder will see it
			}
		case Dial:
			w.Refresh()
			p.end()
			p.begin(ctx, w)
		}
		if is != told {
			told = is
			w.Tell(is, s.Asked())
		}
		later := time.After(next)
		if next == Whenever {
			later = pace.After(calm)
		}
		select {
		case <-ctx.Done():
			return
		case <-woken:
		case <-later:
		}
	}
}

// calm is how often a host is asked that nobody would miss, and looked at whether it
// has acknowledged the question before.
const calm = time.Second

// probes are the fresh connections to the host and to the others.
type probes struct {
	cancel  context.CancelFunc
	running sync.WaitGroup

	mu                        sync.Mutex
	dialed, answered, reached time.Time
}

// probePause is between two tries.
const probePause = 100 * time.Millisecond

func (p *probes) begin(ctx context.Context, w Watch) {
	ctx, p.cancel = context.WithCancel(ctx)
	p.mu.Lock()
	p.dialed, p.reached = time.Now(), time.Time{}
	p.mu.Unlock()
	p.running.Go(func() {
		for again := true; again; again = pause(ctx, probePause) {
			answered, err := w.Dial(ctx)
			if ctx.Err() != nil {
				return
			}
			p.mu.Lock()
			switch {
			case answered:
				p.answered = time.Now()
			case err != nil: // not sent: it counts from the next
				p.dialed = time.Now().Add(probePause)
			}
			p.mu.Unlock()
		}
	})
	p.running.Go(func() {
		for again := true; again; again = pause(ctx, probePause) {
			reached := w.Quorum(ctx)
			p.mu.Lock()
			switch {
			case !reached:
				p.reached = time.Time{}
			case p.reached.IsZero():
				p.reached = time.Now()
			}
			p.mu.Unlock()
		}
	})
}

// end ends them. What they have found counts no more.
func (p *probes) end() {
	if p.cancel == nil {
		return
	}
	p.cancel()
	p.running.Wait()
	p.cancel, p.dialed = nil, time.Time{}
}

func (p *probes) seen() (dialed, answered, reached time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dialed, p.answered, p.reached
}

func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
