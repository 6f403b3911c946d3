package election

import (
	"context"
	"net"
	"strings"
	"sync"
	"time"
)

// trips are the round trips to other members, by address: how long it takes to
// connect, for the kernel answers, however busy the member is.
type trips struct {
	mu   sync.Mutex
	took map[string]time.Duration
}

type dialer = func(ctx context.Context, address string) (net.Conn, error)

// timed notes how long each connection takes. A lost packet costs a second, so
// what was measured grows to its double at most.
func (t *trips) timed(dial dialer) dialer {
	return func(ctx context.Context, address string) (net.Conn, error) {
		begun := time.Now()
		conn, err := dial(ctx, address)
		if err != nil {
			return nil, err
		}
		took := time.Since(begun)
		t.mu.Lock()
		defer t.mu.Unlock()
		if before, ok := t.took[address]; ok {
			took = min(took, 2*before)
		}
		t.took[address] = took
		return conn, nil
	}
}

// to is a round trip to a member at one of its URLs; 0: none was measured.
func (t *trips) to(urls []string) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range urls {
		if _, address, ok := strings.Cut(s, "://"); ok && t.took[address] > 0 {
			return t.took[address]
		}
	}
	return 0
}

// measureEvery is how often round trips are measured; they change with the
// network between the members, which is seldom.
const measureEvery = 5 * time.Minute

// measure connects to the other voting members once they are up, and now and
// then.
func (e *Elector) measure(ctx context.Context) {
	for pause := e.opts.Timeout; sleep(ctx, pause); pause = measureEvery {
		for _, urls := range e.peers() {
			if conn, err := e.opts.Network.connect(ctx, urls); err == nil {
				conn.Close()
			}
		}
	}
}
