package netdetect

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// System returns the real machine, as rtnetlink, the resolver and uname know
// it. Any user may ask; the process must be allowed AF_NETLINK sockets. Its
// funcs may be called concurrently, and keep nothing open between calls.
func System() *Host {
	return &Host{
		Addresses:        addresses,
		DefaultInterface: defaultInterface,
		Source:           source,
		Lookup:           lookup,
		Hostname:         os.Hostname,
		CanListen:        canListen,
		Changes:          changes,
	}
}

// addresses joins the kernel's tables of links and addresses.
func addresses() ([]Address, error) {
	links, err := dump(netlink.LinkList)
	if err != nil {
		return nil, fmt.Errorf("netlink: list interfaces: %w", err)
	}
	addrs, err := dump(func() ([]netlink.Addr, error) { return netlink.AddrList(nil, netlink.FAMILY_ALL) })
	if err != nil {
		return nil, fmt.Errorf("netlink: list addresses: %w", err)
	}
	vrf := map[int]bool{}
	for _, link := range links {
		vrf[link.Attrs().Index] = link.Type() == "vrf"
	}
	var out []Address
	for _, link := range links {
		at := link.Attrs()
		row := Address{
			Interface: at.Name,
			Loopback:  at.Flags&net.FlagLoopback != 0,
			Up:        at.Flags&net.FlagUp != 0,
			// The ports of a VRF, unlike those of a bridge, keep their addresses.
			Port: at.MasterIndex != 0 && !vrf[at.MasterIndex],
		}
		before := len(out)
		for _, a := range addrs {
			addr, ok := fromNet(a.IP)
			if a.LinkIndex != at.Index || !ok {
				continue
			}
			row.Addr = addr
			row.Bits, _ = a.Mask.Size()
			row.Tentative = a.Flags&(unix.IFA_F_TENTATIVE|unix.IFA_F_DADFAILED) != 0
			row.Deprecated = a.Flags&unix.IFA_F_DEPRECATED != 0
			row.Secondary = a.Flags&unix.IFA_F_SECONDARY != 0 // the same bit as IFA_F_TEMPORARY
			out = append(out, row)
		}
		if len(out) == before {
			out = append(out, row)
		}
	}
	return out, nil
}

// dump repeats a dump that a concurrent change made inconsistent. Where the
// tables keep changing, the last dump has to do: each change wakes Wait.
func dump[T any](list func() ([]T, error)) ([]T, error) {
	var all []T
	var err error
	for range 5 {
		if all, err = list(); !errors.Is(err, netlink.ErrDumpInterrupted) {
			return all, err
		}
	}
	return all, nil
}

// defaultInterface asks the main table, IPv4 before IPv6; of several default
// routes the one with the lowest metric counts.
func defaultInterface() (string, error) {
	for _, family := range []int{netlink.FAMILY_V4, netlink.FAMILY_V6} {
		routes, err := dump(func() ([]netlink.Route, error) {
			return netlink.RouteListFiltered(family, &netlink.Route{}, netlink.RT_FILTER_DST)
		})
		if err != nil {
			return "", fmt.Errorf("netlink: list routes: %w", err)
		}
		index, metric := 0, 0
		for _, r := range routes {
			if len(r.MultiPath) > 0 {
				r.LinkIndex = r.MultiPath[0].LinkIndex
			}
			if r.Type != unix.RTN_UNICAST || r.LinkIndex == 0 || index != 0 && r.Priority >= metric {
				continue
			}
			index, metric = r.LinkIndex, r.Priority
		}
		if index == 0 {
			continue
		}
		link, err := netlink.LinkByIndex(index)
		if errors.As(err, new(netlink.LinkNotFoundError)) {
			continue // gone since; its route is too
		}
		if err != nil {
			return "", fmt.Errorf("netlink: interface %d: %w", index, err)
		}
		return link.Attrs().Name, nil
	}
	return "", nil
}

func source(dst netip.Addr) (netip.Addr, error) {
	routes, err := netlink.RouteGet(dst.AsSlice())
	if err != nil {
		return netip.Addr{}, fmt.Errorf("netlink: route to %s: %w", dst, err)
	}
	for _, r := range routes {
		if src, ok := fromNet(r.Src); ok {
			return src, nil
		}
	}
	return netip.Addr{}, fmt.Errorf("netlink: the route to %s has no source address", dst)
}

// lookup asks Go's own resolver, which the static binary has anyway, so that
// a test binary built with cgo sees the same machine.
func lookup(ctx context.Context, name string) ([]netip.Addr, error) {
	return (&net.Resolver{PreferGo: true}).LookupNetIP(ctx, "ip", name)
}

// canListen binds a socket to the address, and sends nothing. Only that the
// address is not this machine's counts.
func canListen(addr netip.Addr) bool {
	c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(addr, 0)))
	if err == nil {
		_ = c.Close() // it was only there to be opened
	}
	return !errors.Is(err, unix.EADDRNOTAVAIL)
}

func fromNet(ip net.IP) (netip.Addr, bool) {
	addr, ok := netip.AddrFromSlice(ip)
	return addr.Unmap(), ok
}

// changes subscribes to links, addresses and routes with one socket. What a
// message says is not read: it means "look again".
func changes(ctx context.Context) (<-chan struct{}, error) {
	s, err := nl.Subscribe(unix.NETLINK_ROUTE, unix.RTNLGRP_LINK,
		unix.RTNLGRP_IPV4_IFADDR, unix.RTNLGRP_IPV6_IFADDR, unix.RTNLGRP_IPV4_ROUTE, unix.RTNLGRP_IPV6_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("netlink: subscribe to changes: %w", err)
	}
	ch := make(chan struct{}, 1)
	context.AfterFunc(ctx, s.Close)
	go func() {
		defer close(ch)
		defer s.Close() // when the socket broke, not ctx
		relay(func() error {
			_, _, err := s.Receive()
			return err
		}, ch)
	}()
	return ch, nil
}

// relay turns messages into changes until receive fails. A full socket buffer
// (ENOBUFS) has lost messages, so that is a change as well.
func relay(receive func() error, ch chan<- struct{}) {
	for {
		if err := receive(); err != nil && !errors.Is(err, unix.ENOBUFS) {
			return
		}
		select {
		case ch <- struct{}{}:
		default: // one is waiting to be received
		}
	}
}
