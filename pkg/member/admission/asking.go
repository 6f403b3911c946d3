package admission

import (
	"context"
	"errors"
	"syscall"
	"time"

	"go.uber.org/zap"

	"go.etcd.io/etcd/pkg/v3/netutil"

	"github.com/etcd-node/etcd-node/pkg/member/peers"
)

// askTimeout bounds one round of questions.
const askTimeout = time.Second

// reply is what a peer said when it was asked for its members.
type reply struct {
	peer peers.Peer
	list peers.List // without an ID: it gave none
	// err says why, of the last of its URLs; absent, that each URL refuses the
	// connection, or cannot be asked; fresh, that it is a node without data.
	err           error
	absent, fresh bool
}

// askAll asks all peers at once. It hands each reply to take as it comes, until
// that says that it needs no more.
func (c *Checker) askAll(ctx context.Context, others []peers.Peer, take func(reply) (enough bool)) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	replies := make(chan reply, len(others))
	for _, p := range others {
		go func() { replies <- c.askOne(ctx, p) }()
	}
	for range others {
		if take(<-replies) {
			return
		}
	}
}

// askOne asks a peer, at the first of its URLs that answers.
func (c *Checker) askOne(ctx context.Context, p peers.Peer) reply {
	r := reply{peer: p, absent: true}
	for _, u := range p.URLs {
		r.list, r.err = c.Asker.Members(ctx, u)
		r.fresh = errors.Is(r.err, peers.ErrNoData)
		if r.err == nil || r.fresh {
			r.absent = false
			return r
		}
		r.absent = r.absent && (errors.Is(r.err, syscall.ECONNREFUSED) || errors.Is(r.err, peers.ErrUnasked))
	}
	return r
}

// listedAs reports whether a member has this node's peer URLs. They are
// compared as etcd does it, by address where one names a host, but etcd would
// ask for ever for a name that has no address any more.
func (c *Checker) listedAs(ctx context.Context, x peers.Member) bool {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	same, err := netutil.URLStringsEqual(ctx, zap.NewNop(), c.PeerURLs, x.PeerURLs)
	return err == nil && same
}
