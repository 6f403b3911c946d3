package history

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/anishathalye/porcupine"
	clientv3 "go.etcd.io/etcd/client/v3"
)

const (
	// writers is how many clients there are at each member, each on a group of
	// its own. More on one group make its history too wide to be checked in
	// reasonable time.
	writers = 3
	// epoch is how long a group is in use: writes of unknown outcome stay
	// possible for the rest of its history, so it must not be long.
	epoch = 2 * time.Second
	// checkLimit bounds the search for an order of one group's events.
	checkLimit = 30 * time.Second
)

// History is a recording that goes on. Its methods may be called from any
// goroutine.
type History struct {
	stop    context.CancelFunc
	clients sync.WaitGroup
	checker sync.WaitGroup
	begun   time.Time

	mu     sync.Mutex // guards what is below
	groups map[name]*events
	last   int // unique number given last: to a client, or as a value
	result Result
}

// name is a group: one of those of an epoch.
type name struct {
	epoch  int64
	writer int
}

func (n name) key(i int) string { return fmt.Sprintf("k/%d/%d/%d", n.epoch, n.writer, i) }

// events is what is known of one group.
type events struct {
	ops     []porcupine.Operation
	pending int // calls that have not come back
}

// Result is what was recorded, and whether it can be explained.
type Result struct {
	Operations int
	Unknown    int // of them: writes of unknown outcome
	Lost       int // of these: a member said that they may have been lost with their leader
	Repeated   int // operations that repeat one of those
	Groups     int // of keys; each was checked by itself
	// Illegal describes the groups whose history no order of events explains.
	Illegal []string
	// Undecided counts those for which none was found or excluded in time.
	Undecided int
}

// Start lets clients work through each of the given ones, which should have
// one endpoint each, and pause up to a time between calls. It ends with
// [History.Stop].
func Start(clients []*clientv3.Client, pause time.Duration) *History {
	ctx, cancel := context.WithCancel(context.Background())
	h := &History{stop: cancel, begun: time.Now(), groups: map[name]*events{}}
	for i, cli := range clients {
		for w := range writers {
			h.clients.Go(func() {
				(&client{kv: cli, history: h, writer: w, id: h.number(), retries: (i+w)%2 == 0}).work(ctx, pause)
			})
		}
	}
	h.checker.Go(func() {
		tick := time.NewTicker(epoch)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				h.check(h.epoch())
			}
		}
	})
	return h
}

// Stop ends the recording and checks the rest.
func (h *History) Stop() Result {
	h.stop()
	h.clients.Wait()
	h.checker.Wait()
	h.check(math.MaxInt64)
	return h.So()
}

// So is the result so far.
func (h *History) So() Result {
	h.mu.Lock()
	defer h.mu.Unlock()
	r := h.result
	r.Illegal = slices.Clone(r.Illegal)
	return r
}

func (h *History) epoch() int64 { return int64(time.Since(h.begun) / epoch) }

// count adds to the result.
func (h *History) count(add func(*Result)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	add(&h.result)
}

// number is one that nobody else has.
func (h *History) number() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last++
	return h.last
}

// begin takes part in the group that is in use now: it is not checked before
// end was called.
func (h *History) begin(writer int) name {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := name{h.epoch(), writer}
	if h.groups[n] == nil {
		h.groups[n] = &events{}
	}
	h.groups[n].pending++
	return n
}

// end records what came of it; nil: nothing to record.
func (h *History) end(n name, op *porcupine.Operation) {
	h.mu.Lock()
	defer h.mu.Unlock()
	g := h.groups[n]
	g.pending--
	if op == nil {
		return
	}
	g.ops = append(g.ops, *op)
	h.result.Operations++
	if !op.Output.(answer).known {
		h.result.Unknown++
	}
}

// check judges and forgets the complete groups of epochs before the given one.
func (h *History) check(before int64) {
	h.mu.Lock()
	over := map[name]*events{}
	for n, g := range h.groups {
		if n.epoch < before && g.pending == 0 {
			over[n] = g
			delete(h.groups, n)
		}
	}
	h.mu.Unlock()
	for n, g := range over {
		verdict := porcupine.CheckOperationsTimeout(group, g.ops, checkLimit)
		h.mu.Lock()
		h.result.Groups++
		switch verdict {
		case porcupine.Illegal:
			h.result.Illegal = append(h.result.Illegal, n.describe(g.ops))
		case porcupine.Unknown:
			h.result.Undecided++
		}
		h.mu.Unlock()
	}
}

// describe is a group's whole history, for whoever has to understand it.
func (n name) describe(ops []porcupine.Operation) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s… is not linearizable (call and return in µs):\n", strings.TrimSuffix(n.key(0), "0"))
	for _, o := range slices.SortedFunc(slices.Values(ops), func(a, b porcupine.Operation) int { return int(a.Call - b.Call) }) {
		back := "never"
		if o.Return != math.MaxInt64 {
			back = fmt.Sprint(o.Return / 1000)
		}
		fmt.Fprintf(&b, "  client %-5d %9d %9s  %s\n", o.ClientId, o.Call/1000, back, group.DescribeOperation(o.Input, o.Output))
	}
	return b.String()
}
