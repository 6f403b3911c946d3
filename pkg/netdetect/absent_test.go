package netdetect

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// wireguard is a list on a VPN, whose interface comes up after the network.
const wireguard = "etcd-1=10.9.0.1 etcd-2=10.9.0.2 etcd-3=10.9.0.3"

// knows is what the data says of this member.
func knows(hosts ...string) func() []string { return func() []string { return hosts } }

// copied is what is asked where the data is of a member at another address than this
// machine's entry has.
const copied = "; or is this a copy of the disk of the machine that has it? (etcd-node explain cloned)"

// An address that somebody has written down may come with an interface that is
// not there yet: where somebody waits, no other one is taken in its place.
func TestAbsent(t *testing.T) {
	const found = "; found eth0: 192.168.122.5/24"
	for _, row := range []struct {
		lookRow
		data func() []string
	}{
		{lookRow: lookRow{
			name:    "the entry is known by the host name",
			machine: machine{rows: []string{lo, eth0}, hostname: "etcd-1.example"},
			req:     Request{Cluster: members(wireguard)},
			want:    "pending: no interface has 10.9.0.1 yet (etcd-1 in the initial cluster)" + found,
		}}, {lookRow: lookRow{
			name:    "or by the name that is set",
			machine: machine{rows: []string{lo, eth0}, hostname: "etcd-1"},
			req:     Request{Cluster: members(wireguard), Name: "etcd-2"},
			want:    "pending: no interface has 10.9.0.2 yet (etcd-2 in the initial cluster)" + found,
		}}, {lookRow: lookRow{
			name:    "or by none",
			machine: machine{rows: []string{lo, eth0}},
			req:     Request{Cluster: members(wireguard)},
			want:    "pending: no interface has an address of the initial cluster yet (10.9.0.1, 10.9.0.2, 10.9.0.3)" + found,
		}}, {lookRow: lookRow{
			name: "names that resolve are addresses too",
			machine: machine{rows: []string{lo, eth0}, hostname: "one.example",
				dns: map[string]string{"one.example": "10.9.0.1", "two.example": "10.9.0.2"}},
			req:  Request{Cluster: members("a=one.example b=two.example")},
			want: "pending: no interface has 10.9.0.1 yet (a in the initial cluster)" + found,
		}}, {lookRow: lookRow{
			name:    "the named interface has another address: the right one may come",
			machine: machine{rows: []string{lo, eth0}, hostname: "etcd-1"},
			req:     Request{Cluster: members(wireguard), Interface: "eth0"},
			want:    "pending: no interface has 10.9.0.1 yet (etcd-1 in the initial cluster)" + found,
		}}, {lookRow: lookRow{
			name:    "an address that is set is the operator's word: only an edit helps",
			machine: machine{rows: []string{lo, eth0}},
			req:     Request{Cluster: members(wireguard), Addr: addr("192.168.122.5")},
			want: "refused: the address 192.168.122.5 is set, but is not in the initial cluster" + found +
				"; correct ETCD_INITIAL_CLUSTER (or the ETCD_IP_n), or set ETCD_PEER to this machine's address in it",
		}}, {lookRow: lookRow{
			name: "a name on loopback may be this machine's: no address will ever come",
			machine: machine{rows: []string{lo, eth0},
				dns: map[string]string{"one.example": "127.0.1.1", "two.example": "10.9.0.2"}},
			req: Request{Cluster: members("a=one.example b=two.example")},
			want: "refused: none of this machine's addresses is in the initial cluster" + found +
				"; correct ETCD_INITIAL_CLUSTER (or the ETCD_IP_n), or set ETCD_PEER to this machine's address in it",
		}}, {lookRow: lookRow{
			name:    "with data too, and the data says which",
			machine: machine{rows: []string{lo, eth0}},
			req:     Request{Cluster: members(wireguard), HasData: true},
			want:    "pending: no interface has 10.9.0.1 yet, where the data knows this member" + found + copied,
		}, data: knows("10.9.0.1")}, {lookRow: lookRow{
			name:    "with data that cannot be read, by name",
			machine: machine{rows: []string{lo, eth0}, hostname: "etcd-1"},
			req:     Request{Cluster: members(wireguard), HasData: true},
			want:    "pending: no interface has 10.9.0.1 yet (etcd-1 in the initial cluster)" + found,
		}}, {lookRow: lookRow{
			name:    "the list has moved on, the data has not, and the machine has neither",
			machine: machine{rows: []string{lo, eth0}, hostname: "etcd-1"},
			req:     Request{Cluster: members(wireguard), HasData: true},
			want: "pending: no interface has 10.9.0.1 (etcd-1 in the initial cluster) yet, " +
				"nor 10.1.1.1, where the data knows this member" + found + copied,
		}, data: knows("10.1.1.1")}, {lookRow: lookRow{
			name:    "a list without this member: the data knows where it is",
			machine: machine{rows: []string{lo, "eth0 10.0.2.15/24", "eth1 192.168.122.8/24"}, hostname: "etcd-4"},
			req:     Request{Cluster: members(three), HasData: true},
			want: "etcd-4, host name at 192.168.122.8, detected from eth1 (the data knows this member there)\n" +
				"warning: none of this machine's addresses is in the initial cluster; the data dir holds a member, and what it says counts",
		}, data: knows("192.168.122.8")}, {lookRow: lookRow{
			name:    "a list without this member, and data that does not tell: as ever",
			machine: machine{rows: []string{lo, "eth0 192.168.122.8/24"}, hostname: "etcd-4"},
			req:     Request{Cluster: members(three), HasData: true},
			want: "etcd-4, host name at 192.168.122.8, detected from eth0\n" +
				"warning: none of this machine's addresses is in the initial cluster; the data dir holds a member, and what it says counts",
		}}, {lookRow: lookRow{
			name:    "what the list says is here: the data is not asked",
			machine: machine{rows: []string{lo, eth0}},
			req:     Request{Cluster: members(three), HasData: true},
			want:    found5,
		}, data: func() []string { panic("asked") }}, {lookRow: lookRow{
			name:    "no list: nothing is waited for but an address",
			machine: machine{rows: []string{lo, eth0}},
			req:     Request{HasData: true},
			want:    "host, host name at 192.168.122.5, detected from eth0",
		}, data: func() []string { panic("asked") }},
	} {
		t.Run(row.name, func(t *testing.T) {
			check(t, answer(find(t.Context(), row.machine.host(t), row.req, Patience{Absent: true, Data: row.data}, false)), row.want)
		})
	}
}

// Input 4 of the reports: wg0 comes 3 s after the start, also long after any
// limit, with data and without; meanwhile nothing listens on eth0's address.
func TestWaitForTheAbsent(t *testing.T) {
	for _, hasData := range []bool{false, true} {
		for _, after := range []time.Duration{3 * time.Second, time.Hour} {
			t.Run(fmt.Sprintf("data %v, after %v", hasData, after), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					m := &lively{machine: machine{rows: []string{lo, eth0}, hostname: "etcd-1"}}
					host := m.host(t)
					time.AfterFunc(after, func() { m.change(lo, eth0, "wg0 10.9.0.1/24") })
					patience := Patience{Limit: time.Minute, Absent: true, Endless: true, List: "ETCD_INITIAL_CLUSTER (/etc/default/etcd:1)"}
					if hasData {
						patience.Data = knows("10.9.0.1")
					}
					var said []string
					r, err := Wait(t.Context(), host, Request{Cluster: members(wireguard), HasData: hasData}, patience, func(reason string) {
						said = append(said, fmt.Sprintf("%v: %s", time.Since(m.start), reason))
					})
					check(t, strings.Join(said, "\n"), "0s: no interface has 10.9.0.1 yet (etcd-1 in the initial cluster); "+
						"found eth0: 192.168.122.5/24; waiting, or correct ETCD_INITIAL_CLUSTER (/etc/default/etcd:1)")
					check(t, fmt.Sprintf("%v: %s", time.Since(m.start), answer(r, err)), after.String()+": etcd-1, the entry of 10.9.0.1 in the initial cluster at 10.9.0.1, "+
						"detected from wg0 (etcd-1 in the initial cluster), entry etcd-1")
				})
			})
		}
	}
}

// Once its limit has passed, a member with data waits for its own address alone.
func TestWaitEndlessWithData(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &lively{machine: machine{rows: []string{lo, "eth0 10.0.0.9/24", "eth1 -"}}}
		host := m.host(t)
		time.AfterFunc(2*time.Minute, func() { m.change(lo, "eth0 10.0.0.9/24", "eth1 -", "wg0 10.1.1.1/24") })
		var said []string
		r, err := Wait(t.Context(), host, Request{Cluster: members(three + " gone=gone.example"), HasData: true},
			Patience{Limit: time.Minute, Absent: true, Endless: true, Data: knows("10.1.1.1")}, func(reason string) {
				said = append(said, fmt.Sprintf("%v: %s", time.Since(m.start), reason))
			})
		check(t, strings.Join(said, "\n"), "0s: waiting for DNS: cannot resolve gone.example (no such name) of the initial cluster\n"+
			"1m0s: no interface has 10.1.1.1 yet, where the data knows this member; found eth0: 10.0.0.9/24, eth1: none"+copied)
		check(t, answer(r, err), "host, host name at 10.1.1.1, detected from wg0 (the data knows this member there)\n"+
			"warning: none of this machine's addresses is in the initial cluster, of which these names do not resolve: "+
			"gone.example (no such name); the data dir holds a member, and what it says counts")
	})
}

// A wait that is for a while ends, also where it waits for the absent.
func TestWaitForTheAbsentEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &lively{machine: machine{rows: []string{lo, eth0}, hostname: "etcd-1"}}
		_, err := Wait(t.Context(), m.host(t), Request{Cluster: members(wireguard)}, Patience{Limit: 5 * time.Second, Absent: true}, func(string) {})
		if err == nil || time.Since(m.start) != 5*time.Second {
			t.Fatalf("after %v: %v", time.Since(m.start), err)
		}
		check(t, err.Error(), "no address for this member after 5s (ETCD_NODE_ADDRESS_WAIT): no interface has 10.9.0.1 yet (etcd-1 in the initial cluster); "+
			"found eth0: 192.168.122.5/24; set ETCD_PEER to this machine's address if it is another one")
	})
}
