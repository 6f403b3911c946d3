package netdetect

import (
	"context"
	"fmt"
	"strings"
)

// dataCounts ends the warnings that would be refusals without data.
const dataCounts = "the data dir holds a member, and what it says counts"

// missing is called when no address of this machine stands in the cluster
// list. It takes the one that the data knows, waits, refuses, or, when the data
// dir outranks the list, warns.
func (l *look) missing(ctx context.Context) (p place, known bool, err error) {
	data, err := l.dataHosts(ctx)
	if err != nil {
		return place{}, false, err
	}
	if p, known = l.byData(data); known {
		l.warn("%s; %s", l.stale(), dataCounts)
		return p, true, nil
	}
	if err := l.pendDNS(); err != nil {
		return place{}, false, err
	}
	if what := l.awaited(); what != "" && l.patient {
		if len(l.table.filter(Address.usable)) > 0 {
			what += "; what is there is not in the initial cluster"
		}
		return place{}, false, l.pend("%s", what)
	}
	if err := l.absent(data); err != nil {
		return place{}, false, err
	}
	if l.req.HasData {
		l.warn("%s; %s", l.stale(), dataCounts)
		return place{}, false, nil
	}
	return place{}, false, l.refuse("correct ETCD_INITIAL_CLUSTER (or the ETCD_IP_n), or set ETCD_PEER to this machine's address in it", "%s", l.stale())
}

// stale says in what the list and this machine differ.
func (l *look) stale() string {
	what := "none of this machine's addresses is in the initial cluster"
	if l.req.Addr.IsValid() {
		what = fmt.Sprintf("the address %s is set, but is not in the initial cluster", l.req.Addr)
	}
	if _, why := l.cluster.unresolved(); len(why) > 0 {
		what += fmt.Sprintf(", of which these names do not resolve: %s", strings.Join(why, ", "))
	} else if i := l.cluster.find(l.req.Name); i >= 0 {
		what += fmt.Sprintf(", where %s is %s", l.req.Name, strings.Join(l.cluster.members[i].Hosts, ", "))
	}
	return what
}

// awaited says which address is still outstanding: one that stands in the list,
// or might once it is there; "" for none.
func (l *look) awaited() string {
	if l.req.Addr.IsValid() {
		return ""
	}
	// Listed, on this machine, but tentative or on an interface that is down.
	if m := l.cluster.matches(l.table.filter(Address.global)); len(m) > 0 {
		return fmt.Sprintf("%s (%s in the initial cluster) is not usable yet: %s",
			m[0].Address, l.entry(m[0]), m[0].defect())
	}
	v4, v6 := l.families()
	if rows := l.table.on(l.req.Interface); l.req.Interface != "" && (len(rows) == 0 || !rows[0].Loopback) {
		return l.table.lack(l.req.Interface, v4, v6)
	}
	var first string
	for _, a := range l.table {
		if a.Loopback || a.Port || !a.Up && a.Interface != "eth0" {
			continue
		}
		if what := l.table.lack(a.Interface, v4, v6); what != "" && (first == "" || a.Interface == "eth0") {
			first = what
		}
	}
	if first == "" && len(l.table.filter(Address.usable)) == 0 {
		return "no interface with a usable address yet"
	}
	return first
}

// pendDNS is the error of a look that cannot go on without the names that do
// not resolve; nil when all of them do, or when nothing waits for them.
func (l *look) pendDNS() error {
	names, why := l.cluster.unresolved()
	if len(names) == 0 || !l.patient {
		return nil
	}
	return &Pending{
		Reason:     fmt.Sprintf("waiting for DNS: cannot resolve %s of the initial cluster", strings.Join(why, ", ")),
		Found:      l.table.String(),
		Hint:       "set ETCD_PEER and ETCD_NAME, or list addresses instead of names",
		Unresolved: names,
		names:      true,
	}
}
