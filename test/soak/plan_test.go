package main

import (
	"slices"
	"testing"
)

func faults(seed uint64, broad float64, n int) (all []fault) {
	p := newPlan(seed, broad)
	for range n {
		all = append(all, p.next())
	}
	return all
}

// A seed is a sequence, another is another.
func TestPlanRepeats(t *testing.T) {
	one := faults(1, 0.1, 200)
	if !slices.Equal(one, faults(1, 0.1, 200)) {
		t.Error("the same seed gives another plan")
	}
	if slices.Equal(one, faults(2, 0.1, 200)) {
		t.Error("another seed gives the same plan")
	}
}

// Every kind comes, about as often as the table says, and lasts as long.
func TestPlanShares(t *testing.T) {
	const n = 10000
	seen, several, sum := map[kind]int{}, 0, 0
	for _, f := range faults(3, 0.1, n) {
		seen[f.kind]++
		if f.hosts < 1 || f.hosts > 3 {
			t.Fatalf("%d hosts: %+v", f.hosts, f)
		}
		if f.hosts > 1 {
			several++
		}
		if f.left && f.kind != freezeMember && f.kind != freezeSupervisor {
			t.Errorf("left to its fate: %+v", f)
		}
		for _, k := range kinds {
			if k.kind == f.kind && (f.hold < k.least || f.hold > k.most) {
				t.Errorf("lasts %v, want %v to %v: %+v", f.hold, k.least, k.most, f)
			}
		}
	}
	for _, k := range kinds {
		sum += k.of
		if got := seen[k.kind]; got < n/100*k.of*8/10 || got > n/100*k.of*12/10 {
			t.Errorf("%s: %d of %d, want about %d %%", k.kind, got, n, k.of)
		}
	}
	if sum != 100 {
		t.Errorf("the table adds up to %d, not to 100", sum)
	}
	if several < n*8/100 || several > n*12/100 {
		t.Errorf("%d of %d strike more than one host, want about 10 %%", several, n)
	}
}
