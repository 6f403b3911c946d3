package netdetect

import (
	"context"
	"errors"
	"net/netip"
	"testing"
)

// The order of the sources, and which addresses count.
func TestFindAddress(t *testing.T) {
	runLooks(t, []lookRow{
		{
			name:    "what is set comes before everything",
			machine: machine{rows: []string{lo, eth0, "eth1 10.0.0.5/24"}},
			req:     Request{Addr: addr("10.0.0.5"), Interface: "eth0"},
			want:    "host, host name at 10.0.0.5, set",
		}, {
			name:    "set and on no interface: NAT, or a mistake",
			machine: machine{rows: []string{lo, eth0}},
			req:     Request{Addr: addr("203.0.113.5")},
			want: "host, host name at 203.0.113.5, set\n" +
				"warning: 203.0.113.5 is set, but is on no interface of this machine now (eth0: 192.168.122.5/24)",
		}, {
			name:    "an unspecified address is not an address",
			machine: machine{rows: []string{lo, eth0}},
			req:     Request{Addr: addr("0.0.0.0")},
			want:    "host, host name at 192.168.122.5, detected from eth0",
		}, {
			name:    "set in the spelling of the other family",
			machine: machine{rows: []string{lo, eth0}},
			req:     Request{Addr: addr("::ffff:192.168.122.5"), Cluster: members(three)},
			want:    "etcd-1, the entry of 192.168.122.5 in the initial cluster at 192.168.122.5, set, entry etcd-1",
		}, {
			name:    "the address in the cluster list",
			machine: machine{rows: []string{lo, eth0, "eth1 10.0.0.5/24"}},
			req:     Request{Cluster: members("etcd-1=10.0.0.5 etcd-2=10.0.0.6")},
			want:    "etcd-1, the entry of 10.0.0.5 in the initial cluster at 10.0.0.5, detected from eth1 (etcd-1 in the initial cluster), entry etcd-1",
		}, {
			name:    "the cluster list comes before the named interface, with a word",
			machine: machine{rows: []string{lo, eth0, "eth1 10.0.0.5/24"}},
			req:     Request{Cluster: members("etcd-1=10.0.0.5 etcd-2=10.0.0.6"), Interface: "eth0"},
			want: "etcd-1, the entry of 10.0.0.5 in the initial cluster at 10.0.0.5, detected from eth1 (etcd-1 in the initial cluster), entry etcd-1\n" +
				"warning: ETCD_NODE_INTERFACE is eth0, but the address that stands in the initial cluster is 10.0.0.5 on eth1",
		}, {
			name:    "the cluster list decides between an address and its VIP",
			machine: machine{rows: []string{lo, vip, eth0}},
			req:     Request{Cluster: members(three)},
			want:    "etcd-1, the entry of 192.168.122.5 in the initial cluster at 192.168.122.5, detected from eth0 (etcd-1 in the initial cluster), entry etcd-1",
		}, {
			name:    "IPv6 in the cluster list",
			machine: machine{rows: []string{lo, eth0, "eth0 2001:db8::5/64", "eth0 fe80::5/64"}},
			req:     Request{Cluster: members("a=2001:db8::5 b=2001:db8::6")},
			want:    "a, the entry of 2001:db8::5 in the initial cluster at 2001:db8::5, detected from eth0 (a in the initial cluster), entry a",
		}, {
			name:    "one entry with two peer URLs: the first",
			machine: machine{rows: []string{lo, eth0, "eth1 10.0.0.5/24"}},
			req:     Request{Cluster: members("etcd-1=10.0.0.5,192.168.122.5 etcd-2=10.0.0.6")},
			want:    "etcd-1, the entry of 10.0.0.5 in the initial cluster at 10.0.0.5, detected from eth1 (etcd-1 in the initial cluster), entry etcd-1",
		}, {
			name:    "a secondary address is used when the cluster list names it",
			machine: machine{rows: []string{lo, eth0, "eth0 192.168.122.6/24 secondary"}},
			req:     Request{Cluster: members("a=192.168.122.6 b=192.168.122.7")},
			want: "a, the entry of 192.168.122.6 in the initial cluster at 192.168.122.6, detected from eth0 (a in the initial cluster), entry a\n" +
				"warning: 192.168.122.6 on eth0 is secondary; it is used because it stands in the initial cluster",
		}, {
			name:    "but not when a primary one is listed as well",
			machine: machine{rows: []string{lo, "eth0 192.168.122.6/24 secondary", eth0}},
			req:     Request{Cluster: members(three)},
			want:    "etcd-1, the entry of 192.168.122.5 in the initial cluster at 192.168.122.5, detected from eth0 (etcd-1 in the initial cluster), entry etcd-1",
		}, {
			name:    "a routed host has its address on lo",
			machine: machine{rows: []string{lo, "lo 10.1.1.1/32 loopback", "eth0 10.0.0.5/31"}},
			req:     Request{Cluster: members("a=10.1.1.1 b=10.1.1.2")},
			want: "a, the entry of 10.1.1.1 in the initial cluster at 10.1.1.1, detected from lo (a in the initial cluster), entry a\n" +
				"warning: 10.1.1.1 on lo is on loopback; it is used because it stands in the initial cluster",
		}, {
			name:    "the named interface",
			machine: machine{rows: []string{lo, eth0, "eth1 10.0.0.5/24"}, route: "eth0"},
			req:     Request{Interface: "eth1"},
			want:    "host, host name at 10.0.0.5, detected from eth1 (ETCD_NODE_INTERFACE)",
		}, {
			name:    "eth0 before the default route",
			machine: machine{rows: []string{lo, "ens3 10.0.0.5/24", eth0}, route: "ens3"},
			want:    "host, host name at 192.168.122.5, detected from eth0",
		}, {
			name:    "the interface of the default route",
			machine: machine{rows: []string{lo, "docker0 172.17.0.1/16", "ens3 10.0.0.5/24"}, route: "ens3"},
			want:    "host, host name at 10.0.0.5, detected from ens3 (default route)",
		}, {
			name:    "an eth0 in a bridge is not asked, the bridge is",
			machine: machine{rows: []string{lo, "eth0 - port", "br0 10.0.0.5/24"}, route: "br0"},
			want:    "host, host name at 10.0.0.5, detected from br0 (default route)",
		}, {
			name:    "an eth0 that is down is not in use",
			machine: machine{rows: []string{lo, "eth0 - down", "ens3 10.0.0.5/24"}, route: "ens3"},
			want:    "host, host name at 10.0.0.5, detected from ens3 (default route)",
		}, {
			name: "only usable addresses count",
			machine: machine{rows: []string{lo, "eth0 192.168.122.9/24 deprecated", "eth0 169.254.3.4/16",
				"eth0 192.168.122.8/24 secondary", "eth0 192.168.122.4/24 tentative", eth0}},
			want: "host, host name at 192.168.122.5, detected from eth0",
		}, {
			name:    "IPv4 before IPv6",
			machine: machine{rows: []string{lo, "eth0 2001:db8::5/64", eth0}},
			want:    "host, host name at 192.168.122.5, detected from eth0",
		}, {
			name:    "IPv6 where there is no IPv4, and the stable address of it",
			machine: machine{rows: []string{lo, "eth0 fe80::5/64", "eth0 2001:db8::aaaa/64 secondary", "eth0 2001:db8::5/64"}},
			want:    "host, host name at 2001:db8::5, detected from eth0",
		}, {
			name:    "IPv6 before IPv4 where the cluster lists only IPv6",
			machine: machine{rows: []string{lo, eth0, "eth0 2001:db8::5/64"}},
			req:     Request{HasData: true, Cluster: members("a=2001:db8::6 b=2001:db8::7")},
			want: "host, host name at 2001:db8::5, detected from eth0\n" +
				"warning: none of this machine's addresses is in the initial cluster; the data dir holds a member, and what it says counts",
		},
	})
}

// The cluster list by name.
func TestFindByDNS(t *testing.T) {
	names := "etcd-1=one.example etcd-2=two.example etcd-3=three.example"
	dns := map[string]string{"one.example": "192.168.122.5", "two.example": "192.168.122.6", "three.example": "192.168.122.7"}
	late := map[string]string{"two.example": "192.168.122.6", "three.example": "timeout"}
	debian := map[string]string{"one.example": "127.0.1.1", "two.example": "192.168.122.6", "three.example": "192.168.122.7"}

	runLooks(t, []lookRow{
		{
			name:    "resolved",
			machine: machine{rows: []string{lo, "eth0 10.0.0.5/24", "eth1 192.168.122.5/24"}, dns: dns},
			req:     Request{Cluster: members(names)},
			want: "etcd-1, the entry of one.example (192.168.122.5) in the initial cluster at 192.168.122.5, " +
				"detected from eth1 (etcd-1 in the initial cluster), entry etcd-1",
		}, {
			name:    "a match needs no answer about the others: one dead machine must not keep this one down",
			machine: machine{rows: []string{lo, "eth0 192.168.122.6/24"}, dns: late},
			req:     Request{Cluster: members(names)},
			want: "etcd-2, the entry of two.example (192.168.122.6) in the initial cluster at 192.168.122.6, " +
				"detected from eth0 (etcd-2 in the initial cluster), entry etcd-2",
		}, {
			name:    "unresolved: wait",
			machine: machine{rows: []string{lo, eth0}, dns: late},
			req:     Request{Cluster: members(names)},
			want:    "pending: waiting for DNS: cannot resolve one.example (no such name), three.example (no answer in time) of the initial cluster",
		}, {
			name:    "unresolved, but nothing is left to ask: address and name are set",
			machine: machine{rows: []string{lo, eth0}, dns: late},
			req:     Request{Cluster: members(names), Addr: addr("192.168.122.5"), Name: "etcd-1"},
			want:    "etcd-1, set at 192.168.122.5, set, entry etcd-1",
		}, {
			name: "the host name on 127.0.1.1 says which entry, the interface says the address",
			machine: machine{rows: []string{lo, "docker0 172.17.0.1/16", eth0}, dns: debian, hostname: "one",
				source: map[string]string{"192.168.122.6": "192.168.122.5", "192.168.122.7": "192.168.122.5"}},
			req: Request{Cluster: members(names)},
			want: "etcd-1, the entry of one.example in the initial cluster at 192.168.122.5, " +
				"detected from eth0, entry etcd-1",
		}, {
			name:    "so does a name that is set",
			machine: machine{rows: []string{lo, eth0}, dns: debian},
			req:     Request{Cluster: members(names), Name: "etcd-1"},
			want:    "etcd-1, set at 192.168.122.5, detected from eth0, entry etcd-1",
		}, {
			name:    "127.0.1.1 is no address",
			machine: machine{rows: []string{lo, "lo 127.0.1.1/8 loopback", eth0}, dns: debian, hostname: "one"},
			req:     Request{Cluster: members(names)},
			want:    "etcd-1, the entry of one.example in the initial cluster at 192.168.122.5, detected from eth0, entry etcd-1",
		}, {
			name:    "127.0.1.1 beside the real address is ignored",
			machine: machine{rows: []string{lo, eth0}, dns: map[string]string{"one.example": "127.0.1.1 192.168.122.5"}},
			req:     Request{Cluster: members("etcd-1=one.example")},
			want: "etcd-1, the entry of one.example (192.168.122.5) in the initial cluster at 192.168.122.5, " +
				"detected from eth0 (etcd-1 in the initial cluster), entry etcd-1",
		}, {
			name:    "a name of someone else on loopback says nothing",
			machine: machine{rows: []string{lo, eth0}, dns: debian},
			req:     Request{Cluster: members(names)},
			want: "refused: none of this machine's addresses is in the initial cluster; found eth0: 192.168.122.5/24; " +
				"correct ETCD_INITIAL_CLUSTER (or the ETCD_IP_n), or set ETCD_PEER to this machine's address in it",
		}, {
			name:    "A and AAAA of the same machine: IPv4",
			machine: machine{rows: []string{lo, eth0, "eth0 2001:db8::5/64"}, dns: map[string]string{"one.example": "2001:db8::5 192.168.122.5"}},
			req:     Request{Cluster: members("etcd-1=one.example")},
			want: "etcd-1, the entry of one.example (192.168.122.5) in the initial cluster at 192.168.122.5, " +
				"detected from eth0 (etcd-1 in the initial cluster), entry etcd-1",
		}, {
			name: "two A records on two interfaces: the one the kernel uses towards a peer",
			machine: machine{rows: []string{lo, eth0, "eth1 10.0.0.5/24"},
				dns:    map[string]string{"one.example": "192.168.122.5 10.0.0.5", "two.example": "10.0.0.6"},
				source: map[string]string{"10.0.0.6": "10.0.0.5"}},
			req: Request{Cluster: members("etcd-1=one.example etcd-2=two.example")},
			want: "etcd-1, the entry of one.example (10.0.0.5) in the initial cluster at 10.0.0.5, " +
				"detected from eth1 (etcd-1 in the initial cluster), entry etcd-1",
		}, {
			name: "or the named interface",
			machine: machine{rows: []string{lo, eth0, "eth1 10.0.0.5/24"},
				dns: map[string]string{"one.example": "192.168.122.5 10.0.0.5"}},
			req: Request{Cluster: members("etcd-1=one.example"), Interface: "eth1"},
			want: "etcd-1, the entry of one.example (10.0.0.5) in the initial cluster at 10.0.0.5, " +
				"detected from eth1 (etcd-1 in the initial cluster), entry etcd-1",
		},
	})
}

// An address in the list needs no name server: it may be down, or be late.
func TestFindByAddressAsksNoNames(t *testing.T) {
	host := machine{rows: []string{lo, eth0}}.host(t)
	host.Lookup = func(_ context.Context, name string) ([]netip.Addr, error) {
		t.Errorf("looked up %s", name)
		return nil, errors.New("down")
	}
	check(t, answer(Find(t.Context(), host, Request{Cluster: members("etcd-1=192.168.122.5 etcd-2=two.example")})), found5)
}
