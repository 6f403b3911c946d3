package netdetect

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

func TestNamespaceTables(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	nic(t, "eth0", "192.168.122.5/24", "192.168.122.8/24", "192.168.122.100/32", "2001:db8::5/64")
	must(t, netlink.AddrAdd(link(t, "eth0"), &netlink.Addr{
		IPNet:    &net.IPNet{IP: net.ParseIP("2001:db8::d"), Mask: net.CIDRMask(64, 128)},
		ValidLft: 3600, PreferedLft: 0, // deprecated
	}))
	cable(t, "eth1")
	address(t, "eth1", "10.0.0.5/8")
	nic(t, "eth2")
	add(t, &netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: "br0"}})
	must(t, netlink.LinkSetMaster(link(t, "eth2"), link(t, "br0")))
	settled(t)

	rows, err := System().Addresses()
	must(t, err)
	got := map[string]Address{}
	for _, a := range rows {
		if a.Port != (a.Interface == "eth2") {
			t.Errorf("%s: port %v", a.Interface, a.Port)
		}
		if a.Interface != "eth2" && !a.Addr.IsLinkLocalUnicast() {
			got[a.Interface+" "+a.Addr.String()] = a
		}
	}
	want := map[string]Address{}
	for _, a := range parseRows(t, []string{
		"lo 127.0.0.1/8 loopback", "lo ::1/128 loopback",
		"eth0 192.168.122.5/24", "eth0 192.168.122.8/24 secondary", "eth0 192.168.122.100/32",
		"eth0 2001:db8::5/64", "eth0 2001:db8::d/64 deprecated", "eth1 10.0.0.5/8 down", "br0 - down",
	}) {
		want[a.Interface+" "+a.Addr.String()] = a
	}
	for key, a := range want {
		if got[key] != a {
			t.Errorf("%s: %+v, want %+v", key, got[key], a)
		}
	}
	for key, a := range got {
		if _, ok := want[key]; !ok {
			t.Errorf("unexpected %+v", a)
		}
	}
}

// An interface in a VRF is no port: it has its addresses itself.
func TestNamespaceVRF(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	add(t, &netlink.Vrf{LinkAttrs: netlink.LinkAttrs{Name: "vrf0"}, Table: 10})
	nic(t, "eth0", "192.168.122.5/24")
	must(t, netlink.LinkSetMaster(link(t, "eth0"), link(t, "vrf0")))
	check(t, answer(Find(t.Context(), system("host", nil), Request{})), "host, host name at 192.168.122.5, detected from eth0")
}

// A VIP that keepalived put on eth0 is not marked; IPv6 and a second NIC are there too.
func TestNamespaceVIP(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	nic(t, "eth0", "192.168.122.100/32", "192.168.122.5/24", "2001:db8::5/64")
	nic(t, "eth1", "10.0.0.5/24")
	settled(t)

	check(t, answer(Find(t.Context(), system("etcd-1", nil), Request{Cluster: members(three)})), found5)
	check(t, answer(Find(t.Context(), system("b", nil), Request{Cluster: members("a=2001:db8::4 b=2001:db8::5")})),
		"b, the entry of 2001:db8::5 in the initial cluster at 2001:db8::5, detected from eth0 (b in the initial cluster), entry b")
	check(t, answer(Find(t.Context(), system("b", nil), Request{Cluster: members("a=10.0.0.4 b=10.0.0.5")})),
		"b, the entry of 10.0.0.5 in the initial cluster at 10.0.0.5, detected from eth1 (b in the initial cluster), entry b")

	// Debian's 127.0.1.1 leaves the choice to the kernel's route to a peer.
	names := Request{Cluster: members("etcd-1=one.example etcd-2=two.example")}
	dns := map[string]string{"one.example": "127.0.1.1", "two.example": "192.168.122.6"}
	check(t, answer(Find(t.Context(), system("one", dns), names)),
		"etcd-1, the entry of one.example in the initial cluster at 192.168.122.5, detected from eth0, entry etcd-1")
	dns["two.example"] = "198.51.100.1"
	check(t, answer(Find(t.Context(), system("one", dns), names)),
		"pending: this machine's address can be 192.168.122.100 on eth0 or 192.168.122.5 on eth0, and there is no route yet to etcd-2 (198.51.100.1)")
	check(t, waitReal(t, system("one", dns), names, func(string) {
		defaultRoute(t, "eth0", "0.0.0.0/0", "192.168.122.1", 0)
	}), "etcd-1, the entry of one.example in the initial cluster at 192.168.122.5, detected from eth0, entry etcd-1")

	check(t, answer(Find(t.Context(), system("one", nil), Request{})),
		"refused: this machine's address can be 192.168.122.100 on eth0 or 192.168.122.5 on eth0, and there is no listed peer to ask the kernel about; "+
			"found eth0: 192.168.122.100/32 192.168.122.5/24 2001:db8::5/64, eth1: 10.0.0.5/24; set ETCD_PEER to the right one")
	check(t, answer(Find(t.Context(), system("one", nil), Request{Cluster: members("a=192.168.122.6 b=192.168.122.7")})),
		"refused: none of this machine's addresses is in the initial cluster; "+
			"found eth0: 192.168.122.100/32 192.168.122.5/24 2001:db8::5/64, eth1: 10.0.0.5/24; "+
			"correct ETCD_INITIAL_CLUSTER (or the ETCD_IP_n), or set ETCD_PEER to this machine's address in it")
}

func TestNamespaceDefaultRoute(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	nic(t, "ens3", "192.168.122.5/24")
	nic(t, "ens4", "10.0.0.5/24")
	nic(t, "ens5", "2001:db8::5/64")
	next := func(want string) {
		t.Helper()
		if got, err := System().DefaultInterface(); err != nil || got != want {
			t.Errorf("default interface %q, %v, want %q", got, err, want)
		}
	}
	next("")
	defaultRoute(t, "ens5", "::/0", "2001:db8::1", 0)
	next("ens5")
	defaultRoute(t, "ens4", "0.0.0.0/0", "10.0.0.1", 200)
	next("ens4")
	defaultRoute(t, "ens3", "0.0.0.0/0", "192.168.122.1", 100)
	next("ens3")
	check(t, answer(Find(t.Context(), system("host", nil), Request{})),
		"host, host name at 192.168.122.5, detected from ens3 (default route)")

	must(t, netlink.LinkDel(link(t, "ens3")))
	next("ens4")
	must(t, netlink.LinkDel(link(t, "ens4")))
	must(t, netlink.LinkDel(link(t, "ens5")))
	nic(t, "ens6", "192.0.2.5/24")
	_, all, _ := net.ParseCIDR("0.0.0.0/0")
	must(t, netlink.RouteAdd(&netlink.Route{Dst: all, MultiPath: []*netlink.NexthopInfo{
		{LinkIndex: link(t, "ens6").Attrs().Index, Gw: net.ParseIP("192.0.2.1")},
		{LinkIndex: link(t, "ens6").Attrs().Index, Gw: net.ParseIP("192.0.2.2")},
	}}))
	next("ens6")
}

// The interface appears, comes up and gets its address while Wait waits.
func TestNamespaceLate(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	nic(t, "eth1", "10.0.0.5/24")
	check(t, waitReal(t, system("host", nil), Request{Cluster: members(three), Interface: "eth0"},
		func(string) { cable(t, "eth0")() },
		func(string) { must(t, netlink.LinkSetUp(link(t, "eth0"))) },
		func(string) { address(t, "eth0", "192.168.122.5/24") },
	), found5)

	// Only the route is late.
	must(t, netlink.LinkDel(link(t, "eth0")))
	check(t, waitReal(t, system("host", nil), Request{},
		func(string) { defaultRoute(t, "eth1", "0.0.0.0/0", "10.0.0.1", 0) },
	), "host, host name at 10.0.0.5, detected from eth1 (default route)")
}

// An address on a cable is tentative for a second or two.
func TestNamespaceTentative(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	plug := cable(t, "eth0")
	must(t, netlink.LinkSetUp(link(t, "eth0")))
	a, err := netlink.ParseAddr("2001:db8::5/64")
	must(t, err)
	must(t, netlink.AddrAdd(link(t, "eth0"), a))
	var reason string
	check(t, waitReal(t, system("host", nil), Request{Cluster: members("a=2001:db8::5 b=2001:db8::6")}, func(r string) {
		reason = r
		plug() // only now can anyone be asked
	}), "a, the entry of 2001:db8::5 in the initial cluster at 2001:db8::5, detected from eth0 (a in the initial cluster), entry a")
	check(t, reason, "2001:db8::5 on eth0 (a in the initial cluster) is not usable yet: tentative")
}

// The service user may ask all this.
func TestNamespaceUnprivileged(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	nic(t, "eth0", "192.168.122.100/32", "192.168.122.5/24")
	defaultRoute(t, "eth0", "0.0.0.0/0", "192.168.122.1", 0)
	const nobody = 65534
	must(t, syscall.Setgroups(nil))
	must(t, syscall.Setgid(nobody))
	must(t, syscall.Setuid(nobody))

	host := system("host", nil)
	check(t, waitReal(t, host, Request{Cluster: members(three)}), found5)
	if src, err := host.Source(netip.MustParseAddr("192.168.122.6")); err != nil || src.String() != "192.168.122.5" {
		t.Errorf("source %v, %v", src, err)
	}
	if name, err := host.DefaultInterface(); err != nil || name != "eth0" {
		t.Errorf("default interface %q, %v", name, err)
	}
}

func TestNamespaceWithoutNameServer(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	_, err := Find(t.Context(), System(), Request{Cluster: members("a=one.invalid b=two.invalid")})
	var pending *Pending
	if !errors.As(err, &pending) || len(pending.Unresolved) != 2 {
		t.Errorf("%v, want it to wait for two names", err)
	}
}

// Every kind of change is reported, and a subscription leaves nothing behind.
func TestNamespaceChanges(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	// On lo a change comes alone: no carrier, no neighbour, no prefix route.
	l := link(t, "lo")
	v4 := &netlink.Addr{IPNet: netlink.NewIPNet(net.ParseIP("10.1.1.1"))}
	v6 := &netlink.Addr{IPNet: netlink.NewIPNet(net.ParseIP("2001:db8::1")), Flags: unix.IFA_F_NOPREFIXROUTE}
	must(t, netlink.AddrAdd(l, v4))
	must(t, netlink.AddrAdd(l, v6))
	settled(t)
	route := func(cidr string) error {
		_, dst, _ := net.ParseCIDR(cidr)
		return netlink.RouteAdd(&netlink.Route{LinkIndex: l.Attrs().Index, Dst: dst})
	}
	deprecate := func(a *netlink.Addr) error {
		a.ValidLft = 3600
		return netlink.AddrReplace(l, a)
	}
	before := descriptors(t)
	for name, change := range map[string]func() error{
		"new link":           func() error { return netlink.LinkAdd(&netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: "br0"}}) },
		"IPv4 address flags": func() error { return deprecate(v4) },
		"IPv6 address flags": func() error { return deprecate(v6) },
		"IPv4 route":         func() error { return route("198.51.100.0/24") },
		"IPv6 route":         func() error { return route("2001:db8:1::/64") },
	} {
		ctx, cancel := context.WithCancel(t.Context())
		changes, err := System().Changes(ctx)
		must(t, err)
		must(t, change())
		select {
		case <-changes:
		case <-time.After(10 * time.Second):
			t.Errorf("%s: not reported", name)
		}
		cancel()
		for range changes {
		}
	}
	deadline := time.Now().Add(10 * time.Second) // the last close may still be under way
	for descriptors(t) > before && time.Now().Before(deadline) {
		time.Sleep(10 * time.Millisecond)
	}
	if after := descriptors(t); after > before {
		t.Errorf("%d descriptors, before %d", after, before)
	}
}

func descriptors(t *testing.T) int {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	must(t, err)
	return len(all)
}

// Messages that nobody took in time coalesce, and lost ones count.
func TestRelay(t *testing.T) {
	for _, results := range [][]error{{nil, nil, os.ErrClosed}, {unix.ENOBUFS, os.ErrClosed}} {
		ch := make(chan struct{}, 1)
		n := 0
		relay(func() error {
			n++
			return results[n-1]
		}, ch)
		if len(ch) != 1 || n != len(results) {
			t.Errorf("%v: %d changes after %d messages, want 1 after all", results, len(ch), n)
		}
	}
}

// A dump that a change upset is repeated, but not for ever.
func TestDump(t *testing.T) {
	for _, upset := range []int{0, 2, 100} {
		n := 0
		all, err := dump(func() ([]int, error) {
			n++
			if n <= upset {
				return []int{n}, netlink.ErrDumpInterrupted
			}
			return []int{n}, nil
		})
		if want := min(upset+1, 5); err != nil || len(all) != 1 || all[0] != want {
			t.Errorf("upset %d times: %v, %v, want the result of try %d", upset, all, err, want)
		}
	}
	if _, err := dump(func() ([]int, error) { return nil, unix.EPERM }); !errors.Is(err, unix.EPERM) {
		t.Errorf("error %v", err)
	}
}

// The resolver and the host name need no namespace.
func TestSystemNames(t *testing.T) {
	addrs, err := System().Lookup(t.Context(), "localhost")
	if err != nil || len(addrs) == 0 || !addrs[0].IsLoopback() {
		t.Errorf("localhost: %v, %v", addrs, err)
	}
	want, _ := os.Hostname()
	if name, err := System().Hostname(); err != nil || name != want {
		t.Errorf("host name %q, %v", name, err)
	}
}

// Input 4 of the reports on the real tables: the listed address comes with an
// interface of its own, and the kernel's report is enough.
func TestNamespaceAbsent(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	nic(t, "eth0", "192.168.122.5/24")
	settled(t)
	got := waitReal(t, system("etcd-1", nil), Request{Cluster: members(wireguard)}, func(string) { nic(t, "wg0", "10.9.0.1/24") })
	check(t, got, "etcd-1, the entry of 10.9.0.1 in the initial cluster at 10.9.0.1, detected from wg0 (etcd-1 in the initial cluster), entry etcd-1")
}

// Input 5: the default route leads over eth0, and the members are on eth1.
func TestNamespacePeers(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	nic(t, "eth0", "10.0.2.15/24")
	nic(t, "eth1", "192.168.122.5/24")
	defaultRoute(t, "eth0", "0.0.0.0/0", "10.0.2.2", 0)
	settled(t)
	host := system("etcd-1", map[string]string{"etcd-1": "127.0.1.1", "etcd-2": "192.168.122.6", "etcd-3": "192.168.122.7"})
	check(t, answer(Find(t.Context(), host, Request{Cluster: members("etcd-1=etcd-1 etcd-2=etcd-2 etcd-3=etcd-3")})),
		"etcd-1, the entry of etcd-1 in the initial cluster at 192.168.122.5, detected from eth1 (the source address towards etcd-2 (192.168.122.6)), entry etcd-1")
}
