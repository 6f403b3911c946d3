package election

import (
	"context"
	"net"

	"github.com/etcd-node/etcd-node/pkg/member/peers"
)

// leads is an answer to the question whether a member leads.
type leads int

const (
	unknown  leads = iota // one neither answers nor refuses
	nobody                // all have denied it, or are not there
	somebody              // one has said that it leads
)

// whoLeads asks the other voting members whether one of them leads. Not longer
// than a quarter of the election timeout: one that is slower than that will not
// lead for long.
func (e *Elector) whoLeads(ctx context.Context) leads {
	ctx, cancel := context.WithTimeout(ctx, e.opts.Timeout/4)
	defer cancel()
	peers := e.peers()
	answers := make(chan leads, len(peers))
	for _, urls := range peers {
		go func() { answers <- e.opts.Network.leads(ctx, urls) }()
	}
	sum := nobody
	for range peers {
		switch <-answers {
		case somebody:
			return somebody
		case unknown:
			sum = unknown
		}
	}
	return sum
}

// leads asks a member, at its peer URLs, whether it leads.
func (n Network) leads(ctx context.Context, urls []string) leads {
	dial := func(ctx context.Context, _, address string) (net.Conn, error) { return n.Dial(ctx, address) }
	switch peers.NewClient(n.TLS, dial).Leads(ctx, urls) {
	case peers.Leads:
		return somebody
	case peers.Follows:
		return nobody
	default:
		return unknown
	}
}
