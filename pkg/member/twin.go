package member

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"time"

	"github.com/etcd-node/etcd-node/pkg/pace"
)

const (
	// twinPoll is how often it is asked whether this member runs elsewhere, too.
	// Each question makes the other one refuse a message, which its log may have.
	twinPoll = 30 * time.Second
	// twinTimeout bounds one question, with looking up a name.
	twinTimeout = 2 * time.Second
)

// watchTwin notices a second process with this member's ID, at the address where
// the cluster lists it: this machine was made from that one's disk, or has got its
// data. The copy alone can tell, because that address is not its own.
func (m *member) watchTwin(ctx context.Context, is func(ctx context.Context, peerURL, clusterID string, memberID uint64) bool) {
	for pause := placePoll; ; { // until the cluster is known
		select {
		case <-ctx.Done():
			return
		case <-pace.After(pause):
		}
		o := m.observer.last.Load()
		if o == nil || o.member(o.self) == nil {
			continue
		}
		text := m.twinOf(ctx, o, is, isHere)
		m.twin.Store(&text)
		pause = twinPoll
	}
}

// twinOf says where this member answers, too; "" where it does not.
func (m *member) twinOf(ctx context.Context, o *observation,
	is func(ctx context.Context, peerURL, clusterID string, memberID uint64) bool, here func(ctx context.Context, host string) bool,
) string {
	self := o.member(o.self)
	if self == nil {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, twinTimeout)
	defer cancel()
	own := urlStrings(m.Config.AdvertisePeerUrls)
	if slices.ContainsFunc(self.PeerURLs, func(u string) bool { return slices.Contains(own, u) }) {
		return "" // behind an address translation it may be this process that answers
	}
	for _, text := range self.PeerURLs {
		u, err := url.Parse(text)
		if err != nil || here(ctx, u.Hostname()) || !is(ctx, text, o.cluster.String(), uint64(o.self)) {
			continue
		}
		return fmt.Sprintf("%s already is member %s, at %s: two processes must never be one member; stop this one", u.Hostname(), o.self, text)
	}
	return ""
}

// isHere reports whether a host may be this machine; where a name cannot be
// looked up, nobody can be asked there.
func isHere(ctx context.Context, host string) bool {
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	return err != nil || slices.ContainsFunc(addrs, func(a netip.Addr) bool { return onThisMachine(a.Unmap()) })
}
