package netdetect

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"syscall"
	"testing"
)

// Not in the list: what is waited for, what is refused, what data outranks.
func TestFindMissing(t *testing.T) {
	const refused = "refused: none of this machine's addresses is in the initial cluster"
	const hint = "; correct ETCD_INITIAL_CLUSTER (or the ETCD_IP_n), or set ETCD_PEER to this machine's address in it"
	const stale = "\nwarning: none of this machine's addresses is in the initial cluster; the data dir holds a member, and what it says counts"

	runLooks(t, []lookRow{
		{
			name:    "everything is there, nothing fits",
			machine: machine{rows: []string{lo, "eth0 192.168.122.9/24", "eth0 fe80::9/64", "eth1 10.0.0.9/24", "br0 - down"}},
			req:     Request{Cluster: members(three)},
			want:    refused + "; found eth0: 192.168.122.9/24, eth1: 10.0.0.9/24, br0: none" + hint,
		}, {
			name:    "a name that is set says what was expected",
			machine: machine{rows: []string{lo, "eth0 192.168.122.9/24"}},
			req:     Request{Cluster: members(three), Name: "etcd-2"},
			want:    refused + ", where etcd-2 is 192.168.122.6; found eth0: 192.168.122.9/24" + hint,
		}, {
			name:    "an address that is set and not in the list",
			machine: machine{rows: []string{lo, eth0}},
			req:     Request{Cluster: members("a=192.168.122.6 b=192.168.122.7"), Addr: addr("192.168.122.5")},
			want:    "refused: the address 192.168.122.5 is set, but is not in the initial cluster; found eth0: 192.168.122.5/24" + hint,
		}, {
			name:    "the same with data",
			machine: machine{rows: []string{lo, eth0}},
			req:     Request{Cluster: members("a=192.168.122.6 b=192.168.122.7"), Addr: addr("192.168.122.5"), HasData: true},
			want: "host, host name at 192.168.122.5, set\nwarning: the address 192.168.122.5 is set, but is not in the initial cluster; " +
				"the data dir holds a member, and what it says counts",
		}, {
			name:    "eth0 has no address yet",
			machine: machine{rows: []string{lo, "eth0 fe80::5/64"}},
			req:     Request{Cluster: members(three)},
			want:    "pending: no usable IPv4 address on eth0 yet (is DHCP late?)",
		}, {
			name:    "eth0 is late, the second interface is not",
			machine: machine{rows: []string{lo, "eth1 10.0.0.5/24", "eth0 -"}},
			req:     Request{Cluster: members(three)},
			want:    "pending: no usable IPv4 address on eth0 yet (is DHCP late?); what is there is not in the initial cluster",
		}, {
			name:    "of two late ones eth0 is named",
			machine: machine{rows: []string{lo, "eth1 -", "eth0 -", "eth2 -"}},
			req:     Request{Cluster: members(three)},
			want:    "pending: no usable IPv4 address on eth0 yet (is DHCP late?)",
		}, {
			name:    "the second interface is late",
			machine: machine{rows: []string{lo, eth0, "eth1 -"}},
			req:     Request{Cluster: members("a=10.0.0.5 b=10.0.0.6")},
			want:    "pending: no usable IPv4 address on eth1 yet (is DHCP late?); what is there is not in the initial cluster",
		}, {
			name:    "the second interface is down, or in a bridge: nothing comes",
			machine: machine{rows: []string{lo, eth0, "eth1 - down", "veth1 - port"}},
			req:     Request{Cluster: members("a=10.0.0.5 b=10.0.0.6")},
			want:    refused + "; found eth0: 192.168.122.5/24, eth1: none" + hint,
		}, {
			name:    "an eth0 that is down may come up",
			machine: machine{rows: []string{lo, "eth0 - down", "eth1 10.0.0.5/24"}},
			req:     Request{Cluster: members(three)},
			want:    "pending: interface eth0 is down; what is there is not in the initial cluster",
		}, {
			name:    "the family that the cluster lists is late",
			machine: machine{rows: []string{lo, eth0}},
			req:     Request{Cluster: members("a=2001:db8::5 b=2001:db8::6")},
			want:    "pending: no usable IPv6 address on eth0 yet (is DHCP late?); what is there is not in the initial cluster",
		}, {
			name:    "IPv6 was faster than DHCP",
			machine: machine{rows: []string{lo, "eth0 2001:db8::5/64"}},
			req:     Request{Cluster: members(three)},
			want:    "pending: no usable IPv4 address on eth0 yet (is DHCP late?); what is there is not in the initial cluster",
		}, {
			name:    "only the named interface is waited for",
			machine: machine{rows: []string{lo, "eth0 -", "eth1 10.0.0.9/24"}},
			req:     Request{Cluster: members(three), Interface: "eth1"},
			want:    refused + "; found eth1: 10.0.0.9/24, eth0: none" + hint,
		}, {
			name:    "the named interface is not there yet",
			machine: machine{rows: []string{lo, eth0}},
			req:     Request{Cluster: members("a=10.0.0.5 b=10.0.0.6"), Interface: "bond0"},
			want:    "pending: interface bond0 does not exist yet; what is there is not in the initial cluster",
		}, {
			name:    "listed and tentative",
			machine: machine{rows: []string{lo, "eth0 2001:db8::9/64", "eth0 2001:db8::5/64 tentative"}},
			req:     Request{Cluster: members("a=2001:db8::5 b=2001:db8::6")},
			want:    "pending: 2001:db8::5 on eth0 (a in the initial cluster) is not usable yet: tentative; what is there is not in the initial cluster",
		}, {
			name:    "set and tentative",
			machine: machine{rows: []string{lo, "eth0 2001:db8::5/64 tentative"}},
			req:     Request{Addr: addr("2001:db8::5")},
			want:    "pending: 2001:db8::5 on eth0 is tentative: duplicate address detection is not finished, or failed",
		}, {
			name:    "listed and on an interface that is down",
			machine: machine{rows: []string{lo, "eth1 192.168.122.5/24 down", "eth0 10.0.0.1/24"}},
			req:     Request{Cluster: members(three)},
			want:    "pending: 192.168.122.5 on eth1 (etcd-1 in the initial cluster) is not usable yet: interface down; what is there is not in the initial cluster",
		}, {
			name:    "no network at all yet",
			machine: machine{rows: []string{lo}},
			req:     Request{Cluster: members(three)},
			want:    "pending: no interface with a usable address yet",
		}, {
			name:    "no cluster list, no network",
			machine: machine{rows: []string{lo, "ens3 -"}},
			want:    "pending: there is no eth0, and no default route yet that would name another interface",
		}, {
			name:    "no cluster list, the interface of the default route has no address",
			machine: machine{rows: []string{lo, "ens3 -"}, route: "ens3"},
			want:    "pending: no usable IP address on ens3 yet (is DHCP late?)",
		}, {
			name:    "no cluster list, named interface absent",
			machine: machine{rows: []string{lo, eth0}},
			req:     Request{Interface: "eth9"},
			want:    "pending: interface eth9 does not exist yet",
		}, {
			name:    "no cluster list, named interface is a port",
			machine: machine{rows: []string{lo, "eth0 - port", "br0 10.0.0.5/24"}},
			req:     Request{Interface: "eth0"},
			want:    "pending: no usable IP address on eth0 yet (it belongs to a bridge or bond: name that one)",
		}, {
			name:    "no cluster list, tentative",
			machine: machine{rows: []string{lo, "eth0 2001:db8::5/64 tentative"}},
			want:    "pending: no usable IP address on eth0 yet (2001:db8::5 is tentative: duplicate address detection is not finished, or failed)",
		}, {
			name:    "with data a stale list is a warning",
			machine: machine{rows: []string{lo, "eth0 192.168.122.9/24"}, hostname: "etcd-9.example"},
			req:     Request{Cluster: members(three), HasData: true},
			want:    "etcd-9, host name at 192.168.122.9, detected from eth0" + stale,
		}, {
			name:    "but what may still come is waited for",
			machine: machine{rows: []string{lo, "eth0 10.0.0.9/24", "eth1 -"}},
			req:     Request{Cluster: members(three), HasData: true},
			want:    "pending: no usable IPv4 address on eth1 yet (is DHCP late?); what is there is not in the initial cluster",
		},
	})
}

func TestFindTablesFail(t *testing.T) {
	host := machine{}.host(t)
	host.Addresses = func() ([]Address, error) {
		return nil, fmt.Errorf("netlink: %w", syscall.EAFNOSUPPORT)
	}
	_, err := Find(t.Context(), host, Request{})
	if !errors.Is(err, syscall.EAFNOSUPPORT) || !strings.Contains(err.Error(), "RestrictAddressFamilies=") {
		t.Errorf("error %v, want the cause and the unit's setting", err)
	}
	r, err := Find(t.Context(), host, Request{Addr: addr("10.0.0.5")})
	if err != nil || r.Addr != addr("10.0.0.5") || len(r.Warnings) != 1 {
		t.Errorf("with the address set: %+v, %v; want it, with a warning", r, err)
	}

	host = machine{rows: []string{lo}}.host(t)
	host.DefaultInterface = func() (string, error) { return "", errors.New("broken") }
	if _, err = Find(t.Context(), host, Request{}); err == nil || err.Error() != "find the default route: broken" {
		t.Errorf("default route: %v", err)
	}
}

// A container host has hundreds of interfaces; the list stays readable, and
// what has an address comes first.
func TestFoundIsBounded(t *testing.T) {
	var rows []string
	for i := range 100 {
		rows = append(rows, fmt.Sprintf("cali%d fe80::%d/64", i, i+1))
	}
	rows = append(rows, eth0, "eth0 2001:db8::5/64 deprecated", "eth0 2001:db8::6/64 secondary")
	got := table(parseRows(t, rows)).String()
	if !strings.HasPrefix(got, "eth0: 192.168.122.5/24 2001:db8::5/64 (deprecated) 2001:db8::6/64 (temporary), cali0: none, ") ||
		!strings.HasSuffix(got, ", and 89 more") {
		t.Errorf("got %s", got)
	}
}

func TestHolder(t *testing.T) {
	rows := table(parseRows(t, []string{lo, eth0, "eth1 -"}))
	for in, want := range map[string]string{"127.0.0.2": "lo", "192.168.122.5": "eth0", "192.168.122.6": "", "::1": ""} {
		a, ok := rows.holder(netip.MustParseAddr(in))
		if a.Interface != want || ok != (want != "") {
			t.Errorf("holder of %s: %q, want %q", in, a.Interface, want)
		}
	}
}
