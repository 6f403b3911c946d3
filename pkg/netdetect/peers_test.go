package netdetect

import "testing"

// Input 5 of the reports: two interfaces, and a list of names of which the own
// one means loopback here. What the kernel does towards the peers decides.
func TestFindByPeers(t *testing.T) {
	const names = "etcd-1=etcd-1 etcd-2=etcd-2 etcd-3=etcd-3"
	dns := map[string]string{"etcd-1": "127.0.1.1", "etcd-2": "192.168.122.6", "etcd-3": "192.168.122.7"}
	two := []string{lo, "eth0 10.0.2.15/24", "eth1 192.168.122.5/24"}
	const found = "; found eth0: 10.0.2.15/24, eth1: 192.168.122.5/24"
	const hint = "; set ETCD_PEER to the right one, or ETCD_NODE_INTERFACE to its interface"

	runLooks(t, []lookRow{
		{
			name: "the source address towards the peers, not eth0's",
			machine: machine{rows: two, hostname: "etcd-1", dns: dns, route: "eth0",
				source: map[string]string{"192.168.122.6": "192.168.122.5", "192.168.122.7": "192.168.122.5"}},
			req: Request{Cluster: members(names)},
			want: "etcd-1, the entry of etcd-1 in the initial cluster at 192.168.122.5, " +
				"detected from eth1 (the source address towards etcd-2 (192.168.122.6)), entry etcd-1",
		}, {
			name: "one peer whose name resolves is enough",
			machine: machine{rows: two, hostname: "etcd-1", dns: map[string]string{"etcd-1": "127.0.1.1", "etcd-3": "192.168.122.7"},
				source: map[string]string{"192.168.122.7": "192.168.122.5"}},
			req: Request{Cluster: members(names)},
			want: "etcd-1, the entry of etcd-1 in the initial cluster at 192.168.122.5, " +
				"detected from eth1 (the source address towards etcd-3 (192.168.122.7)), entry etcd-1",
		}, {
			name:    "without one it waits for DNS",
			machine: machine{rows: two, hostname: "etcd-1", dns: map[string]string{"etcd-1": "127.0.1.1"}},
			req:     Request{Cluster: members(names)},
			want:    "pending: waiting for DNS: cannot resolve etcd-2 (no such name), etcd-3 (no such name) of the initial cluster",
		}, {
			name:    "no route to any peer yet",
			machine: machine{rows: two, hostname: "etcd-1", dns: dns},
			req:     Request{Cluster: members(names)},
			want: "pending: this machine has several addresses, and no route yet to etcd-2 (192.168.122.6), etcd-3 (192.168.122.7) " +
				"that would tell which to use",
		}, {
			name: "another one towards each: a guess",
			machine: machine{rows: two, hostname: "etcd-1", dns: dns,
				source: map[string]string{"192.168.122.6": "192.168.122.5", "192.168.122.7": "10.0.2.15"}},
			req: Request{Cluster: members(names)},
			want: "refused: which address is this member's? The kernel uses 192.168.122.5 on eth1 towards etcd-2 (192.168.122.6), " +
				"10.0.2.15 on eth0 towards etcd-3 (192.168.122.7)" + found + hint,
		}, {
			name: "with data it goes on as before, with a word",
			machine: machine{rows: two, hostname: "etcd-1", dns: dns,
				source: map[string]string{"192.168.122.6": "192.168.122.5", "192.168.122.7": "10.0.2.15"}},
			req: Request{Cluster: members(names), HasData: true},
			want: "etcd-1, the entry of etcd-1 in the initial cluster at 10.0.2.15, detected from eth0, entry etcd-1\n" +
				"warning: this machine uses 192.168.122.5 on eth1 towards etcd-2 (192.168.122.6), 10.0.2.15 on eth0 towards etcd-3 (192.168.122.7); set ETCD_PEER to the right one",
		}, {
			name: "the interface that the operator names comes first",
			machine: machine{rows: two, hostname: "etcd-1", dns: dns,
				source: map[string]string{"192.168.122.6": "192.168.122.5", "192.168.122.7": "192.168.122.5"}},
			req:  Request{Cluster: members(names), Interface: "eth0"},
			want: "etcd-1, the entry of etcd-1 in the initial cluster at 10.0.2.15, detected from eth0 (ETCD_NODE_INTERFACE), entry etcd-1",
		}, {
			name:    "eth1 has no address yet: not in silence",
			machine: machine{rows: []string{lo, "eth0 10.0.2.15/24", "eth1 -"}, hostname: "etcd-1", dns: dns, source: map[string]string{"192.168.122.6": "10.0.2.15"}},
			req:     Request{Cluster: members(names)},
			want: "etcd-1, the entry of etcd-1 in the initial cluster at 10.0.2.15, detected from eth0, entry etcd-1\n" +
				"warning: the initial cluster names this machine and not its address; 10.0.2.15 on eth0 is taken, " +
				"which is in no network with etcd-2 (192.168.122.6), and eth1 has no address: set ETCD_PEER if another one is meant",
		}, {
			name: "IPv6",
			machine: machine{rows: []string{lo, "eth0 2001:db8:1::5/64", "eth1 2001:db8:2::5/64"}, hostname: "etcd-1",
				dns:    map[string]string{"etcd-1": "127.0.1.1", "etcd-2": "2001:db8:2::6", "etcd-3": "2001:db8:2::7"},
				source: map[string]string{"2001:db8:2::6": "2001:db8:2::5"}},
			req: Request{Cluster: members(names)},
			want: "etcd-1, the entry of etcd-1 in the initial cluster at 2001:db8:2::5, " +
				"detected from eth1 (the source address towards etcd-2 (2001:db8:2::6)), entry etcd-1",
		},
	})
}
