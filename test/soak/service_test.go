package main

import (
	"slices"
	"testing"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
)

var zero = time.Unix(1e9, 0)

func at(seconds float64) time.Time { return zero.Add(time.Duration(seconds * float64(time.Second))) }

// A gap lies between two acknowledged puts, and small ones are not worth a word.
func TestGaps(t *testing.T) {
	s := &service{lastAck: zero}
	for _, a := range []float64{0.1, 0.2, 0.49, 2.0, 2.1, 2.5} {
		s.ack(at(a))
	}
	want := []span{{at(0.49), at(2.0)}, {at(2.1), at(2.5)}}
	if !slices.Equal(s.gaps, want) {
		t.Errorf("got %v, want %v", s.gaps, want)
	}
}

// A gap counts for the most that was broken while it lasted.
func TestWorst(t *testing.T) {
	all := []broken{{span{at(10), at(20)}, 1, "one"}, {span{at(39), at(50)}, 1, "another"}, {span{at(30), at(40)}, 3, "all"}}
	got := worst([]span{
		{at(1), at(2)}, {at(5), at(9)}, // nothing broken
		{at(9), at(11)}, {at(12), at(13)}, // one
		{at(38), at(45)}, // three at its begin, one later
		{at(20), at(23)}, // after the recovery
	}, all)
	want := [3]gap{{span{at(5), at(9)}, ""}, {span{at(9), at(11)}, "one"}, {span{at(38), at(45)}, "all"}}
	if got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestShare(t *testing.T) {
	s := &service{}
	if s.share() != 1 {
		t.Errorf("before the first probe: %v, want 1", s.share())
	}
	if s.ticks, s.served = 10, 7; s.share() != 0.7 {
		t.Errorf("got %v, want 0.7", s.share())
	}
}

func TestMissing(t *testing.T) {
	has := []*mvccpb.KeyValue{{Key: []byte("a")}, {Key: []byte("c")}, {Key: []byte("not acknowledged")}}
	if got := missing([]string{"a", "b", "c"}, has); !slices.Equal(got, []string{"b"}) {
		t.Errorf("got %q, want b", got)
	}
}

func TestDiffer(t *testing.T) {
	name := func(i int) string { return string(rune('a' + i)) }
	d := digest{revision: 7, compacted: 3, hash: 5}
	if err := differ([]digest{d, d, d}, name); err != nil {
		t.Error(err)
	}
	for _, other := range []digest{{8, 3, 5}, {7, 4, 5}, {7, 3, 6}} {
		if differ([]digest{d, d, other}, name) == nil {
			t.Errorf("%v passes for %v", other, d)
		}
	}
}
