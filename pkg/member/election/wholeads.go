package election

import (
	"context"
	"net"

	"github.com/etcd-node/etcd-node/pkg/member/peers"
)

// leads is what is known of who leads.
type leads int

const (
	unknown  leads = iota // somebody neither answers nor refuses
	nobody                // all have said so, or are not there
	somebody              // one has said so
)

// whoLeads asks the voting members, this one aside, whether one of them leads.
// Not longer than a quarter of the election timeout: who is slower than that is
// no leader for long.
func (e *Elector) whoLeads(ctx context.Context, ids []uint64) leads {
	ctx, cancel := context.WithTimeout(ctx, e.opts.Timeout/4)
	defer cancel()
	answers := make(chan leads, len(ids))
	asked := 0
	for _, id := range ids {
		if id != e.opts.Self {
			asked++
			go func() { answers <- e.opts.Network.leads(ctx, e.peerURLs(id)) }()
		}
	}
	sum := nobody
	for ; asked > 0; asked-- {
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
