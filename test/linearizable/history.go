package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"github.com/anishathalye/porcupine"
	clientv3 "go.etcd.io/etcd/client/v3"
)

const (
	// writers is how many clients there are at each member. More make a key's
	// history too wide to be checked in reasonable time.
	writers = 3
	// epoch is how long a key is in use: puts of unknown outcome stay possible
	// for the rest of a key's history, so it must not be long.
	epoch = 2 * time.Second
	// patience is a client's own timeout: longer than a failover, much shorter
	// than etcd's for a put in flight to a leader that dies.
	patience = 400 * time.Millisecond
	// checkLimit bounds the search for an order of one key's events.
	checkLimit = 30 * time.Second
)

// history is what all clients did and what they were answered, by key.
type history struct {
	stop context.CancelFunc
	wg   sync.WaitGroup

	mu      sync.Mutex
	ops     map[string][]porcupine.Operation
	ids     int // clients so far
	values  int
	unknown int
}

// call is what a client asks for.
type call struct {
	put   bool
	value int
}

// record lets clients work at all members until end is called.
func record(ctx context.Context, clients []*clientv3.Client) *history {
	ctx, cancel := context.WithCancel(ctx)
	h := &history{stop: cancel, ops: map[string][]porcupine.Operation{}}
	begun := time.Now()
	for _, cli := range clients {
		for w := range writers {
			h.wg.Go(func() {
				id := h.next(&h.ids)
				for ctx.Err() == nil {
					key := fmt.Sprintf("k%d/%d", w, time.Since(begun)/epoch)
					if !h.once(cli, key, id, begun) {
						id = h.next(&h.ids) // its put may still happen: it is another client now
					}
					time.Sleep(time.Duration(rand.IntN(20)) * time.Millisecond)
				}
			})
		}
	}
	return h
}

// once makes one call and reports whether its outcome is known. A read that
// failed says nothing and is not recorded.
func (h *history) once(cli *clientv3.Client, key string, id int, begun time.Time) (known bool) {
	// Not under the recording's context: what was begun gets its own time.
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	o := porcupine.Operation{ClientId: id, Call: time.Since(begun).Nanoseconds()}
	var err error
	if rand.IntN(2) == 0 {
		value := h.next(&h.values)
		o.Input = call{put: true, value: value}
		_, err = cli.Put(ctx, key, strconv.Itoa(value))
	} else {
		o.Input = call{}
		var r *clientv3.GetResponse
		if r, err = cli.Get(ctx, key); err != nil {
			return true
		}
		value := 0
		if len(r.Kvs) > 0 {
			value, err = strconv.Atoi(string(r.Kvs[0].Value))
		}
		o.Output = value
	}
	o.Return = time.Since(begun).Nanoseconds()
	h.mu.Lock()
	defer h.mu.Unlock()
	if err != nil {
		o.Return = math.MaxInt64
		h.unknown++
	}
	h.ops[key] = append(h.ops[key], o)
	return err == nil
}

func (h *history) next(counter *int) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	*counter++
	return *counter
}

func (h *history) end() {
	h.stop()
	h.wg.Wait()
}

func (h *history) count() (n int) {
	for _, ops := range h.ops {
		n += len(ops)
	}
	return n
}

// register is one key: a read returns what was put last.
var register = porcupine.Model{
	Init: func() any { return 0 },
	Step: func(state, input, output any) (bool, any) {
		if c := input.(call); c.put {
			return true, c.value
		}
		return output.(int) == state.(int), state
	},
}

// check counts the keys whose history no order explains, and those for which
// none was found or excluded in time.
func (h *history) check() (illegal, undecided int) {
	for key, ops := range h.ops {
		switch porcupine.CheckOperationsTimeout(register, ops, checkLimit) {
		case porcupine.Illegal:
			fmt.Println("not linearizable:", key)
			illegal++
		case porcupine.Unknown:
			undecided++
		}
	}
	return illegal, undecided
}
