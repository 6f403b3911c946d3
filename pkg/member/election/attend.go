package election

import (
	"context"
	"time"

	"github.com/etcd-node/etcd-node/pkg/member/silence"
	"github.com/etcd-node/etcd-node/pkg/pace"
)

// QuorumSilentSince is since when this member, as leader, has had no sign of life
// from a quorum's hosts, this one included, though it wrote to them: no packet at
// all. A leader that steps down keeps it until it follows another. It is the zero
// time while a quorum is heard, in a follower, and where Options.Failover or
// Silence.Limit is off.
//
// What is proposed to such a leader cannot be committed before a quorum is back,
// and most likely another leader is being elected. raft itself steps down after an
// election timeout, two at most. The time is that of the last packet from the
// voter without which there is no quorum; it is known about Silence.Limit after
// the first write that is not acknowledged, which is a proposal or a heartbeat.
//
// It says nothing of voters whose hosts acknowledge while their processes are
// slow. It costs a lock, and is safe for concurrent use.
func (e *Elector) QuorumSilentSince() time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.quorumSilent
}

const (
	// settling is how long after a stream is established the connections are
	// looked for: streams come in fours. So long it is left, too, when a leader is
	// new: to look for them takes milliseconds of a processor, which the first
	// requests to that one need more.
	settling = 100 * time.Millisecond
	// refreshPause is how long what was found holds while a voter is suspected.
	refreshPause = time.Second
	// resolvePause is how long a name leads to the same addresses.
	resolvePause = 5 * time.Minute
	// resolveAgain is when one that could not be looked up is tried anew. Until
	// then a leader's host may not be found silent.
	resolveAgain = 10 * time.Second
)

// attend keeps QuorumSilentSince, in the background, while this member leads.
func (e *Elector) attend(ctx context.Context) (release func()) {
	if e.opts.Network.Silence.Limit <= 0 || e.opts.Network.Silence.Voters == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer e.quorumIs(time.Time{})
		e.tally(ctx)
	}()
	return func() { cancel(); <-done }
}

func (e *Elector) tally(ctx context.Context) {
	var (
		voters              = e.opts.Network.Silence.Voters()
		tally               = silence.Tally{Limit: e.opts.Network.Silence.Limit}
		established         = e.opts.Streams.Established()
		resolved, refreshed time.Time
		known               int
	)
	resolve := func() {
		urls := e.voterURLs()
		voters.Resolve(ctx, urls)
		voters.Refresh()
		resolved, refreshed, known = time.Now(), time.Now(), len(urls)
	}
	if !sleep(ctx, settling) {
		return
	}
	resolve()
	for {
		since, suspect, next := tally.Step(voters.Look())
		switch suspect = suspect || !since.IsZero(); {
		case suspect && time.Since(refreshed) >= refreshPause:
			// Before it counts: one may be heard on a connection that is new.
			voters.Refresh()
			refreshed = time.Now()
			continue
		case !suspect && (time.Since(resolved) >= resolvePause || known != len(e.voterURLs())):
			resolve() // not while the network is away: it can take long
		}
		e.quorumIs(since)
		later := time.After(next)
		woken, unused := e.opts.Activity.Calm()
		if unused && next == silence.Settled && !suspect {
			pause := pace.Until(time.Now(), settledInterval)
			tally.Pause(pause)
			later = time.After(pause)
		}
		select {
		case <-ctx.Done():
			return
		case <-woken:
		case <-established:
			if !sleep(ctx, settling) {
				return
			}
			established = e.opts.Streams.Established()
			voters.Refresh()
			refreshed = time.Now()
		case <-later:
		}
	}
}

func (e *Elector) quorumIs(since time.Time) {
	e.mu.Lock()
	changed := e.quorumSilent != since
	e.quorumSilent = since
	e.mu.Unlock()
	if changed && e.opts.QuorumSilent != nil {
		e.opts.QuorumSilent()
	}
}

// voterURLs are the peer URLs of the other voting members.
func (e *Elector) voterURLs() map[uint64][]string {
	e.mu.Lock()
	defer e.mu.Unlock()
	urls := map[uint64][]string{}
	for _, m := range e.members {
		if m.ID != e.opts.Self && !m.Learner {
			urls[m.ID] = m.PeerURLs
		}
	}
	return urls
}
