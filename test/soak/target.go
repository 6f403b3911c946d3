package main

import (
	"context"
	"slices"
	"sync"
)

// small is the node with the disk that can be filled. It is also the one that
// keeps its supervisor for the second half of the run, so that a leak has time
// to show while its member is struck again and again.
func (s *soak) small() *node { return s.nodes[len(s.nodes)-1] }

// choose is whom a fault strikes.
func (s *soak) choose(ctx context.Context, f *fault) []*node {
	if f.hosts > 1 && s.service.share() < s.quorum+margin {
		s.say("#%d narrowed to one host: quorum for %.0f %% of the time", f.number, 100*s.service.share())
		f.hosts = 1
	}
	if f.kind == fullDisk {
		f.hosts = 1
		return []*node{s.small()}
	}
	if f.whom == anybody {
		return order(s.nodes, nil, *f)[:f.hosts]
	}
	return order(s.nodes, s.leader(ctx), *f)[:f.hosts]
}

// order puts first whom the fault is meant for, the others behind, each in the
// order of the dice. Without a leader all are followers.
func order(nodes []*node, leads *node, f fault) []*node {
	n := f.dice % len(nodes)
	rolled := slices.Concat(nodes[n:], nodes[:n])
	if f.whom == anybody {
		return rolled
	}
	slices.SortStableFunc(rolled, func(a, b *node) int {
		rank := func(n *node) int {
			if (n == leads) == (f.whom == leader) {
				return 0
			}
			return 1
		}
		return rank(a) - rank(b)
	})
	return rolled
}

// fit changes a fault where these hosts cannot have it: one without a small
// disk, or one that keeps its supervisor.
func (s *soak) fit(f fault, struck []*node, keep bool) fault {
	if f.kind == fullDisk && !slices.Equal(struck, []*node{s.small()}) {
		f.kind, f.hold = killMember, 0
	}
	if keep && f.endsSupervisor() && slices.Contains(struck, s.small()) {
		f.kind, f.hold, f.left = killMember, 0, false
	}
	return f
}

// leader is the node that leads; nil: none says so.
func (s *soak) leader(ctx context.Context) *node {
	var mu sync.Mutex
	var wg sync.WaitGroup
	var found *node
	var term uint64
	for _, n := range s.nodes {
		wg.Go(func() {
			leads, t := n.leads(ctx)
			mu.Lock()
			defer mu.Unlock()
			if leads && t > term { // one that was cut off may not know yet
				found, term = n, t
			}
		})
	}
	wg.Wait()
	return found
}
