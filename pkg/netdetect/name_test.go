package netdetect

import (
	"errors"
	"testing"
)

func TestFindName(t *testing.T) {
	rows := []string{lo, eth0}
	const at = " at 192.168.122.5, detected from eth0"
	const found = "; found eth0: 192.168.122.5/24; "
	const fromEntry = "etcd-1, the entry of 192.168.122.5 in the initial cluster" + at + " (etcd-1 in the initial cluster), entry etcd-1"
	const counts = "; the data dir holds a member, and what it says counts"

	runLooks(t, []lookRow{
		{
			name:    "set, no list",
			machine: machine{rows: rows},
			req:     Request{Name: "n1"},
			want:    "n1, set" + at,
		}, {
			name:    "short host name",
			machine: machine{rows: rows, hostname: "n1.example.com"},
			want:    "n1, host name" + at,
		}, {
			name:    "the entry's name before the host name",
			machine: machine{rows: rows, hostname: "n1.example.com"},
			req:     Request{Cluster: members(three)},
			want:    fromEntry,
		}, {
			name:    "set to the entry's name",
			machine: machine{rows: rows, hostname: "etcd-2"},
			req:     Request{Cluster: members(three), Name: "etcd-1"},
			want:    "etcd-1, set" + at + " (etcd-1 in the initial cluster), entry etcd-1",
		}, {
			name:    "set to another entry's name",
			machine: machine{rows: rows},
			req:     Request{Cluster: members(three), Name: "etcd-2"},
			want: "refused: the name etcd-2 is set, which is another entry of the initial cluster, while 192.168.122.5 is etcd-1 there" + found +
				"unset ETCD_NAME to take the entry's name, or correct ETCD_NAME or ETCD_INITIAL_CLUSTER",
		}, {
			name:    "set to a name that is not in the list",
			machine: machine{rows: rows},
			req:     Request{Cluster: members(three), Name: "etcd-9"},
			want: "refused: the name etcd-9 is set, which is not in the initial cluster, while 192.168.122.5 is etcd-1 there" + found +
				"unset ETCD_NAME to take the entry's name, or correct ETCD_NAME or ETCD_INITIAL_CLUSTER",
		}, {
			name:    "the same with data",
			machine: machine{rows: rows},
			req:     Request{Cluster: members(three), Name: "etcd-9", HasData: true},
			want: "etcd-9, set" + at + " (etcd-1 in the initial cluster), entry etcd-1\n" +
				"warning: the name etcd-9 is set, which is not in the initial cluster, while 192.168.122.5 is etcd-1 there" + counts,
		}, {
			name:    "address and name set to different entries",
			machine: machine{rows: rows},
			req:     Request{Cluster: members(three), Name: "etcd-2", Addr: addr("192.168.122.5")},
			want: "refused: the name etcd-2 is set, which is another entry of the initial cluster, while 192.168.122.5 is etcd-1 there" + found +
				"unset ETCD_NAME to take the entry's name, or correct ETCD_NAME or ETCD_INITIAL_CLUSTER",
		}, {
			name: "also where the list has names",
			machine: machine{rows: rows, dns: map[string]string{
				"one.example": "192.168.122.5", "two.example": "192.168.122.6"}},
			req: Request{Cluster: members("etcd-1=one.example etcd-2=two.example"), Name: "etcd-2", Addr: addr("192.168.122.5")},
			want: "refused: the name etcd-2 is set, which is another entry of the initial cluster, while one.example (192.168.122.5) is etcd-1 there" + found +
				"unset ETCD_NAME to take the entry's name, or correct ETCD_NAME or ETCD_INITIAL_CLUSTER",
		}, {
			name:    "the host name is another entry: a cloned machine, or a mixed-up list",
			machine: machine{rows: rows, hostname: "etcd-2"},
			req:     Request{Cluster: members(three)},
			want: "refused: the host name is etcd-2, which is another entry of the initial cluster, while 192.168.122.5 is etcd-1 there" + found +
				"set ETCD_NAME=etcd-1 if the address is right; correct the host name or the address if not",
		}, {
			name:    "so is its short form, in any case",
			machine: machine{rows: rows, hostname: "ETCD-2.example.com"},
			req:     Request{Cluster: members(three)},
			want: "refused: the host name is ETCD-2.example.com, which is another entry of the initial cluster, while 192.168.122.5 is etcd-1 there" + found +
				"set ETCD_NAME=etcd-1 if the address is right; correct the host name or the address if not",
		}, {
			name:    "the same with data",
			machine: machine{rows: rows, hostname: "etcd-2"},
			req:     Request{Cluster: members(three), HasData: true},
			want: fromEntry + "\nwarning: the host name is etcd-2, which is another entry of the initial cluster, " +
				"while 192.168.122.5 is etcd-1 there" + counts,
		}, {
			name:    "a host name that is no entry's does not matter",
			machine: machine{rows: rows, hostname: "localhost"},
			req:     Request{Cluster: members(three)},
			want:    fromEntry,
		}, {
			name:    "the data's name is not in the list either",
			machine: machine{rows: rows},
			req:     Request{Cluster: members("a=192.168.122.6"), Name: "old", HasData: true},
			want:    "old, set" + at + "\nwarning: none of this machine's addresses is in the initial cluster" + counts,
		}, {
			name:    "no host name",
			machine: machine{rows: rows, hostname: "."},
			want:    "refused: this machine has no host name to take the member's name from" + found + "set ETCD_NAME",
		},
	})

	host := machine{rows: rows}.host(t)
	host.Hostname = func() (string, error) { return "", errors.New("broken") }
	if _, err := Find(t.Context(), host, Request{}); err == nil || err.Error() != "read the host name: broken" {
		t.Errorf("host name: %v", err)
	}
}
