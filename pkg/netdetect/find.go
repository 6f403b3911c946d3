package netdetect

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"syscall"
)

// Find takes one look at the machine and returns its identity.
//
// It fails with a [*Pending] when the answer may still come, with a
// [*Refusal] when any answer would be a guess, with ctx's error when ctx
// ends, and otherwise with what the machine's tables answered. It takes as
// long as DNS does, 5 s at most, and milliseconds when no name is needed.
func Find(ctx context.Context, host *Host, req Request) (Result, error) {
	return find(ctx, host, req, Patience{}, false)
}

// find is Find, with what a wait knows. With data, which outranks the cluster
// list, the looks after its limit no longer wait for what the list lacks.
func find(ctx context.Context, host *Host, req Request, p Patience, last bool) (Result, error) {
	l := &look{host: host, req: req, wait: p, patient: !last || !req.HasData, cluster: newCluster(req.Cluster)}
	l.req.Addr = plain(req.Addr)
	if l.req.Addr.IsUnspecified() {
		l.req.Addr = netip.Addr{}
	}
	rows, err := host.Addresses()
	switch {
	case err == nil:
		l.table = rows
	case !l.req.Addr.IsValid():
		return Result{}, fmt.Errorf("list addresses: %w%s", err, hintFor(err))
	default: // the answer is known, only its interface is not
		l.warn("cannot list the addresses of this machine: %v%s", err, hintFor(err))
	}
	found, err := l.place(ctx)
	if err != nil {
		return Result{}, err
	}
	return l.identify(found)
}

// hintFor names the cause of an error that a unit's hardening can make.
func hintFor(err error) string {
	if errors.Is(err, syscall.EAFNOSUPPORT) {
		return " (RestrictAddressFamilies= of the unit must allow AF_NETLINK)"
	}
	return ""
}

// look is the state of one Find.
type look struct {
	host     *Host
	req      Request
	wait     Patience
	patient  bool // wait for what the cluster list lacks
	table    table
	cluster  *cluster
	warnings []string
}

// place is where this machine is: its address and its entry.
type place struct {
	Address
	origin string
	member int    // index in the cluster list, -1: none
	host   string // as the cluster list names the address, "" when it does not
}

func (l *look) warn(format string, args ...any) {
	l.warnings = append(l.warnings, fmt.Sprintf(format, args...))
}

func (l *look) refuse(hint, format string, args ...any) error {
	return &Refusal{Reason: fmt.Sprintf(format, args...), Found: l.table.String(), Hint: hint}
}

func (l *look) pend(format string, args ...any) error {
	p := &Pending{Reason: fmt.Sprintf(format, args...), Found: l.table.String()}
	if !l.req.Addr.IsValid() {
		p.Hint = "set ETCD_PEER to this machine's address, or ETCD_NODE_INTERFACE"
	}
	return p
}

// place finds the address and the entry; doc.go has the order.
func (l *look) place(ctx context.Context) (place, error) {
	if l.req.Addr.IsValid() && l.set().Tentative {
		return place{}, l.pend("%s is tentative: duplicate address detection is not finished, or failed", l.set())
	}
	m := l.matches()
	if len(m) == 0 && l.cluster.hasNames() {
		if err := l.cluster.resolve(ctx, l.host.Lookup); err != nil {
			return place{}, fmt.Errorf("resolve the initial cluster: %w", err)
		}
		m = l.matches()
	}
	if len(m) > 0 {
		return l.settle(m)
	}
	own, err := l.ownEntry()
	if err != nil {
		return place{}, err
	}
	if own < 0 && len(l.req.Cluster) > 0 {
		p, known, err := l.missing(ctx)
		if known || err != nil {
			return p, err
		}
	}
	p := place{Address: l.set(), origin: "set"}
	if !l.req.Addr.IsValid() {
		if p, err = l.byMachine(own >= 0); err != nil {
			return place{}, err
		}
	}
	p.member = own
	return p, nil
}

// byMachine is step 3 of doc.go, where neither what is set nor the list says
// which address it is. named: the list has an entry that goes by this machine's
// name.
func (l *look) byMachine(named bool) (place, error) {
	p, err := l.byInterface()
	if err != nil || l.req.Interface != "" {
		return p, err
	}
	return l.byPeers(p, named)
}

// set is the address that the operator set, with its interface if it has one.
func (l *look) set() Address {
	a, ok := l.table.holder(l.req.Addr)
	if !ok {
		return Address{Addr: l.req.Addr}
	}
	a.Addr = l.req.Addr
	return a
}
