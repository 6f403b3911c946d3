package netdetect

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// match is an address of this machine that stands in the cluster list.
type match struct {
	Address
	member int
	host   string // as the list has it
	dns    bool
}

// matches returns which of the addresses stand in the list, in its order.
func (c *cluster) matches(addrs []Address) []match {
	var out []match
	for _, l := range c.hosts {
		for _, listed := range l.addrs {
			for _, a := range addrs {
				if a.Addr == listed {
					out = append(out, match{Address: a, member: l.member, host: l.host, dns: l.dns})
				}
			}
		}
	}
	return out
}

// matches returns the addresses of this machine that stand in the cluster
// list. One that is secondary, deprecated or on lo counts when no other does:
// it is never picked, but here the operator has named it.
func (l *look) matches() []match {
	if l.req.Addr.IsValid() {
		return l.cluster.matches([]Address{l.set()})
	}
	if l.cluster.onLoopback() {
		var here []Address
		for _, h := range l.cluster.hosts {
			a, _ := l.table.holder(h.addrs[0])
			a.Addr = h.addrs[0] // of localhost, 127.0.0.1
			if !slices.Contains(here, a) {
				here = append(here, a)
			}
		}
		return l.cluster.matches(here)
	}
	if m := l.cluster.matches(l.table.filter(Address.usable)); len(m) > 0 {
		return m
	}
	m := l.cluster.matches(l.table.filter(Address.bindable))
	for _, x := range m {
		l.warn("%s is %s; it is used because it stands in the initial cluster", x.Address, x.defect())
	}
	return m
}

// settle decides between the addresses of this machine that stand in the
// cluster list. What the operator set narrows them; after that they must
// belong to one entry.
func (l *look) settle(m []match) (place, error) {
	m = narrow(m, func(x match) bool { return l.entry(x) == l.req.Name })
	m = narrow(m, func(x match) bool { return x.Interface == l.req.Interface })
	first := m[0]
	member := first.member
	for _, x := range m[1:] {
		if l.entry(x) == l.entry(first) {
			continue
		}
		if l.req.HasData && l.req.Name != "" && x.Addr == first.Addr {
			member = -1 // the address is known, and the name is set
			continue
		}
		return place{}, l.severalEntries(m)
	}
	if first.dns {
		var err error
		if first, err = l.settleAnswers(m); err != nil {
			return place{}, err
		}
	}
	if member < 0 {
		l.warn("the name %s is set, but %s stands in the initial cluster under other names; %s", l.req.Name, first.Address, dataCounts)
	}
	p := place{Address: first.Address, host: first.host, member: member, origin: "set"}
	if !l.req.Addr.IsValid() {
		p.origin = "detected from " + cmp.Or(first.Interface, "loopback")
		if member >= 0 {
			p.origin += fmt.Sprintf(" (%s in the initial cluster)", l.entry(first))
		}
		if l.req.Interface != "" && l.req.Interface != first.Interface {
			l.warn("ETCD_NODE_INTERFACE is %s, but the address that stands in the initial cluster is %s", l.req.Interface, first.Address)
		}
	}
	return p, nil
}

// settleAnswers decides between addresses that one entry's name resolves to.
// (Of addresses that stand literally in one entry, the first is meant.)
func (l *look) settleAnswers(m []match) (match, error) {
	var addrs table
	for _, x := range m {
		if !slices.Contains(addrs, x.Address) {
			addrs = append(addrs, x.Address)
		}
	}
	if v4 := addrs.filter(func(a Address) bool { return a.Addr.Is4() }); len(v4) > 0 {
		addrs = v4
	}
	a, err := l.pick(addrs)
	if err != nil {
		return match{}, err
	}
	return m[slices.IndexFunc(m, func(x match) bool { return x.Address == a })], nil
}

// entry is the name of the entry that x stands under.
func (l *look) entry(x match) string { return l.cluster.members[x.member].Name }

// narrow keeps what satisfies keep, or everything when nothing does.
func narrow(m []match, keep func(match) bool) []match {
	var kept []match
	for _, x := range m {
		if keep(x) {
			kept = append(kept, x)
		}
	}
	if len(kept) == 0 {
		return m
	}
	return kept
}

func (l *look) severalEntries(m []match) error {
	var names, what []string
	hint := "set ETCD_NAME"
	for _, x := range m {
		name := l.entry(x)
		if !slices.Contains(names, name) {
			names = append(names, name)
			what = append(what, fmt.Sprintf("%s as %s", x.Address, name))
		}
		if x.Addr != m[0].Addr && hint == "set ETCD_NAME" {
			hint = "set ETCD_NAME or ETCD_PEER"
		}
		if x.Interface != m[0].Interface {
			hint = "set ETCD_NODE_INTERFACE, ETCD_NAME or ETCD_PEER"
		}
	}
	if l.req.Name != "" {
		hint += fmt.Sprintf(" (%s is none of them)", l.req.Name)
	}
	return l.refuse(hint+" to say which of them this member is",
		"this machine stands in the initial cluster more than once: %s", strings.Join(what, ", "))
}
