package member

import (
	"context"
	"errors"
	"net/url"

	"go.etcd.io/etcd/client/pkg/v3/types"
	"go.etcd.io/etcd/server/v3/etcdserver/api/rafthttp"

	"github.com/etcd-node/etcd-node/pkg/member/election"
	"github.com/etcd-node/etcd-node/pkg/member/peers"
)

// peers are the other members: the cluster's once it is known, the initial
// cluster's before.
func (m *member) peers() []peers.Peer {
	o := m.observer.last.Load()
	if o == nil {
		return m.initial
	}
	var all []peers.Peer
	for _, x := range o.others() {
		all = append(all, peerOf(x))
	}
	return all
}

// client returns what asks the peers, with raft's own certificates.
func (m *member) client() (*peers.Client, error) {
	tlsConfig, err := m.clientTLS()
	if err != nil {
		return nil, err
	}
	return peers.NewClient(tlsConfig, m.dialer().DialContext), nil
}

// minder minds raft's connections with the peers.
func (m *member) minder() peers.Minder {
	return peers.Minder{
		Listen: m.Config.ListenPeerUrls, Limit: rafthttp.ConnReadTimeout, // --raft-read-timeout
		Peers: m.peers, Found: &m.probes, Streams: m.streams, Knock: m.knock, Log: m.log,
	}
}

// knock makes raft write a message that does not matter to a peer.
func (m *member) knock(ctx context.Context, p peers.Peer) error {
	e := m.etcd.Load()
	if e == nil {
		return errors.New("the server has not begun")
	}
	id, err := types.IDFromString(p.ID)
	if err != nil {
		return err
	}
	return election.Knock(ctx, e.Server, uint64(e.Server.MemberID()), uint64(id))
}

// urlStrings are URLs as etcd's lists have them.
func urlStrings(urls []url.URL) []string {
	all := make([]string, len(urls))
	for i, u := range urls {
		all[i] = u.String()
	}
	return all
}
