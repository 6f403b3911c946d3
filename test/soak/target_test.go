package main

import (
	"slices"
	"testing"

	"github.com/etcd-node/etcd-node/test/lab"
)

func TestOrder(t *testing.T) {
	a, b, c := &node{}, &node{}, &node{}
	all := []*node{a, b, c}
	for what, tc := range map[string]struct {
		leads *node
		f     fault
		want  []*node
	}{
		"anybody":             {b, fault{whom: anybody, dice: 1}, []*node{b, c, a}},
		"the leader":          {b, fault{whom: leader, dice: 3}, []*node{b, a, c}},
		"a follower":          {b, fault{whom: follower, dice: 0}, []*node{a, c, b}},
		"another follower":    {b, fault{whom: follower, dice: 2}, []*node{c, a, b}},
		"the leader, if any":  {nil, fault{whom: leader, dice: 2}, []*node{c, a, b}},
		"follower, no leader": {nil, fault{whom: follower, dice: 1}, []*node{b, c, a}},
	} {
		if got := order(all, tc.leads, tc.f); !slices.Equal(got, tc.want) {
			t.Errorf("%s: got %v, want %v (of %v)", what, got, tc.want, all)
		}
	}
}

// The disk can be filled only where it is small, and the host that keeps its
// supervisor is struck in another way.
func TestFit(t *testing.T) {
	s := &soak{nodes: []*node{{Host: &lab.Host{}}, {Host: &lab.Host{}}, {Host: &lab.Host{}}}}
	other, small := s.nodes[:1], s.nodes[2:]
	for what, tc := range map[string]struct {
		f      fault
		struck []*node
		keep   bool
		want   kind
	}{
		"full":                  {fault{kind: fullDisk}, small, false, fullDisk},
		"full elsewhere":        {fault{kind: fullDisk}, other, false, killMember},
		"full everywhere":       {fault{kind: fullDisk}, s.nodes, false, killMember},
		"restart":               {fault{kind: restart}, small, false, restart},
		"restart, kept":         {fault{kind: restart}, small, true, killMember},
		"restart of all, kept":  {fault{kind: restart}, s.nodes, true, killMember},
		"restart of another":    {fault{kind: restart}, other, true, restart},
		"frozen, kept":          {fault{kind: freezeSupervisor}, small, true, freezeSupervisor},
		"frozen for good, kept": {fault{kind: freezeSupervisor, left: true}, small, true, killMember},
		"power loss, kept":      {fault{kind: powerLoss}, small, true, killMember},
		"cut, kept":             {fault{kind: cutCable}, small, true, cutCable},
	} {
		if got := s.fit(tc.f, tc.struck, tc.keep); got.kind != tc.want || tc.want != tc.f.kind && (got.left || got.hold != 0) {
			t.Errorf("%s: got %+v, want %s", what, got, tc.want)
		}
	}
}
