package member

import (
	"context"
	"net/url"
	"strconv"
	"time"

	"go.uber.org/zap"

	"go.etcd.io/etcd/server/v3/etcdserver/api/rafthttp"

	"github.com/etcd-node/etcd-node/pkg/member/election"
	"github.com/etcd-node/etcd-node/pkg/member/peers"
)

// settling is how long after a stream is established the connections are looked
// at: streams come in fours, and not in the middle of an election, of which
// they may be part.
const settling = 100 * time.Millisecond

// watchConns ends connections with peers that have outlived the network under
// them, and those that would wait when it is back: at the latest then the peer
// dials us, or our own dial gets through, and all others are worth another try.
func (m *member) watchConns(ctx context.Context, listen []uint64) {
	limit := rafthttp.ConnReadTimeout // --raft-read-timeout
	if limit <= 0 {
		return
	}
	poll := time.NewTicker(limit / 5)
	defer poll.Stop()
	complained := false
	established := m.streams.Established()
	for {
		var (
			ended int
			err   error
		)
		select {
		case <-ctx.Done():
			return
		case <-established:
			select {
			case <-ctx.Done():
				return
			case <-time.After(settling):
			}
			established = m.streams.Established()
			ports := peers.Ports{Listen: listen, Peers: m.peerPorts()}
			if err = peers.Bound(ports, limit); err == nil {
				_, err = peers.Hurry(ports)
			}
		case <-poll.C:
			if m.found.whole() {
				continue
			}
			// Before the other end, an etcd-node like this one, gives up reading:
			// what is written after that is lost.
			unheard := limit - limit/5
			ended, err = peers.Abandon(peers.Ports{Listen: listen, Peers: m.peerPorts()}, unheard)
			if ended > 0 {
				m.log.Info("gave up connections with peers on which nothing has been acknowledged",
					zap.Int("connections", ended), zap.Duration("for-at-least", unheard))
				m.knock(ctx)
			}
		}
		if err != nil && !complained {
			complained = true
			m.log.Warn("cannot mind the connections with peers, so after a network outage it may take TCP minutes to use them again; does the unit let it read /proc/net/tcp (ProcSubset=all)?", zap.Error(err))
		}
	}
}

// knocks are enough for net/http to notice that a connection has ended.
const knocks = 4

// knock lets raft find out that its streams to the peers that are silent have
// ended, by messages that do not matter: the next one that does, a client's
// put on its way to the leader, would be lost.
func (m *member) knock(ctx context.Context) {
	e := m.etcd.Load()
	if e == nil {
		return
	}
	for _, x := range e.Server.Cluster().Members() {
		if x.ID == e.Server.MemberID() || !m.found.silent((peer{urls: x.PeerURLs}).key()) {
			continue
		}
		for range knocks {
			if err := election.Knock(ctx, raftServer{e.Server}, uint64(e.Server.MemberID()), uint64(x.ID)); err != nil {
				return // the server stops
			}
			time.Sleep(time.Millisecond) // for the write; this goroutine has no hurry
		}
	}
}

// peerPorts are those on which the other members listen.
func (m *member) peerPorts() (ports []uint64) {
	for _, p := range m.peers() {
		for _, raw := range p.urls {
			if u, err := url.Parse(raw); err == nil {
				ports = appendPort(ports, u)
			}
		}
	}
	return ports
}

// listenPorts are those on which this member listens for them.
func listenPorts(urls []url.URL) (ports []uint64) {
	for _, u := range urls {
		ports = appendPort(ports, &u)
	}
	return ports
}

// appendPort appends a URL's port, if it is one of TCP.
func appendPort(ports []uint64, u *url.URL) []uint64 {
	if n, err := strconv.ParseUint(port(u), 10, 16); err == nil {
		ports = append(ports, n)
	}
	return ports
}
