package netdetect

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// dataHosts turns what the data knows of this member into a list of one entry;
// nil where nothing is known, or where the address is set anyway.
func (l *look) dataHosts(ctx context.Context) (*cluster, error) {
	if !l.req.HasData || l.req.Addr.IsValid() || l.wait.Data == nil {
		return nil, nil
	}
	hosts := l.wait.Data()
	if len(hosts) == 0 {
		return nil, nil
	}
	data := newCluster([]Member{{Hosts: hosts}})
	if err := data.resolve(ctx, l.host.Lookup); err != nil {
		return nil, fmt.Errorf("resolve what the data knows of this member: %w", err)
	}
	return data, nil
}

// byData returns this machine's address by which the data knows its member:
// that is where the other members look for it, whatever the list says.
func (l *look) byData(data *cluster) (place, bool) {
	if data == nil {
		return place{}, false
	}
	m := data.matches(l.table.filter(Address.bindable))
	if len(m) == 0 {
		return place{}, false
	}
	a := m[0].Address
	return place{Address: a, origin: fmt.Sprintf("detected from %s (the data knows this member there)", a.Interface), member: -1}, true
}

// absent is the error of a look for an address that somebody has written down
// and that no interface has: a VPN, a virtual IP or a bond may bring it. Until
// then no other address is right, not even with data: nobody has said that this
// member may be reached under it. It is nil where nobody waits for that, and
// where the list says nothing of this machine's address that could come.
func (l *look) absent(data *cluster) error {
	if !l.wait.Absent || l.req.Addr.IsValid() {
		return nil
	}
	known, all := data.outside(-1), l.cluster.outside(-1)
	var listed []netip.Addr
	name := ""
	if own := l.likely(); own >= 0 {
		listed, name = l.cluster.outside(own), l.cluster.members[own].Name
	}
	var what string
	switch {
	case len(known) > 0 && len(listed) > 0 && !slices.Equal(known, listed):
		what = fmt.Sprintf("no interface has %s (%s in the initial cluster) yet, nor %s, where the data knows this member", list(listed), name, list(known))
	case len(known) > 0 && len(listed) == 0:
		what = fmt.Sprintf("no interface has %s yet, where the data knows this member", list(known))
	case len(known) == 0 && l.cluster.ambiguous(), len(all) == 0:
		return nil
	case len(listed) > 0:
		what = fmt.Sprintf("no interface has %s yet (%s in the initial cluster)", list(listed), name)
	case l.req.HasData: // the list may have nothing to do with this machine any more
		return nil
	default:
		what = fmt.Sprintf("no interface has an address of the initial cluster yet (%s)", list(all))
	}
	what += "; found " + l.table.String()
	if l.wait.List != "" {
		what += "; waiting, or correct " + l.wait.List
	}
	if len(known) > 0 && !slices.Equal(known, listed) {
		what += "; or is this a copy of the disk of the machine that has it? (etcd-node explain cloned)"
	}
	return &Pending{Reason: what, Hint: "set ETCD_PEER to this machine's address if it is another one", names: l.cluster.hasNames()}
}

// likely is the entry that goes by this machine's name: what is set, else the
// host name; -1 where none does. It is good enough to say what is waited for.
func (l *look) likely() int {
	if l.req.Name != "" {
		return l.cluster.find(l.req.Name)
	}
	host, err := l.host.Hostname()
	if err != nil {
		return -1
	}
	return slices.IndexFunc(l.cluster.members, func(m Member) bool {
		return strings.EqualFold(m.Name, host) || strings.EqualFold(m.Name, short(host)) ||
			slices.ContainsFunc(m.Hosts, func(h string) bool { return strings.EqualFold(h, host) })
	})
}

// outside are the addresses of one entry, -1 for all entries, that other
// machines can reach, each once. c may be nil.
func (c *cluster) outside(member int) (addrs []netip.Addr) {
	if c == nil {
		return nil
	}
	for _, l := range c.hosts {
		for _, a := range l.addrs {
			if (member < 0 || l.member == member) && !a.IsLoopback() && !slices.Contains(addrs, a) {
				addrs = append(addrs, a)
			}
		}
	}
	return addrs
}

// ambiguous reports whether a name of the list means loopback here: that entry
// may be this machine's, and then no address of the list will ever come.
func (c *cluster) ambiguous() bool {
	return slices.ContainsFunc(c.hosts, func(l listing) bool { return l.loopback })
}

// list names addresses, not too many.
func list(addrs []netip.Addr) string {
	var names []string
	for _, a := range addrs {
		names = append(names, a.String())
	}
	if more := len(names) - maxListed; more > 0 {
		names = append(names[:maxListed], fmt.Sprintf("and %d more", more))
	}
	return strings.Join(names, ", ")
}
