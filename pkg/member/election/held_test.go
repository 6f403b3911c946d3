package election

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.etcd.io/etcd/server/v3/etcdserver/api/rafthttp"
)

// fakeNetwork accepts or refuses connections.
type fakeNetwork struct {
	mu    sync.Mutex
	err   error // what a dial gets, unless nil
	conns []net.Conn
	dials []time.Time
	// dead is how many connections are accepted and ended at once, as by the
	// backlog of a listener whose process is dying.
	dead int
	// says is what is answered to each HTTP request.
	says string
}

func (n *fakeNetwork) dial(context.Context, string) (net.Conn, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.dials = append(n.dials, time.Now())
	if n.dead > 0 {
		n.dead--
		ours, theirs := net.Pipe()
		theirs.Close()
		return ours, nil
	}
	if n.err != nil {
		return nil, &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", n.err)}
	}
	ours, theirs := net.Pipe()
	n.conns = append(n.conns, theirs)
	if says := n.says; says != "" {
		go func() {
			if _, err := http.ReadRequest(bufio.NewReader(theirs)); err == nil {
				fmt.Fprintf(theirs, "HTTP/1.1 400 Bad Request\r\nContent-Length: %d\r\n\r\n%s", len(says), says)
			}
		}()
	}
	return ours, nil
}

// end ends all connections; the next dials get err.
func (n *fakeNetwork) end(err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.err = err
	for _, c := range n.conns {
		c.Close()
	}
	n.conns = nil
}

func (n *fakeNetwork) dialed() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.dials)
}

func urls() []string { return []string{"http://peer:2380"} }

// holding holds a connection, and returns when it is refused, and a func that
// ends it.
func holding(t *testing.T, n *fakeNetwork) (<-chan time.Time, context.CancelFunc) {
	ctx, cancel := context.WithCancel(t.Context())
	refusals, done := make(chan time.Time, 10), make(chan struct{})
	go func() {
		defer close(done)
		Network{Dial: n.dial}.keep(ctx, urls, func(net.Conn) {}, func(what event) {
			if what == refused {
				refusals <- time.Now()
			}
		})
	}()
	return refusals, func() { cancel(); <-done }
}

func TestHold(t *testing.T) {
	for _, tc := range []struct {
		name string
		do   func(n *fakeNetwork)
		gone bool
		soon bool // within milliseconds
		most int  // dials in the two minutes; 0: 40
	}{
		{"ended and refused", func(n *fakeNetwork) { n.end(syscall.ECONNREFUSED) }, true, true, 0},
		{"ended and accepted by a dying listener first", func(n *fakeNetwork) {
			n.mu.Lock()
			n.dead = 3
			n.mu.Unlock()
			n.end(syscall.ECONNREFUSED)
		}, true, true, 0},
		{"ended only", func(n *fakeNetwork) { n.end(nil) }, false, false, 0},
		{"ended and timed out", func(n *fakeNetwork) { n.end(syscall.ETIMEDOUT) }, false, false, 80}, // one a second, and a few at first
		{"ended and reset", func(n *fakeNetwork) { n.end(syscall.ECONNRESET) }, false, false, 0},
		{"ended and unreachable", func(n *fakeNetwork) { n.end(syscall.EHOSTUNREACH) }, false, false, 80},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := &fakeNetwork{}
				refusals, cancel := holding(t, n)
				time.Sleep(time.Minute + renewAfter()/2)
				begun, before := time.Now(), n.dialed()
				tc.do(n)
				time.Sleep(time.Minute)
				synctest.Wait()
				select {
				case at := <-refusals:
					if !tc.gone {
						t.Error("found gone")
					}
					if took := at.Sub(begun); tc.soon && took > 20*time.Millisecond {
						t.Errorf("took %v", took)
					}
				default:
					if tc.gone {
						t.Error("not found out")
					}
				}
				if got := n.dialed() - before; got > cmp.Or(tc.most, 40) {
					t.Errorf("%d dials in a minute", got)
				}
				cancel()
				synctest.Wait()
			})
		})
	}
}

// A peer that was refusing from the beginning is not one that has died.
func TestHoldNeverConnected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &fakeNetwork{err: syscall.ECONNREFUSED}
		refusals, cancel := holding(t, n)
		time.Sleep(10 * time.Minute)
		select {
		case <-refusals:
			t.Error("found gone without ever having been connected")
		default:
		}
		cancel()
	})
}

// After an outage the connection is there again with the network.
func TestHoldAfterOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &fakeNetwork{}
		refusals, cancel := holding(t, n)
		time.Sleep(time.Minute + renewAfter()/2)
		n.end(syscall.ETIMEDOUT)
		time.Sleep(5 * time.Minute)
		n.end(nil)
		back := time.Now()
		time.Sleep(time.Minute)
		n.mu.Lock()
		again := slices.IndexFunc(n.dials, func(at time.Time) bool { return !at.Before(back) })
		if late := n.dials[again].Sub(back); late > maxSilent {
			t.Errorf("connected again %v after the network was back", late)
		}
		n.mu.Unlock()
		n.end(syscall.ECONNREFUSED)
		<-refusals
		cancel()
	})
}

// An hour without a word: the connection is renewed before the peer ends it,
// and the old one is closed only then.
func TestHoldRenews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &fakeNetwork{}
		refusals, cancel := holding(t, n)
		time.Sleep(time.Hour + time.Second)
		if got, want := n.dialed(), int(time.Hour/renewAfter()); got < want || got > want+2 {
			t.Errorf("%d connections in an hour, want %d", got, want)
		}
		for i := 1; i < len(n.dials); i++ {
			if d := n.dials[i].Sub(n.dials[i-1]); d >= rafthttp.ConnReadTimeout {
				t.Errorf("connection %d was %v old", i, d)
			}
		}
		// The renewal fails, but the connection stands: no evidence. Then it ends.
		n.mu.Lock()
		n.err = syscall.ECONNREFUSED
		n.mu.Unlock()
		time.Sleep(10 * time.Minute)
		select {
		case <-refusals:
			t.Error("gone, though the connection stands")
		default:
		}
		n.end(syscall.ECONNREFUSED)
		<-refusals
		cancel()
	})
}

// All of a peer's URLs must refuse.
func TestConnect(t *testing.T) {
	dial := func(answers map[string]error) Network {
		return Network{Dial: func(_ context.Context, addr string) (net.Conn, error) {
			return nil, answers[addr]
		}}
	}
	two := []string{"http://a:1", "http://b:2"}
	_, err := dial(map[string]error{"a:1": syscall.ECONNREFUSED, "b:2": syscall.ECONNREFUSED}).connect(t.Context(), two)
	if !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("both refuse: %v", err)
	}
	_, err = dial(map[string]error{"a:1": syscall.ECONNREFUSED, "b:2": syscall.ETIMEDOUT}).connect(t.Context(), two)
	if errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("one does not answer: %v", err)
	}
	for _, bad := range [][]string{nil, {"unix://x"}} {
		if _, err := dial(nil).connect(t.Context(), bad); err == nil || errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("%v: %v", bad, err)
		}
	}
}
