package netdetect

import (
	"fmt"
	"net/netip"
	"strings"
)

// table is one look at the machine's addresses.
type table []Address

// maxListed bounds what an error prints: a container host has hundreds of
// interfaces, and a status line ends somewhere.
const maxListed = 12

// global says that a is an address and not one for this link or host alone.
// netip's "global unicast" includes the private ranges.
func (a Address) global() bool { return a.Addr.IsValid() && a.Addr.IsGlobalUnicast() }

// defect says why a global address is not usable; "" when it is.
func (a Address) defect() string {
	switch {
	case !a.Up:
		return "interface down"
	case a.Tentative:
		return "tentative"
	case a.Deprecated:
		return "deprecated"
	case a.Secondary && a.Addr.Is6():
		return "temporary"
	case a.Secondary:
		return "secondary"
	case a.Loopback:
		return "on loopback"
	}
	return ""
}

func (a Address) usable() bool { return a.global() && a.defect() == "" }

// bindable says that a server can listen on a: good enough for an address
// that the operator named literally, not for one to be picked.
func (a Address) bindable() bool { return a.global() && a.Up && !a.Tentative }

func (a Address) String() string { return a.Addr.String() + " on " + a.Interface }

// filter returns the addresses that satisfy keep.
func (t table) filter(keep func(Address) bool) table {
	var out table
	for _, a := range t {
		if keep(a) {
			out = append(out, a)
		}
	}
	return out
}

// on returns the rows of one interface.
func (t table) on(iface string) table {
	return t.filter(func(a Address) bool { return a.Interface == iface })
}

// holder returns the row of addr, or for a loopback address that of an
// interface whose prefix covers it (127.0.0.2 is on lo without being listed).
func (t table) holder(addr netip.Addr) (Address, bool) {
	for _, a := range t {
		if a.Addr == addr {
			return a, true
		}
	}
	for _, a := range t {
		if a.Loopback && a.Addr.IsLoopback() && netip.PrefixFrom(a.Addr, a.Bits).Contains(addr) {
			return a, true
		}
	}
	return Address{}, false
}

// String lists the addresses by interface, for the operator to compare:
// "eth0: 192.168.122.5/24 10.0.0.9/32 (secondary), eth1: none". Interfaces
// that have an address come first; loopback and link-local are left out.
func (t table) String() string {
	var some, none, order []string
	text := map[string]string{}
	for _, a := range t {
		if a.Port || a.Loopback && !a.global() {
			continue
		}
		if _, known := text[a.Interface]; !known {
			order = append(order, a.Interface)
			text[a.Interface] = ""
		}
		if !a.global() {
			continue
		}
		text[a.Interface] += fmt.Sprintf(" %s/%d", a.Addr, a.Bits)
		if d := a.defect(); d != "" {
			text[a.Interface] += " (" + d + ")"
		}
	}
	for _, iface := range order {
		if text[iface] != "" {
			some = append(some, iface+":"+text[iface])
		} else {
			none = append(none, iface+": none")
		}
	}
	all := append(some, none...)
	if len(all) == 0 {
		return "no interface but loopback"
	}
	if more := len(all) - maxListed; more > 0 {
		all = append(all[:maxListed], fmt.Sprintf("and %d more", more))
	}
	return strings.Join(all, ", ")
}

// lack says what an interface still lacks; "" when it has a usable address of
// each family asked for (of any, when no family is).
func (t table) lack(iface string, v4, v6 bool) string {
	rows := t.on(iface)
	if len(rows) == 0 {
		return "interface " + iface + " does not exist yet"
	}
	if !rows[0].Up {
		return "interface " + iface + " is down"
	}
	var has4, has6 bool
	for _, a := range rows {
		if a.usable() {
			has4 = has4 || a.Addr.Is4()
			has6 = has6 || a.Addr.Is6()
		}
	}
	family := "IP"
	switch {
	case !v4 && !v6 && (has4 || has6):
		return ""
	case v4 && !has4:
		family = "IPv4"
	case v6 && !has6:
		family = "IPv6"
	case v4 || v6:
		return ""
	}
	why := "is DHCP late?"
	for _, a := range rows {
		if a.global() && a.Tentative && (family == "IP" || a.Addr.Is4() == (family == "IPv4")) {
			why = a.Addr.String() + " is tentative: duplicate address detection is not finished, or failed"
		}
	}
	if rows[0].Port {
		why = "it belongs to a bridge or bond: name that one"
	}
	return fmt.Sprintf("no usable %s address on %s yet (%s)", family, iface, why)
}
