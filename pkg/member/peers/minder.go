package peers

import (
	"context"
	"net/url"
	"strconv"
	"time"

	"go.uber.org/zap"

	"github.com/etcd-node/etcd-node/pkg/pace"
)

const (
	// settling is how long after a stream is established the connections are
	// looked at: streams come in fours, and not in the middle of an election,
	// of which they may be part.
	settling = 100 * time.Millisecond
	// knocks are enough for net/http to notice that a connection has ended.
	knocks = 4
)

// Streams tells of raft's streams with peers.
type Streams interface {
	// Established is closed when the next stream is established, with any peer.
	Established() <-chan struct{}
}

// Minder ends connections with peers that have outlived the network under them,
// and those that would wait when it is back.
type Minder struct {
	Listen  []url.URL     // where this member listens for peers
	Limit   time.Duration // how long a peer may be silent: --raft-read-timeout
	Peers   func() []Peer
	Found   *Findings
	Streams Streams
	// Knock makes raft write a message that does not matter to a peer; it fails
	// where the server stops, or has not begun.
	Knock func(context.Context, Peer) error
	Log   *zap.Logger
}

// Run minds the connections until ctx ends. It looks at all of them whenever a
// stream is established: then the peer has dialed us, or our own dial got
// through, so the network is back and the other attempts are worth another try.
func (m Minder) Run(ctx context.Context) {
	if m.Limit <= 0 {
		return
	}
	poll := pace.After(m.Limit / 5)
	complained := false
	established := m.Streams.Established()
	for {
		var err error
		select {
		case <-ctx.Done():
			return
		case <-established:
			select {
			case <-ctx.Done():
				return
			case <-time.After(settling):
			}
			established = m.Streams.Established()
			if err = Bound(m.Ports(), m.Limit); err == nil {
				_, err = Hurry(m.Ports())
			}
		case <-poll:
			poll = pace.After(m.Limit / 5)
			if !m.Found.Whole() {
				err = m.abandon(ctx)
			}
		}
		if err != nil && !complained {
			complained = true
			m.Log.Warn("cannot mind the connections with peers, so after a network outage it may take TCP minutes to use them again; does the unit let it read /proc/net/tcp (ProcSubset=all)?", zap.Error(err))
		}
	}
}

// abandon gives up the connections on which nothing passes any more. It is
// called only while a peer does not answer: where all do, nothing can hang.
func (m Minder) abandon(ctx context.Context) error {
	// This is before the other end, an etcd-node like this one, gives up
	// reading: everything written after that is lost.
	unheard := m.Limit - m.Limit/5
	ended, err := Abandon(m.Ports(), unheard)
	if ended > 0 {
		m.Log.Info("gave up connections with peers on which nothing has been acknowledged",
			zap.Int("connections", ended), zap.Duration("for-at-least", unheard))
		m.knock(ctx)
	}
	return err
}

// knock lets raft find out that its streams to the silent peers have ended, by
// messages that do not matter. Without them the next message that does matter,
// such as a client's put on its way to the leader, would be lost.
func (m Minder) knock(ctx context.Context) {
	for _, p := range m.Peers() {
		if !m.Found.Silent(p) {
			continue
		}
		for range knocks {
			if err := m.Knock(ctx, p); err != nil {
				return
			}
			select {
			case <-ctx.Done():
				return
			case <-time.After(time.Millisecond): // for the write; this goroutine has no hurry
			}
		}
	}
}

// Ports are those by which the connections with peers are known.
func (m Minder) Ports() (p Ports) {
	for _, u := range m.Listen {
		p.Listen = appendPort(p.Listen, &u)
	}
	for _, peer := range m.Peers() {
		for _, raw := range peer.URLs {
			if u, err := url.Parse(raw); err == nil {
				p.Peers = appendPort(p.Peers, u)
			}
		}
	}
	return p
}

// appendPort appends a URL's port, if it is one of TCP.
func appendPort(ports []uint64, u *url.URL) []uint64 {
	if n, err := strconv.ParseUint(portOf(u), 10, 16); err == nil {
		ports = append(ports, n)
	}
	return ports
}
