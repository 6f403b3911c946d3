package member

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/member/admission"
	"github.com/etcd-node/etcd-node/pkg/pace"
	"github.com/etcd-node/etcd-node/pkg/status"
)

const (
	// placePoll is how often it is looked whether the others can find this member
	// where the cluster knows it. Addresses change rarely, and the look is cheap.
	placePoll = 2 * time.Second
	// unreached is for how long no member may have had a connection to this one
	// before that says anything: raft dials again and again.
	unreached = 10 * time.Second
)

// watchPlace notices that the cluster's list of members has this one where it is
// not: the machine's address has changed, or it listens on the wrong one. raft
// goes on over the connections that this member has opened itself, so nothing
// else here would tell.
func (m *member) watchPlace(ctx context.Context) {
	var doubt doubt
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-pace.After(placePoll):
			c := status.Condition{ID: failure.IDMisplaced}
			if reached, answering := m.contact(); doubt.rises(now, m.Guard.Derived, reached, answering) {
				if o := m.observer.last.Load(); o != nil {
					c.Text, c.PeerURLs = m.misplaced(o, onThisMachine), m.place(o, onThisMachine)
				}
			}
			m.elsewhere.Store(&c)
		}
	}
}

// doubt is whether it has to be asked if this member is at its place.
type doubt struct{ alone time.Time } // since when no member has a connection to this one

// rises takes in whether any other member has a connection to this one, and
// whether any answers when it is asked. What was derived for this member cannot
// be meant otherwise. What was set may stand behind an address translation, and only
// the others can tell: those that are up and do not get through.
func (d *doubt) rises(now time.Time, derived, reached, answering bool) bool {
	if d.alone.IsZero() || reached {
		d.alone = now
	}
	return !reached && (derived || answering && now.Sub(d.alone) >= unreached)
}

// contact reports whether any other member has a connection to this one, and
// whether any answers when it is asked.
func (m *member) contact() (reached, answering bool) {
	o := m.observer.last.Load()
	if o == nil {
		return false, false
	}
	for _, x := range o.others() {
		found, _ := m.probes.Of(peerOf(x))
		answering = answering || found.OK
		reached = reached || m.streams.Dialled(uint64(x.ID))
	}
	return reached, answering
}

// whereabouts is why this member is not where the cluster knows it: what was known
// at the start, until the cluster has it under an address of this machine, else what
// has been noticed since. Its text is "" if it is there.
func (m *member) whereabouts(o *observation) status.Condition {
	if self := o.member(o.self); m.admittedAs != "" && self != nil && !admission.OneAddress(self.PeerURLs, urlStrings(m.Config.AdvertisePeerUrls)) {
		return status.Condition{ID: failure.IDMisplaced, Text: m.admittedAs, PeerURLs: m.place(o, onThisMachine)}
	}
	if c := m.elsewhere.Load(); c != nil {
		return *c
	}
	return status.Condition{}
}

// misplaced says why the other members cannot find this one at any of its peer
// URLs in the cluster's list; "" where they can, or where this machine cannot
// tell: what a name means, each machine decides for itself.
func (m *member) misplaced(o *observation, here func(netip.Addr) bool) string {
	if o == nil || len(o.others()) == 0 {
		return ""
	}
	self := o.member(o.self)
	if self == nil || len(self.PeerURLs) == 0 {
		return ""
	}
	var gone []string
	for _, text := range self.PeerURLs {
		u, err := url.Parse(text)
		if err != nil {
			return ""
		}
		addr, err := netip.ParseAddr(u.Hostname())
		switch {
		case err != nil, addr.IsUnspecified():
			return ""
		case !here(addr):
			gone = append(gone, addr.String())
		case listensOn(m.Config.ListenPeerUrls, addr, u.Port()):
			return ""
		}
	}
	known := "the cluster knows this member at " + strings.Join(self.PeerURLs, ", ")
	if len(gone) > 0 {
		return fmt.Sprintf("%s, but no interface of this machine has %s", known, strings.Join(gone, ", "))
	}
	return fmt.Sprintf("%s, but it listens for peers on %s only", known, strings.Join(urlStrings(m.Config.ListenPeerUrls), ", "))
}

// place are the peer URLs under which the others reach this member, where the
// cluster knows others: those that it announces, if they are of this machine and
// it listens there, else those on which it listens. "" where neither can be told.
func (m *member) place(o *observation, here func(netip.Addr) bool) string {
	self := o.member(o.self)
	if self == nil {
		return ""
	}
	for _, urls := range [][]url.URL{m.Config.AdvertisePeerUrls, m.Config.ListenPeerUrls} {
		if len(urls) > 0 && !slices.ContainsFunc(urls, func(u url.URL) bool {
			addr, err := netip.ParseAddr(u.Hostname())
			return err != nil || addr.IsUnspecified() || !here(addr) || !listensOn(m.Config.ListenPeerUrls, addr, u.Port()) || slices.Contains(self.PeerURLs, u.String())
		}) {
			return strings.Join(urlStrings(urls), ",")
		}
	}
	return ""
}

// listensOn reports whether one of the URLs to listen on covers an address.
func listensOn(listen []url.URL, addr netip.Addr, port string) bool {
	return slices.ContainsFunc(listen, func(u url.URL) bool {
		host, err := netip.ParseAddr(u.Hostname())
		return u.Port() == port && (err != nil || host.IsUnspecified() || host.Unmap() == addr.Unmap())
	})
}

// onThisMachine reports whether a server could listen on an address here: it
// binds a socket to it, and sends nothing. Only that the address is not this
// machine's counts: without a free descriptor it would be nobody's. Package
// netdetect has the same for the configuration, of which the member knows nothing.
func onThisMachine(addr netip.Addr) bool {
	c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(addr, 0)))
	if err == nil {
		_ = c.Close() // it was only there to be opened
	}
	return !errors.Is(err, syscall.EADDRNOTAVAIL)
}

// begun reports whether the cluster has ever had a leader, as far as this member
// knows: entries of the bootstrap have term 1, all others a later one.
func (m *member) begun(o *observation) bool {
	return m.led || m.Guard.Pin != nil || m.Guard.Damage != "" || o.term > 1
}
