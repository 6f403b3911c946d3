package netdetect

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// byInterface is step 3 of doc.go: the address of the interface that is
// named, of eth0, or of the interface of the default route.
func (l *look) byInterface() (place, error) {
	iface, origin, err := l.iface()
	if err != nil {
		return place{}, err
	}
	rows := l.table.on(iface)
	addrs := rows.filter(Address.usable)
	if l.req.Interface != "" && len(rows) > 0 && rows[0].Loopback {
		// A routed host has its address on lo; peers cannot use 127.0.0.1.
		if addrs = rows.filter(Address.bindable); len(addrs) == 0 {
			return place{}, l.refuse("name another one, or set ETCD_PEER=127.0.0.1 for a single member that only this machine reaches",
				"ETCD_NODE_INTERFACE is %s, which has loopback addresses only", iface)
		}
	}
	v4, v6 := l.families()
	want := addrs.filter(func(a Address) bool { return a.Addr.Is4() })
	if !v4 && v6 || len(want) == 0 && v4 == v6 {
		want = addrs.filter(func(a Address) bool { return a.Addr.Is6() })
	}
	if len(want) == 0 {
		if v4 && v6 {
			v4, v6 = false, false // either will do
		}
		return place{}, l.pend("%s", l.table.lack(iface, v4, v6))
	}
	a, err := l.pick(want)
	return place{Address: a, origin: origin}, err
}

// families says which address families will do. A list that data outranks does
// not count once its wait is over.
func (l *look) families() (v4, v6 bool) {
	if !l.patient {
		return false, false
	}
	return l.cluster.families()
}

// iface says which interface to ask, and how to print that. An eth0 that is
// down or a port of a bridge is not in use; one that is up is waited for.
func (l *look) iface() (name, origin string, err error) {
	if name := l.req.Interface; name != "" {
		return name, "detected from " + name + " (ETCD_NODE_INTERFACE)", nil
	}
	eth0 := l.table.on("eth0")
	if len(eth0) > 0 && eth0[0].Up && !eth0[0].Port {
		return "eth0", "detected from eth0", nil
	}
	name, err = l.host.DefaultInterface()
	switch {
	case err != nil:
		return "", "", fmt.Errorf("find the default route: %w", err)
	case name != "":
		return name, "detected from " + name + " (default route)", nil
	case len(eth0) > 0:
		return "eth0", "detected from eth0", nil
	}
	return "", "", l.pend("there is no eth0, and no default route yet that would name another interface")
}

// pick returns the one of addrs, all of one family, that the kernel uses as
// source towards the listed peers. Of eth0's own address and a keepalived VIP
// it is the former: the connected network's route prefers it.
func (l *look) pick(addrs []Address) (Address, error) {
	if len(addrs) == 1 {
		return addrs[0], nil
	}
	used := map[netip.Addr]string{} // source → the first peer it is used towards
	var asked, silent []string
	for _, h := range l.cluster.hosts {
		for _, peer := range h.addrs {
			if _, ours := l.table.holder(peer); ours || peer.IsLoopback() || peer.Is4() != addrs[0].Addr.Is4() {
				continue
			}
			name := fmt.Sprintf("%s (%s)", l.cluster.members[h.member].Name, peer)
			asked = append(asked, name)
			src, err := l.host.Source(peer)
			if err != nil {
				silent = append(silent, name)
			} else if _, known := used[plain(src)]; !known {
				used[plain(src)] = name
			}
		}
	}
	var chosen, all []string
	var one Address
	hint := "set ETCD_PEER to the right one"
	for _, a := range addrs {
		all = append(all, a.String())
		if peer, ok := used[a.Addr]; ok {
			chosen = append(chosen, fmt.Sprintf("%s towards %s", a.Addr, peer))
			one = a
		}
		if a.Interface != addrs[0].Interface {
			hint = "set ETCD_PEER to the right one, or ETCD_NODE_INTERFACE to its interface"
		}
	}
	what := fmt.Sprintf("this machine's address can be %s", strings.Join(all, " or "))
	switch {
	case len(chosen) == 1:
		return one, nil
	case len(chosen) > 1:
		return Address{}, l.refuse(hint, "%s: the kernel uses %s", what, strings.Join(chosen, ", "))
	case l.pendDNS() != nil: // the peers to ask about
		return Address{}, l.pendDNS()
	case len(asked) == 0:
		return Address{}, l.refuse(hint, "%s, and there is no listed peer to ask the kernel about", what)
	case slices.Equal(asked, silent):
		return Address{}, l.pend("%s, and there is no route yet to %s", what, strings.Join(asked, ", "))
	}
	return Address{}, l.refuse(hint, "%s, and the kernel uses neither towards %s", what, strings.Join(asked, ", "))
}
