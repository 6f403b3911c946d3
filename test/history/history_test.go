package history

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/anishathalye/porcupine"
)

// The check must be able to fail, and a write of unknown outcome may or may
// not have happened.
func TestCheck(t *testing.T) {
	op := func(client int, from, to int64, in call, out answer) porcupine.Operation {
		return porcupine.Operation{ClientId: client, Input: in, Output: out, Call: from, Return: to}
	}
	ok := func(seen ...int) answer {
		a := answer{known: true}
		copy(a.seen[:], seen)
		return a
	}
	puts := func(v int) call { return call{verb: put, value: v} }
	gets := call{verb: get}
	swaps := func(old, v int) call { return call{verb: swap, old: old, value: v} }
	done, unknown := answer{known: true, swapped: true}, answer{}
	const never = math.MaxInt64
	for what, tc := range map[string]struct {
		ops     []porcupine.Operation
		illegal int
	}{
		"in order":               {[]porcupine.Operation{op(1, 0, 1, puts(1), ok()), op(2, 2, 3, gets, ok(1))}, 0},
		"acknowledged and lost":  {[]porcupine.Operation{op(1, 0, 1, puts(1), ok()), op(2, 2, 3, gets, ok())}, 1},
		"the past":               {[]porcupine.Operation{op(1, 0, 1, puts(1), ok()), op(1, 0, 2, puts(2), ok(1)), op(2, 4, 5, gets, ok(2)), op(3, 6, 7, gets, ok(1))}, 1},
		"put saw the past":       {[]porcupine.Operation{op(1, 0, 1, puts(1), ok()), op(2, 2, 3, puts(2), ok())}, 1},
		"unknown, happened":      {[]porcupine.Operation{op(1, 0, never, puts(1), unknown), op(2, 2, 3, gets, ok()), op(2, 4, 5, gets, ok(1))}, 0},
		"unknown, did not":       {[]porcupine.Operation{op(1, 0, never, puts(1), unknown), op(2, 2, 3, gets, ok())}, 0},
		"unknown, and back":      {[]porcupine.Operation{op(1, 0, never, puts(1), unknown), op(2, 2, 3, gets, ok(1)), op(2, 4, 5, gets, ok())}, 1},
		"deleted":                {[]porcupine.Operation{op(1, 0, 1, puts(1), ok()), op(1, 2, 3, call{verb: remove}, ok(1)), op(2, 4, 5, gets, ok())}, 0},
		"deleted, still there":   {[]porcupine.Operation{op(1, 0, 1, puts(1), ok()), op(1, 2, 3, call{verb: remove}, ok(1)), op(2, 4, 5, gets, ok(1))}, 1},
		"delete saw nothing":     {[]porcupine.Operation{op(1, 0, 1, puts(1), ok()), op(1, 2, 3, call{verb: remove}, ok())}, 1},
		"unknown delete":         {[]porcupine.Operation{op(1, 0, 1, puts(1), ok()), op(2, 2, never, call{verb: remove}, unknown), op(3, 4, 5, gets, ok())}, 0},
		"swapped":                {[]porcupine.Operation{op(1, 0, 1, swaps(0, 1), done), op(1, 2, 3, swaps(1, 2), done), op(2, 4, 5, gets, ok(2))}, 0},
		"swapped twice":          {[]porcupine.Operation{op(1, 0, 5, swaps(0, 1), done), op(2, 0, 5, swaps(0, 2), done)}, 1},
		"swap refused":           {[]porcupine.Operation{op(1, 0, 1, puts(1), ok()), op(2, 2, 3, swaps(0, 2), ok(1)), op(2, 4, 5, gets, ok(1))}, 0},
		"swap refused wrongly":   {[]porcupine.Operation{op(1, 0, 1, puts(1), ok()), op(2, 2, 3, swaps(1, 2), ok(1))}, 1},
		"unknown swap, happened": {[]porcupine.Operation{op(1, 0, never, swaps(0, 1), unknown), op(2, 2, 3, gets, ok(1))}, 0},
		"unknown swap, hopeless": {[]porcupine.Operation{op(1, 0, 1, puts(1), ok()), op(2, 2, never, swaps(0, 2), unknown), op(3, 4, 5, gets, ok(2))}, 1},
		"list":                   {[]porcupine.Operation{op(1, 0, 1, puts(1), ok()), op(1, 2, 3, call{verb: put, key: 1, value: 2}, ok()), op(2, 4, 5, call{verb: list}, ok(1, 2))}, 0},
		"torn list":              {[]porcupine.Operation{op(1, 0, 1, puts(1), ok()), op(1, 2, 3, call{verb: put, key: 1, value: 2}, ok()), op(2, 0, 9, call{verb: list}, ok(0, 2))}, 1},
		"other key":              {[]porcupine.Operation{op(1, 0, 1, puts(1), ok()), op(2, 2, 3, call{verb: get, key: 1}, ok())}, 0},
	} {
		h := &History{groups: map[name]*events{{}: {ops: tc.ops}}}
		h.check(1)
		if r := h.So(); len(r.Illegal) != tc.illegal || r.Undecided != 0 || r.Groups != 1 {
			t.Errorf("%s: %+v, want %d illegal", what, r, tc.illegal)
		} else if tc.illegal == 1 && !strings.Contains(r.Illegal[0], "client 1") {
			t.Errorf("%s: the description shows no client:\n%s", what, r.Illegal[0])
		}
	}
}

// A group is judged once it is over: not while it is in use, nor while a call
// of it is under way.
func TestCheckWaits(t *testing.T) {
	h := &History{groups: map[name]*events{{epoch: 0}: {pending: 1}, {epoch: 1}: {}, {epoch: 2}: {}}}
	h.check(2)
	if r := h.So(); r.Groups != 1 || h.groups[name{epoch: 0}] == nil || h.groups[name{epoch: 2}] == nil {
		t.Errorf("%d groups judged, left %v; want epoch 1 judged", r.Groups, h.groups)
	}
	h.end(name{epoch: 0}, nil)
	h.check(math.MaxInt64)
	if r := h.So(); r.Groups != 3 || len(h.groups) != 0 {
		t.Errorf("%d groups judged, left %v; want all judged", r.Groups, h.groups)
	}
}

func TestUnsent(t *testing.T) {
	for text, want := range map[string]bool{
		`rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial tcp 127.0.0.1:1: connect: connection refused"`: true,
		"etcdserver: request timed out":                                       false,
		`rpc error: code = Unavailable desc = error reading from server: EOF`: false,
		"context deadline exceeded":                                           false,
	} {
		if unsent(errors.New(text)) != want {
			t.Errorf("unsent(%q) is not %v", text, want)
		}
	}
}
