package peers

import (
	"context"
	"sync"
	"time"

	"github.com/etcd-node/etcd-node/pkg/pace"
)

const (
	// PauseMissing is the pause between probes while a peer is missing: the
	// status is to follow a peer that comes up without a visible delay.
	PauseMissing = 500 * time.Millisecond
	// pauseAll is the pause while all is well. One small request to each peer
	// every three seconds is nothing beside raft's heartbeats.
	pauseAll = 3 * time.Second
)

// Watch probes the peers that list returns until ctx ends, and calls changed
// after each round.
func (c *Client) Watch(ctx context.Context, list func() []Peer, f *Findings, changed func()) {
	for {
		peers, began := list(), time.Now()
		found := make([]Finding, len(peers))
		var wg sync.WaitGroup
		for i := range peers {
			wg.Go(func() {
				found[i] = c.Probe(ctx, peers[i].URLs)
				found[i].Began = began
				if found[i].OK && f.asksVersion(peers[i]) {
					found[i].Version = c.Version(ctx, peers[i].URLs)
				}
			})
		}
		wg.Wait()
		if ctx.Err() != nil {
			return
		}
		pause := PauseMissing
		if f.put(peers, found) {
			pause = pauseAll
		}
		changed()
		select {
		case <-ctx.Done():
			return
		case <-pace.After(pause):
		}
	}
}

// Findings holds what the probes found last. It is safe for concurrent use.
type Findings struct {
	mu       sync.Mutex
	last     map[string]Finding // by Peer.Key, as below
	failures map[string]int     // in a row
	before   map[string]Finding // the failure before the last, where there are two in a row
	rounds   int
}

// put replaces all findings by those of a new round and reports whether every
// peer answered.
func (f *Findings) put(peers []Peer, found []Finding) (all bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	last, failures, before := map[string]Finding{}, map[string]int{}, map[string]Finding{}
	all = true
	for i, p := range peers {
		k, x := p.Key(), found[i]
		if !x.OK {
			if failures[k] = f.failures[k] + 1; failures[k] > 1 {
				before[k] = f.last[k]
			}
		}
		last[k] = f.withPast(x, f.last[k])
		all = all && x.OK
	}
	f.last, f.failures, f.before = last, failures, before
	f.rounds++
	return all
}

// versionEvery is how often a peer is asked for its version, in rounds: a minute where
// all answer. One that was restarted has been missing meanwhile, or is asked by then.
const versionEvery = 20

// asksVersion reports whether it is time to ask a peer for its version.
func (f *Findings) asksVersion(p Peer) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	before := f.last[p.Key()]
	return !before.OK || before.Version == "" || f.rounds%versionEvery == 0
}

// weight is the share that a new round trip has in the average.
const weight = 8

// withPast takes over what a finding keeps of the one before: its version, and the
// average of its round trips. The first one had to connect, which takes longer.
func (f *Findings) withPast(x, before Finding) Finding {
	switch {
	case !x.OK:
		return x
	case !before.OK:
		x.Trip = 0
	case before.Trip > 0:
		x.Trip = before.Trip + (x.Trip-before.Trip)/weight
	}
	if x.Version == "" {
		x.Version = before.Version
	}
	return x
}

// Of is what the last probe of a peer found, if there was one.
func (f *Findings) Of(p Peer) (Finding, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	x, ok := f.last[p.Key()]
	return x, ok
}

// Silent reports whether two probes of a peer in a row have failed: one may be
// a hiccup of a loaded machine.
func (f *Findings) Silent(p Peer) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.failures[p.Key()] >= 2
}

// SilentSince reports the same of probes that began after a moment. Those before a
// connection came to stand say nothing of it.
func (f *Findings) SilentSince(p Peer, since time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.silentSince(p.Key(), since)
}

func (f *Findings) silentSince(key string, since time.Time) bool {
	return f.failures[key] >= 2 && f.before[key].Began.After(since)
}

// MuteSince reports the same of probes to which nobody answered at all. A peer that
// refuses us is not frozen.
func (f *Findings) MuteSince(p Peer, since time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	k := p.Key()
	return f.silentSince(k, since) && f.last[k].Mute
}

// Whole reports whether every peer answered its last probe.
func (f *Findings) Whole() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.failures) == 0
}

// Foreign returns the cluster ID that a quorum of size members has named as
// theirs where that is not our own: then this member is the stray one. It
// returns "" where no quorum agrees, or fewer than rounds probes were made.
func (f *Findings) Foreign(own string, size, rounds int) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.rounds < rounds {
		return ""
	}
	count := map[string]int{}
	for _, x := range f.last {
		if x.ClusterID != "" && x.ClusterID != own {
			count[x.ClusterID]++
			if count[x.ClusterID] >= size/2+1 {
				return x.ClusterID
			}
		}
	}
	return ""
}
