package history

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
)

const (
	// patience is a client's own timeout: longer than a failover, much shorter
	// than etcd's for a put in flight to a leader that dies.
	patience = 400 * time.Millisecond
	// patienceOfOthers is that of the clients that repeat what a member says is
	// lost: it may take as long as a host is silent.
	patienceOfOthers = 2 * time.Second
	// rest follows a write of unknown outcome: a member that is down refuses
	// within a millisecond, and each such write widens the search.
	rest = 200 * time.Millisecond
)

// client makes one call after the other through one member.
type client struct {
	kv      clientv3.KV
	history *History
	writer  int
	id      int
	last    state // what it believes the keys hold, for swaps that have a chance
	group   name
	retries bool  // it repeats a write that may have been lost with its leader
	again   *call // what it repeats next
}

func (c *client) work(ctx context.Context, pause time.Duration) {
	for ctx.Err() == nil {
		wait := rand.N(pause)
		if !c.once() {
			c.id = c.history.number() // its write may still happen: it is another client now
			if c.again == nil {
				wait += rest
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
}

// once makes one call, and reports whether its outcome is known.
func (c *client) once() (known bool) {
	g := c.history.begin(c.writer)
	if g != c.group {
		c.group, c.last, c.again = g, state{}, nil // the keys are others
	}
	in := c.choose()
	if c.again != nil {
		in, c.again = *c.again, nil
		c.history.count(func(r *Result) { r.Repeated++ })
	}
	op := &porcupine.Operation{ClientId: c.id, Input: in, Call: time.Since(c.history.begun).Nanoseconds()}
	// Not under the recording's context: what was begun gets its own time.
	limit := patience
	if c.retries {
		limit = patienceOfOthers
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	out, err := c.do(ctx, in)
	op.Output, op.Return = out, time.Since(c.history.begun).Nanoseconds()
	switch {
	case err == nil:
		c.learn(in, out)
	case in.verb == get || in.verb == list || unsent(err):
		op = nil
	default:
		op.Return = math.MaxInt64
		if errors.Is(err, rpctypes.ErrTimeoutDueToLeaderFail) {
			// Nobody knows: it stays open, and to repeat it is another operation.
			c.history.count(func(r *Result) { r.Lost++ })
			if c.retries {
				c.again = &in
			}
		}
	}
	c.history.end(g, op)
	return op == nil || out.known
}

// choose makes up a call: half of them read.
func (c *client) choose() call {
	in := call{key: rand.IntN(width)}
	switch n := rand.IntN(100); {
	case n < 35:
		in.verb = get
	case n < 50:
		in.verb = list
	case n < 75:
		in.verb, in.value = put, c.history.number()
	case n < 82:
		in.verb = remove
	default:
		in.verb, in.value, in.old = swap, c.history.number(), c.last[in.key]
	}
	return in
}

// learn remembers what the keys hold after a call.
func (c *client) learn(in call, out answer) {
	switch {
	case in.verb == list:
		c.last = out.seen
	case in.verb == put || in.verb == remove || out.swapped:
		c.last[in.key] = in.value
	default:
		c.last[in.key] = out.seen[in.key]
	}
}

// do makes the call. The answer is known unless there is an error.
func (c *client) do(ctx context.Context, in call) (out answer, err error) {
	key := c.group.key(in.key)
	fail := func(err error) (answer, error) { return answer{}, err }
	switch in.verb {
	case get, list:
		var opts []clientv3.OpOption
		if in.verb == list {
			key, opts = c.group.key(0), append(opts, clientv3.WithRange(c.group.key(width)))
		}
		r, err := c.kv.Get(ctx, key, opts...)
		if err != nil {
			return fail(err)
		}
		for _, kv := range r.Kvs {
			i := number(kv.Key[strings.LastIndexByte(string(kv.Key), '/')+1:])
			if i < 0 || i >= width {
				out.seen[0] = -1 // a key that nobody has put
				break
			}
			out.seen[i] = number(kv.Value)
		}
	case put:
		r, err := c.kv.Put(ctx, key, strconv.Itoa(in.value), clientv3.WithPrevKV())
		if err != nil {
			return fail(err)
		}
		if r.PrevKv != nil {
			out.seen[in.key] = number(r.PrevKv.Value)
		}
	case remove:
		r, err := c.kv.Delete(ctx, key, clientv3.WithPrevKV())
		if err != nil {
			return fail(err)
		}
		for _, kv := range r.PrevKvs {
			out.seen[in.key] = number(kv.Value)
		}
	case swap:
		is := clientv3.Compare(clientv3.CreateRevision(key), "=", 0)
		if in.old != 0 {
			is = clientv3.Compare(clientv3.Value(key), "=", strconv.Itoa(in.old))
		}
		r, err := c.kv.Txn(ctx).If(is).Then(clientv3.OpPut(key, strconv.Itoa(in.value))).Else(clientv3.OpGet(key)).Commit()
		if err != nil {
			return fail(err)
		}
		if out.swapped = r.Succeeded; !out.swapped {
			for _, kv := range r.Responses[0].GetResponseRange().Kvs {
				out.seen[in.key] = number(kv.Value)
			}
		}
	}
	out.known = true
	return out, nil
}

// number is the number that a value holds; -1: not one that anybody has put.
func number(value []byte) int {
	n, err := strconv.Atoi(string(value))
	if err != nil {
		return -1
	}
	return n
}

// unsent reports whether a call has certainly not left the client, because
// there was no connection. Were that wrong, its effect would be seen and look
// like a violation: it cannot hide one.
func unsent(err error) bool { return strings.Contains(err.Error(), "Error while dialing") }
