package netdetect

import "testing"

// Several usable addresses: an interface with a VIP, both ends of a list.
func TestFindSeveral(t *testing.T) {
	debian := map[string]string{"one.example": "127.0.1.1", "two.example": "192.168.122.6", "three.example": "10.0.0.7"}
	names := members("etcd-1=one.example etcd-2=two.example etcd-3=three.example")
	procfile := members("infra1=127.0.0.1 infra2=127.0.0.1 infra3=127.0.0.1")

	runLooks(t, []lookRow{
		{
			name: "a VIP: the source towards a listed peer",
			machine: machine{rows: []string{lo, vip, eth0}, hostname: "one", dns: debian,
				source: map[string]string{"192.168.122.6": "192.168.122.5"}},
			req:  Request{Cluster: names},
			want: "etcd-1, the entry of one.example in the initial cluster at 192.168.122.5, detected from eth0, entry etcd-1",
		}, {
			name: "peers that disagree",
			machine: machine{rows: []string{lo, vip, eth0}, hostname: "one", dns: debian,
				source: map[string]string{"192.168.122.6": "192.168.122.5", "10.0.0.7": "192.168.122.100"}},
			req: Request{Cluster: names},
			want: "refused: this machine's address can be 192.168.122.100 on eth0 or 192.168.122.5 on eth0: " +
				"the kernel uses 192.168.122.100 towards etcd-3 (10.0.0.7), 192.168.122.5 towards etcd-2 (192.168.122.6); " +
				"found eth0: 192.168.122.100/32 192.168.122.5/24; set ETCD_PEER to the right one",
		}, {
			name:    "no route to any peer yet",
			machine: machine{rows: []string{lo, vip, eth0}, hostname: "one", dns: debian},
			req:     Request{Cluster: names},
			want: "pending: this machine's address can be 192.168.122.100 on eth0 or 192.168.122.5 on eth0, " +
				"and there is no route yet to etcd-2 (192.168.122.6), etcd-3 (10.0.0.7)",
		}, {
			name: "the peers do not resolve yet",
			machine: machine{rows: []string{lo, vip, eth0}, hostname: "one",
				dns: map[string]string{"one.example": "127.0.1.1", "two.example": "timeout", "three.example": "timeout"}},
			req:  Request{Cluster: names},
			want: "pending: waiting for DNS: cannot resolve two.example (no answer in time), three.example (no answer in time) of the initial cluster",
		}, {
			name: "the kernel uses a third",
			machine: machine{rows: []string{lo, vip, eth0, "eth1 10.0.0.1/24"}, hostname: "one", dns: debian,
				source: map[string]string{"192.168.122.6": "10.0.0.1", "10.0.0.7": "10.0.0.1"}},
			req: Request{Cluster: names},
			want: "refused: this machine's address can be 192.168.122.100 on eth0 or 192.168.122.5 on eth0, " +
				"and the kernel uses neither towards etcd-2 (192.168.122.6), etcd-3 (10.0.0.7); " +
				"found eth0: 192.168.122.100/32 192.168.122.5/24, eth1: 10.0.0.1/24; set ETCD_PEER to the right one",
		}, {
			name:    "nobody to ask (discovery)",
			machine: machine{rows: []string{lo, vip, eth0}},
			want: "refused: this machine's address can be 192.168.122.100 on eth0 or 192.168.122.5 on eth0, " +
				"and there is no listed peer to ask the kernel about; found eth0: 192.168.122.100/32 192.168.122.5/24; set ETCD_PEER to the right one",
		}, {
			name: "ourselves are not a peer to ask about: that way is through lo",
			machine: machine{rows: []string{lo, eth0, "eth1 10.0.0.5/24"},
				dns:    map[string]string{"one.example": "192.168.122.5 10.0.0.5"},
				source: map[string]string{"192.168.122.5": "192.168.122.5"}},
			req: Request{Cluster: members("etcd-1=one.example")},
			want: "refused: this machine's address can be 192.168.122.5 on eth0 or 10.0.0.5 on eth1, " +
				"and there is no listed peer to ask the kernel about; found eth0: 192.168.122.5/24, eth1: 10.0.0.5/24; " +
				"set ETCD_PEER to the right one, or ETCD_NODE_INTERFACE to its interface",
		}, {
			name:    "two entries are ours",
			machine: machine{rows: []string{lo, eth0, "eth1 192.168.122.6/24"}},
			req:     Request{Cluster: members(three)},
			want: "refused: this machine stands in the initial cluster more than once: 192.168.122.5 on eth0 as etcd-1, " +
				"192.168.122.6 on eth1 as etcd-2; found eth0: 192.168.122.5/24, eth1: 192.168.122.6/24; " +
				"set ETCD_NODE_INTERFACE, ETCD_NAME or ETCD_PEER to say which of them this member is",
		}, {
			name:    "two entries are ours: the name settles it",
			machine: machine{rows: []string{lo, eth0, "eth1 192.168.122.6/24"}},
			req:     Request{Cluster: members(three), Name: "etcd-2"},
			want:    "etcd-2, set at 192.168.122.6, detected from eth1 (etcd-2 in the initial cluster), entry etcd-2",
		}, {
			name:    "or the interface",
			machine: machine{rows: []string{lo, eth0, "eth1 192.168.122.6/24"}},
			req:     Request{Cluster: members(three), Interface: "eth1"},
			want:    "etcd-2, the entry of 192.168.122.6 in the initial cluster at 192.168.122.6, detected from eth1 (etcd-2 in the initial cluster), entry etcd-2",
		}, {
			name:    "or the address",
			machine: machine{rows: []string{lo, eth0, "eth1 192.168.122.6/24"}},
			req:     Request{Cluster: members(three), Addr: addr("192.168.122.6")},
			want:    "etcd-2, the entry of 192.168.122.6 in the initial cluster at 192.168.122.6, set, entry etcd-2",
		}, {
			name:    "a whole cluster on loopback, with a name",
			machine: machine{rows: []string{lo, eth0}},
			req:     Request{Cluster: procfile, Name: "infra2"},
			want:    "infra2, set at 127.0.0.1, detected from lo (infra2 in the initial cluster), entry infra2",
		}, {
			name:    "a whole cluster on loopback, with a name and an address",
			machine: machine{rows: []string{lo, eth0}},
			req:     Request{Cluster: procfile, Name: "infra3", Addr: addr("127.0.0.1")},
			want:    "infra3, set at 127.0.0.1, set, entry infra3",
		}, {
			name:    "a whole cluster on loopback, without a name",
			machine: machine{rows: []string{lo, eth0}},
			req:     Request{Cluster: procfile},
			want: "refused: this machine stands in the initial cluster more than once: 127.0.0.1 on lo as infra1, 127.0.0.1 on lo as infra2, " +
				"127.0.0.1 on lo as infra3; found eth0: 192.168.122.5/24; set ETCD_NAME to say which of them this member is",
		}, {
			name:    "a whole cluster on loopback, with a name that is not in it",
			machine: machine{rows: []string{lo}},
			req:     Request{Cluster: procfile, Name: "infra4"},
			want: "refused: this machine stands in the initial cluster more than once: 127.0.0.1 on lo as infra1, 127.0.0.1 on lo as infra2, " +
				"127.0.0.1 on lo as infra3; found no interface but loopback; set ETCD_NAME (infra4 is none of them) to say which of them this member is",
		}, {
			name:    "the same with data",
			machine: machine{rows: []string{lo}},
			req:     Request{Cluster: procfile, Name: "infra4", HasData: true},
			want: "infra4, set at 127.0.0.1, detected from lo\n" +
				"warning: the name infra4 is set, but 127.0.0.1 on lo stands in the initial cluster under other names; the data dir holds a member, and what it says counts",
		}, {
			name:    "several loopback addresses",
			machine: machine{rows: []string{lo}},
			req:     Request{Cluster: members("a=127.0.0.1 b=127.0.0.2"), Name: "b"},
			want:    "b, set at 127.0.0.2, detected from lo (b in the initial cluster), entry b",
		}, {
			name:    "one member on localhost, etcd's default",
			machine: machine{rows: []string{lo, eth0}},
			req:     Request{Cluster: members("default=localhost")},
			want:    "default, the entry of localhost (127.0.0.1) in the initial cluster at 127.0.0.1, detected from lo (default in the initial cluster), entry default",
		}, {
			name:    "a whole cluster under the name that Debian maps to loopback",
			machine: machine{rows: []string{lo, eth0}, hostname: "box", dns: map[string]string{"box": "127.0.1.1"}},
			req:     Request{Cluster: members("a=box b=box"), Name: "b"},
			want:    "b, set at 127.0.1.1, detected from lo (b in the initial cluster), entry b",
		}, {
			name:    "but a single member is to be reached",
			machine: machine{rows: []string{lo, eth0}, hostname: "box", dns: map[string]string{"box": "127.0.1.1"}},
			req:     Request{Cluster: members("a=box")},
			want:    "a, the entry of box in the initial cluster at 192.168.122.5, detected from eth0, entry a",
		}, {
			name:    "one host for all, not on loopback",
			machine: machine{rows: []string{lo, eth0}},
			req:     Request{Cluster: members("a=192.168.122.5 b=192.168.122.5"), Name: "b"},
			want:    "b, set at 192.168.122.5, detected from eth0 (b in the initial cluster), entry b",
		}, {
			name:    "ETCD_NODE_INTERFACE=lo has no address for peers",
			machine: machine{rows: []string{lo, eth0}},
			req:     Request{Interface: "lo"},
			want: "refused: ETCD_NODE_INTERFACE is lo, which has loopback addresses only; found eth0: 192.168.122.5/24; " +
				"name another one, or set ETCD_PEER=127.0.0.1 for a single member that only this machine reaches",
		}, {
			name:    "unless it has one",
			machine: machine{rows: []string{lo, "lo 10.1.1.1/32 loopback", eth0}},
			req:     Request{Interface: "lo"},
			want:    "host, host name at 10.1.1.1, detected from lo (ETCD_NODE_INTERFACE)",
		},
	})
}
