package main

import (
	"math"
	"testing"

	"github.com/anishathalye/porcupine"
)

// The check must be able to fail, and a put of unknown outcome may or may not
// have happened.
func TestCheck(t *testing.T) {
	op := func(client int, in call, out int, from, to int64) porcupine.Operation {
		return porcupine.Operation{ClientId: client, Input: in, Output: out, Call: from, Return: to}
	}
	put := func(v int) call { return call{put: true, value: v} }
	for name, tc := range map[string]struct {
		ops     []porcupine.Operation
		illegal int
	}{
		"in order":                {[]porcupine.Operation{op(1, put(1), 0, 0, 1), op(2, call{}, 1, 2, 3)}, 0},
		"acknowledged and lost":   {[]porcupine.Operation{op(1, put(1), 0, 0, 1), op(2, call{}, 0, 2, 3)}, 1},
		"the past":                {[]porcupine.Operation{op(1, put(1), 0, 0, 1), op(1, put(2), 0, 2, 3), op(2, call{}, 2, 4, 5), op(3, call{}, 1, 6, 7)}, 1},
		"unknown, happened":       {[]porcupine.Operation{op(1, put(1), 0, 0, math.MaxInt64), op(2, call{}, 0, 2, 3), op(2, call{}, 1, 4, 5)}, 0},
		"unknown, did not":        {[]porcupine.Operation{op(1, put(1), 0, 0, math.MaxInt64), op(2, call{}, 0, 2, 3)}, 0},
		"unknown, and back again": {[]porcupine.Operation{op(1, put(1), 0, 0, math.MaxInt64), op(2, call{}, 1, 2, 3), op(2, call{}, 0, 4, 5)}, 1},
	} {
		h := &history{ops: map[string][]porcupine.Operation{"k": tc.ops}}
		if illegal, undecided := h.check(); illegal != tc.illegal || undecided != 0 {
			t.Errorf("%s: %d illegal, %d undecided", name, illegal, undecided)
		}
	}
}
