package member

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"time"

	"go.uber.org/zap"

	"go.etcd.io/etcd/client/pkg/v3/transport"
	"go.etcd.io/etcd/server/v3/embed"
	"go.etcd.io/etcd/server/v3/etcdserver/api/membership"

	"github.com/etcd-node/etcd-node/pkg/member/spare"
	"github.com/etcd-node/etcd-node/pkg/member/turn"
	"github.com/etcd-node/etcd-node/pkg/pipe"
)

// giveBackLimit bounds the end of a turn, which ends by itself otherwise.
const giveBackLimit = 2 * time.Second

// leave is what the supervisor asked for with [pipe.Leave], as long as it is not
// decided. The zero value is nothing.
type leave struct {
	cancel context.CancelFunc
	end    chan leaveEnd
}

// leaveEnd is the decision: the member stays where err is not nil.
type leaveEnd struct {
	turn turn.Turn
	err  error
}

// beginLeave finds out whether the member may leave, in a goroutine of its own: it
// waits for its turn, and asks the others.
func (m *member) beginLeave(ctx context.Context, how pipe.Leaving) {
	if m.leave.cancel != nil {
		return // one is under way
	}
	ctx, m.leave.cancel = context.WithCancel(ctx)
	end := make(chan leaveEnd, 1)
	m.leave.end = end
	go func() {
		t, err := m.mayLeave(ctx, how)
		end <- leaveEnd{t, err}
	}()
}

func (m *member) mayLeave(ctx context.Context, how pipe.Leaving) (t turn.Turn, err error) {
	e := m.etcd.Load()
	if e == nil || !m.ready.Load() || how.Force { // a member that has not served serves nobody
		return t, nil
	}
	if !how.NoTurn {
		m.awaitGivenBack()
		t, err = turn.Take(e.Server.AuthStore().WithRoot(ctx), e.Server, rank(e), func(whose turn.Rank, left time.Duration) {
			_ = m.send(pipe.Message{Kind: pipe.Waiting, Text: fmt.Sprintf("it is the turn of %s, for %s at most", ofRank(e, whose), left)})
		})
		if err != nil {
			return t, err
		}
		_ = m.send(pipe.Message{Kind: pipe.Waiting, Text: "asking the other members whether they are in step"})
	}
	if err = m.canBeSpared(ctx, e); err != nil {
		m.giveBack(ctx, t)
	}
	return t, err
}

// rank is this member's place among all, by which they tell whose turn it is.
func rank(e *embed.Etcd) turn.Rank {
	return turn.Rank(slices.IndexFunc(e.Server.Cluster().Members(), func(x *membership.Member) bool { return x.ID == e.Server.MemberID() }))
}

// ofRank is the name of the member at a place, which may have changed since.
func ofRank(e *embed.Etcd, r turn.Rank) string {
	if all := e.Server.Cluster().Members(); r >= 0 && int(r) < len(all) { // in the order of IDs
		return cmp.Or(all[r].Name, all[r].ID.String())
	}
	return "another member"
}

// canBeSpared returns nil if the cluster keeps its quorum without this member.
func (m *member) canBeSpared(ctx context.Context, e *embed.Etcd) error {
	var all []spare.Member
	for _, x := range e.Server.Cluster().Members() {
		all = append(all, spare.Member{
			Name: cmp.Or(x.Name, x.ID.String()), ClientURLs: x.ClientURLs, PeerURLs: x.PeerURLs, ID: uint64(x.ID),
			Learner: x.IsLearner, Self: x.ID == e.Server.MemberID(),
		})
	}
	cluster, asker := e.Server.Cluster().ID().String(), spare.Asker{TLS: m.asClient(), Dial: m.dialer().DialContext, Own: m.listensAt}
	if c := m.asks.Load(); c != nil {
		asker.Is = func(ctx context.Context, x spare.Member) bool {
			return slices.ContainsFunc(x.PeerURLs, func(u string) bool { return c.Is(ctx, u, cluster, x.ID) })
		}
	}
	return asker.Check(ctx, all)
}

// listensAt reports whether who dials a host and port from this machine comes to this
// member's own client server.
func (m *member) listensAt(ctx context.Context, host, port string) bool {
	mine := slices.ContainsFunc(slices.Concat(m.Config.ListenClientUrls, m.Config.ListenClientHttpUrls), func(u url.URL) bool { return u.Port() == port })
	if !mine {
		return false
	}
	local, err := net.InterfaceAddrs()
	if err != nil {
		return false
	}
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(addrs, func(a netip.Addr) bool {
		return a.IsLoopback() || a.IsUnspecified() || slices.ContainsFunc(local, func(l net.Addr) bool {
			p, err := netip.ParsePrefix(l.String())
			return err == nil && p.Addr().Unmap() == a.Unmap()
		})
	})
}

// asClient are the TLS configurations with which this member can ask the client
// servers of the others: with the certificate of its own, as etcd's gateway does, and
// with that for peers. A CA that is not configured cannot be checked; nothing secret
// is sent.
func (m *member) asClient() (all []*tls.Config) {
	for _, info := range []transport.TLSInfo{m.Config.ClientTLSInfo, m.Config.PeerTLSInfo} {
		if info.Empty() {
			continue
		}
		config, err := info.ClientConfig()
		if err != nil {
			m.log.Warn("cannot ask other members with a certificate", zap.String("certificate", info.CertFile), zap.Error(err))
			continue
		}
		config.InsecureSkipVerify = config.InsecureSkipVerify || info.TrustedCAFile == ""
		all = append(all, config)
	}
	return all
}

// awaitGivenBack waits until the turn before is given back, as far as that is under way:
// it would be taken for this one, and end it.
func (m *member) awaitGivenBack() {
	m.givingBack.Lock()
	defer m.givingBack.Unlock()
}

// giveBack ends a turn, if there is one.
func (m *member) giveBack(ctx context.Context, t turn.Turn) {
	e := m.etcd.Load()
	if e == nil || t == (turn.Turn{}) {
		return
	}
	m.givingBack.Lock()
	defer m.givingBack.Unlock()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), giveBackLimit)
	defer cancel()
	if err := t.GiveBack(e.Server.AuthStore().WithRoot(ctx), e.Server, rank(e)); err != nil {
		m.log.Warn("could not give back the turn; it ends by itself", zap.Duration("ttl", turn.TTL), zap.Error(err))
	}
}

// answerSpare answers whether the member can be spared.
func (m *member) answerSpare(ctx context.Context, id uint64) {
	answer := pipe.Message{Kind: pipe.Answer, ID: id}
	if e := m.etcd.Load(); e == nil {
		answer.Text = "this member has not started"
	} else if err := m.canBeSpared(ctx, e); err != nil {
		answer.Text = err.Error()
	}
	_ = m.send(answer) // the asker gives up by itself
}
