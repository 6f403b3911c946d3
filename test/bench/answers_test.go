package main

import (
	"context"
	"testing"
	"time"
)

// What is counted from the moment of an election must not be too good: the moment
// is never later than the election, also where one of those who are asked hangs.
func TestLastWithout(t *testing.T) {
	hangs := func(ctx context.Context) bool { <-ctx.Done(); return false }
	for range 3 {
		elected := time.Now().Add(350 * time.Millisecond)
		knows := func(context.Context) bool { return time.Now().After(elected) }
		got := lastWithout(t.Context(), []func(context.Context) bool{hangs, knows})
		if late := got.Sub(elected); late > 0 || late < -250*time.Millisecond {
			t.Errorf("%v after the election; want at most two polls before it", late)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if got := lastWithout(ctx, []func(context.Context) bool{hangs}); !got.IsZero() {
		t.Errorf("%v, and nobody was elected", got)
	}
}
