package member

import (
	"context"
	"maps"
	"time"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/member/peers"
	"github.com/etcd-node/etcd-node/pkg/member/roster"
)

// strangerPoll is how often it is asked what lives at the entries of the list that
// are no members. A person acts on the answer, and a host with other certificates
// may log each question.
const strangerPoll = 5 * time.Second

// watchStrangers asks what lives at the entries of the list that are no members: a
// node with data of its own must not be added to this cluster. They are no peers,
// so nothing else may count them.
func (m *member) watchStrangers(ctx context.Context, c *peers.Client) {
	c.Watch(ctx, m.strangers, &m.outside, func() {
		if m.observer.ask(); len(m.strangers()) == 0 {
			return
		}
		select { // the pause between two rounds, beside that of Watch
		case <-ctx.Done():
		case <-time.After(strangerPoll):
		}
	})
}

// strangers are the entries of the list that are no members.
func (m *member) strangers() (all []peers.Peer) {
	o, node := m.observer.last.Load(), m.listed.Load()
	if o == nil || node == nil {
		return nil
	}
	for _, urls := range node.Missing(m.roster(o)) {
		all = append(all, peers.Peer{URLs: urls})
	}
	return all
}

// asked is this node by its configuration, with what lives at those entries.
func (m *member) asked(o *observation) roster.Node {
	n := m.node
	n.Cluster, n.Lives = o.cluster.String(), map[string]roster.Life{}
	if o.auth {
		n.Values = failure.Values{"auth": "true"}
		maps.Copy(n.Values, m.node.Values)
	}
	for name, urls := range n.List {
		if found, ok := m.outside.Of(peers.Peer{URLs: urls}); ok {
			n.Lives[name] = roster.Life{Asked: true, Cluster: found.ClusterID}
		}
	}
	return n
}
