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
	// err says why, of the URL that tells most; absent, that each URL refuses the
	// connection, or cannot be asked; fresh, that it is a node without data;
	// strange, that something answers that is neither that nor a member.
	err                    error
	absent, fresh, strange bool
	// unlisted is the cluster that does not list that node, as it says.
	unlisted string
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

// askOne asks a peer at all of its URLs at once, so that a mute one does not take
// the time of another, and takes the first answer.
func (c *Checker) askOne(ctx context.Context, p peers.Peer) reply {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	all := make([]reply, len(p.URLs))
	come := make(chan int, len(p.URLs))
	for i, u := range p.URLs {
		go func() {
			list, err := c.Asker.Members(ctx, u)
			all[i] = reply{
				peer: p, unlisted: unlistedBy(err), list: list, err: err,
				absent: errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, peers.ErrUnasked),
				fresh:  errors.Is(err, peers.ErrNoData), strange: errors.Is(err, peers.ErrAnswered),
			}
			come <- i
		}()
	}
	for range p.URLs {
		if r := all[<-come]; r.err == nil || r.fresh {
			return r
		}
	}
	most := reply{peer: p, absent: true}
	for _, r := range all {
		if r.strange || !most.strange && !r.absent || most.absent {
			most = r
		}
	}
	return most
}

// unlistedBy is the cluster that does not list the node that gave this for an
// answer, where that has found one.
func unlistedBy(err error) string {
	if w, ok := errors.AsType[*peers.Waits](err); ok && w.Unlisted != 0 {
		return hex(w.Unlisted)
	}
	return ""
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
