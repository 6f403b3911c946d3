package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"
)

const (
	// probeEvery is how often a put is tried through each member.
	probeEvery = 100 * time.Millisecond
	// probeWait is what a put may take for there to be a quorum.
	probeWait = time.Second
	// shortGap is not worth a word: a few probes late on a loaded machine.
	shortGap = 3 * probeEvery
	// acknowledged are the probes' keys. Each is put once, and must be there in the end.
	acknowledged = "acknowledged/"
)

// service tries all members in an open loop, for the whole run, and remembers
// every key whose put was acknowledged.
type service struct {
	nodes []*node
	stop  context.CancelFunc
	wg    sync.WaitGroup

	mu            sync.Mutex // guards what is below
	ticks, served int        // of the ticks: those when a put got through
	acked         []string
	lastAck       time.Time
	gaps          []span
}

// span is a time without any acknowledged put.
type span struct{ from, to time.Time }

func (s span) length() time.Duration { return s.to.Sub(s.from) }

func watchService(nodes []*node) *service {
	ctx, stop := context.WithCancel(context.Background())
	s := &service{nodes: nodes, stop: stop, lastAck: time.Now()}
	s.wg.Go(func() {
		tick := time.NewTicker(probeEvery)
		defer tick.Stop()
		for n := 0; ; n++ {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				s.wg.Go(func() { s.probe(n) })
			}
		}
	})
	return s
}

// probe is one tick: a put through each member, at the same time.
func (s *service) probe(tick int) {
	ctx, cancel := context.WithTimeout(context.Background(), probeWait)
	defer cancel()
	var wg sync.WaitGroup
	served := false
	for _, n := range s.nodes {
		wg.Go(func() {
			key := fmt.Sprintf("%s%07d/%s", acknowledged, tick, n.Name)
			if _, err := n.client.Put(ctx, key, ""); err != nil {
				return
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			served = true
			s.acked = append(s.acked, key)
			s.ack(time.Now())
		})
	}
	wg.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ticks++
	if served {
		s.served++
	}
}

// ack notes that a put was acknowledged now. s.mu is held.
func (s *service) ack(now time.Time) {
	if now.Sub(s.lastAck) > shortGap {
		s.gaps = append(s.gaps, span{s.lastAck, now})
	}
	s.lastAck = now
}

// share is that of the time with a quorum so far.
func (s *service) share() float64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ticks == 0 {
		return 1
	}
	return float64(s.served) / float64(s.ticks)
}

// end stops the probes; the other fields are the caller's from then on.
func (s *service) end() {
	s.stop()
	s.wg.Wait()
	s.ack(time.Now())
}

// lost are the acknowledged keys that a member does not have.
func (s *service) lost(ctx context.Context, n *node) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, readAll)
	defer cancel()
	r, err := n.client.Get(ctx, acknowledged, clientv3.WithPrefix(), clientv3.WithKeysOnly(), clientv3.WithSerializable())
	if err != nil {
		return nil, fmt.Errorf("read what was acknowledged from %s: %w", n.Name, err)
	}
	return missing(s.acked, r.Kvs), nil
}

func missing(keys []string, from []*mvccpb.KeyValue) (lost []string) {
	has := make(map[string]bool, len(from))
	for _, kv := range from {
		has[string(kv.Key)] = true
	}
	for _, key := range keys {
		if !has[key] {
			lost = append(lost, key)
		}
	}
	return lost
}

// broken is a time when some hosts were broken, until they had recovered.
type broken struct {
	span
	hosts int
	what  string
}

// worst is the longest gap by how many hosts were broken at most while it
// lasted: none, one, or more.
func worst(gaps []span, all []broken) (longest [3]gap) {
	for _, g := range gaps {
		class, what := 0, ""
		for _, b := range all {
			if b.from.Before(g.to) && g.from.Before(b.to) && b.hosts > class {
				class, what = b.hosts, b.what
			}
		}
		if l := &longest[min(class, 2)]; g.length() > l.length() {
			*l = gap{g, what}
		}
	}
	return longest
}

// gap is a span and the fault that explains it.
type gap struct {
	span
	what string
}
