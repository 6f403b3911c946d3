package pace

import (
	"sync"
	"sync/atomic"
	"time"
)

// window is how long after the last request more are expected. Patroni asks every
// ten seconds, Kubernetes all the time.
const window = 15 * time.Second

// Activity knows whether anybody uses a member. The zero value is one that was not
// used yet. It is safe for concurrent use, and for use as nil: then somebody always
// does.
type Activity struct {
	last atomic.Int64 // nanoseconds since start
	calm atomic.Bool  // somebody waits for the next request

	mu    sync.Mutex
	woken chan struct{} // closed by it
}

// start is when the time of all Activity begins: its clock is not set.
var start = time.Now()

// Touch notes that the member is used now. It takes some ten nanoseconds.
func (a *Activity) Touch() {
	if a == nil {
		return
	}
	a.last.Store(int64(time.Since(start)) + 1)
	if a.calm.Load() {
		a.wake()
	}
}

func (a *Activity) wake() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.calm.Store(false)
	if a.woken != nil {
		close(a.woken)
		a.woken = nil
	}
}

// Calm reports whether the member has not been used of late, and what is closed
// when it is used again; nil where it is not calm.
func (a *Activity) Calm() (woken <-chan struct{}, calm bool) {
	if a == nil || a.recent() {
		return nil, false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.calm.Store(true)
	if a.recent() { // a Touch in this moment may not have seen that
		return nil, false
	}
	if a.woken == nil {
		a.woken = make(chan struct{})
	}
	return a.woken, true
}

func (a *Activity) recent() bool {
	last := a.last.Load()
	return last != 0 && time.Since(start)-time.Duration(last) < window
}
