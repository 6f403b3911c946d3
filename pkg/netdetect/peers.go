package netdetect

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// byPeers holds what was found on eth0, or on the interface of the default route,
// against the address that the kernel uses as source towards the listed peers: an
// eth0 that leads to the world and to none of the members is the wrong one. named:
// the list has an entry that goes by this machine's name.
func (l *look) byPeers(p place, named bool) (place, error) {
	several := l.table.filter(func(a Address) bool {
		return a.usable() && a.Interface != p.Interface && a.Addr.Is4() == p.Addr.Is4()
	})
	peers := l.othersAddrs(p.Addr.Is4())
	switch {
	case len(several) == 0:
	case len(peers) == 0:
		if err := l.pendDNS(); err != nil {
			return place{}, err
		}
	default:
		var err error
		if p, err = l.towards(p, append(several, p.Address), peers); err != nil {
			return place{}, err
		}
	}
	if late := l.late(p); named && late != "" && len(peers) > 0 && !slices.ContainsFunc(peers, netip.PrefixFrom(p.Addr, p.Bits).Contains) {
		l.warn("the initial cluster names this machine and not its address; %s is taken, which is in no network with %s, and %s has no address: set ETCD_PEER if another one is meant",
			p.Address, l.peerName(peers[0]), late)
	}
	return p, nil
}

// late is an interface that is up and has no address of this family, "" for none.
func (l *look) late(p place) string {
	for _, a := range l.table {
		v4, v6 := p.Addr.Is4(), p.Addr.Is6()
		if a.Up && !a.Loopback && !a.Port && l.table.lack(a.Interface, v4, v6) != "" {
			return a.Interface
		}
	}
	return ""
}

// towards asks the kernel which of several addresses, all of one family, it
// uses towards peers, and returns p where that does not tell.
func (l *look) towards(p place, candidates []Address, peers []netip.Addr) (place, error) {
	var used []Address
	var said, silent []string
	for _, peer := range peers {
		src, err := l.host.Source(peer)
		if err != nil {
			silent = append(silent, l.peerName(peer))
			continue
		}
		i := slices.IndexFunc(candidates, func(a Address) bool { return a.Addr == plain(src) })
		if i >= 0 && !slices.Contains(used, candidates[i]) {
			used = append(used, candidates[i])
			said = append(said, fmt.Sprintf("%s towards %s", candidates[i], l.peerName(peer)))
		}
	}
	switch {
	case len(used) == 1 && used[0] != p.Address:
		_, towards, _ := strings.Cut(said[0], " towards ")
		return place{Address: used[0], origin: fmt.Sprintf("detected from %s (the source address towards %s)", used[0].Interface, towards)}, nil
	case len(used) > 1 && l.req.HasData: // it has run with what was found
		l.warn("this machine uses %s; set ETCD_PEER to the right one", strings.Join(said, ", "))
	case len(used) > 1:
		return place{}, l.refuse("set ETCD_PEER to the right one, or ETCD_NODE_INTERFACE to its interface",
			"which address is this member's? The kernel uses %s", strings.Join(said, ", "))
	case len(silent) == len(peers) && l.patient:
		return place{}, l.pend("this machine has several addresses, and no route yet to %s that would tell which to use", strings.Join(silent, ", "))
	}
	return p, nil
}

// othersAddrs are the listed addresses of one family that are not on this
// machine.
func (l *look) othersAddrs(is4 bool) (peers []netip.Addr) {
	for _, a := range l.cluster.outside(-1) {
		if _, ours := l.table.holder(a); !ours && a.Is4() == is4 {
			peers = append(peers, a)
		}
	}
	return peers
}

// peerName is a listed address with its entry's name: "etcd-2 (192.168.122.6)".
func (l *look) peerName(peer netip.Addr) string {
	for _, h := range l.cluster.hosts {
		if slices.Contains(h.addrs, peer) {
			return fmt.Sprintf("%s (%s)", l.cluster.members[h.member].Name, peer)
		}
	}
	return peer.String()
}
