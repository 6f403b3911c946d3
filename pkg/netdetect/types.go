package netdetect

import (
	"context"
	"net/netip"
)

// Address is one address of this machine, as the kernel lists it. An
// interface that has no address at all is listed once, with the zero Addr, so
// that it can be waited for.
type Address struct {
	Addr      netip.Addr // without zone
	Bits      int        // prefix length
	Interface string

	Loopback   bool // the interface is a loopback interface
	Up         bool // the interface is up
	Port       bool // the interface belongs to a bridge, bond or team, which has the address in its stead
	Tentative  bool // duplicate address detection has not finished, or it failed
	Deprecated bool
	Secondary  bool // IFA_F_SECONDARY of an IPv4 address, IFA_F_TEMPORARY of an IPv6 one
}

// Member is one entry of the initial cluster: a name and the host parts of
// its peer URLs (addresses without brackets, or DNS names).
type Member struct {
	Name  string
	Hosts []string
}

// Request is what the configuration already knows when it asks.
type Request struct {
	// Addr is the address the operator set (ETCD_PEER, or the host of the
	// peer URLs). Zero or unspecified (0.0.0.0, ::): find it.
	Addr netip.Addr
	// Interface is ETCD_NODE_INTERFACE; "" means eth0, then the interface of
	// the default route.
	Interface string
	// Name is ETCD_NAME or --name; "": find it.
	Name string
	// Cluster is the initial cluster, in the order given; nil when there is
	// none (discovery).
	Cluster []Member
	// HasData says that the data dir holds a WAL: then membership is what
	// the data says, and neither an address nor a name that is missing in
	// Cluster is a reason to refuse.
	HasData bool
}

// Result is this machine's identity.
type Result struct {
	Addr      netip.Addr
	Interface string // "" where the address was set and is on no interface
	// AddrOrigin says where Addr comes from, to be printed behind the value:
	// "set", "detected from eth0 (etcd-2 in the initial cluster)",
	// "detected from eth0", "detected from ens3 (default route)",
	// "detected from eth1 (ETCD_NODE_INTERFACE)".
	AddrOrigin string

	Name       string // short host name, or the entry's name
	NameOrigin string // "set", "the entry of 192.168.122.5 in the initial cluster", "host name"

	// Member is the entry of Request.Cluster that is this machine; nil when
	// there is none (no cluster list, or HasData and none matches).
	Member *Member

	// Warnings are sentences for the operator that do not stop the start.
	Warnings []string
}

// Host is the machine as netdetect sees it. [System] returns the real one.
type Host struct {
	// Addresses lists all addresses of all interfaces.
	Addresses func() ([]Address, error)
	// DefaultInterface is the interface of the default route (IPv4 first,
	// lowest metric); "" when there is no default route.
	DefaultInterface func() (string, error)
	// Source is the address the kernel would use towards dst.
	Source func(dst netip.Addr) (netip.Addr, error)
	// Lookup resolves a DNS name.
	Lookup func(ctx context.Context, name string) ([]netip.Addr, error)
	// Hostname is the kernel's host name, short or fully qualified.
	Hostname func() (string, error)
	// CanListen reports whether a server could listen on an address now, also on
	// one that is on no interface and that the kernel takes for its own.
	CanListen func(addr netip.Addr) bool
	// Changes delivers a value after the kernel reported a change of links,
	// addresses or routes; the channel is closed when ctx ends. Values
	// coalesce.
	Changes func(ctx context.Context) (<-chan struct{}, error)
}

// Pending is the error of a look that found nothing yet but may: an address
// that is tentative, an interface that is absent, a name that does not resolve.
// Its text is the reason alone, short enough for a status line.
type Pending struct {
	Reason string // "no usable IPv4 address on eth0 yet (is DHCP late?)"
	Found  string // what was found on which interface
	Hint   string // which variable settles it without waiting

	// Unresolved lists the names of the initial cluster that do not resolve
	// yet, when that is what is waited for.
	Unresolved []string

	// names: another answer about a name would help, and no kernel event will
	// report it.
	names bool
}

func (e *Pending) Error() string { return e.Reason }

// Refusal is the error of a look whose answer would be a guess.
type Refusal struct {
	Reason string // what is wrong, in one sentence
	Found  string // what was found on which interface, for the operator to compare
	Hint   string // which variable settles it
}

func (e *Refusal) Error() string {
	return explain(e.Reason, e.Found, e.Hint)
}

func explain(reason, found, hint string) string {
	if found != "" {
		reason += "; found " + found
	}
	if hint != "" {
		reason += "; " + hint
	}
	return reason
}
