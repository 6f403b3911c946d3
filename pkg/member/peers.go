package member

import (
	"context"
	"strings"
	"sync"
	"time"

	"go.etcd.io/etcd/client/pkg/v3/types"
)

const (
	// probeMissing is the pause between probes while a peer is missing: the
	// status is to follow a peer that comes up without a visible delay.
	probeMissing = 500 * time.Millisecond
	// probeAll is the pause while all is well. One small request to each peer
	// every two seconds is nothing beside raft's heartbeats.
	probeAll = 2 * time.Second
)

// peer is another member, or one that shall become one.
type peer struct {
	id   string // "" before this member knows the cluster
	urls []string
}

// key identifies a peer by its URLs: its ID is not known from the beginning.
func (p peer) key() string { return strings.Join(p.urls, ",") }

// findings holds what the probes found last. It is safe for concurrent use.
type findings struct {
	mu       sync.Mutex
	last     map[string]finding
	failures map[string]int // in a row
	rounds   int
}

func (f *findings) get(key string) (finding, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	x, ok := f.last[key]
	return x, ok
}

// put replaces all findings by those of a new round and reports whether every
// peer answered.
func (f *findings) put(peers []peer, found []finding) (all bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	last, failures := map[string]finding{}, map[string]int{}
	all = true
	for i, p := range peers {
		k, x := p.key(), found[i]
		if !x.ok {
			failures[k] = f.failures[k] + 1
		}
		last[k] = x
		all = all && x.ok
	}
	f.last, f.failures = last, failures
	f.rounds++
	return all
}

// silent reports whether two probes of a peer in a row have failed: one may be
// a hiccup of a loaded machine.
func (f *findings) silent(key string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.failures[key] >= 2
}

// whole reports whether every peer answered its last probe.
func (f *findings) whole() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.failures) == 0
}

// foreign returns the cluster ID that a quorum of size members has said to be
// theirs, and that is not ours: then we are the stray one. "" if there is none,
// or too few rounds of probes have been made to be sure.
func (f *findings) foreign(own string, size, rounds int) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.rounds < rounds {
		return ""
	}
	count := map[string]int{}
	for _, x := range f.last {
		if x.clusterID != "" && x.clusterID != own {
			count[x.clusterID]++
			if count[x.clusterID] >= size/2+1 {
				return x.clusterID
			}
		}
	}
	return ""
}

// probeLoop probes the peers that list returns until ctx ends, and calls
// changed after each round.
func probeLoop(ctx context.Context, p *prober, list func() []peer, f *findings, changed func()) {
	for {
		peers := list()
		found := make([]finding, len(peers))
		var wg sync.WaitGroup
		for i := range peers {
			wg.Go(func() { found[i] = p.probe(ctx, peers[i].urls) })
		}
		wg.Wait()
		if ctx.Err() != nil {
			return
		}
		pause := probeMissing
		if f.put(peers, found) {
			pause = probeAll
		}
		changed()
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// initialPeers are the other members by the initial cluster, as known before
// etcd has read its data. Names in it are this node's guess, no more.
func initialPeers(initialCluster, self string) (peers []peer, names map[string]string) {
	urlsmap, err := types.NewURLsMap(initialCluster)
	if err != nil {
		return nil, nil // etcd says so itself
	}
	names = map[string]string{}
	for name, urls := range urlsmap {
		p := peer{urls: urls.StringSlice()}
		names[p.key()] = name
		if name != self {
			peers = append(peers, p)
		}
	}
	return peers, names
}
