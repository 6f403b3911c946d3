package admission

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/member/datadir"
	"github.com/etcd-node/etcd-node/pkg/member/peers"
	"github.com/etcd-node/etcd-node/pkg/pipe"
)

// Data of a member that the list has at another address than this machine's: a copy,
// or machines that have changed their addresses.
func TestDataOfAnotherEntry(t *testing.T) {
	const (
		one, two, three = "http://192.168.122.5:2380", "http://192.168.122.6:2380", "http://192.168.122.7:2380"
		sec             = time.Second
		stopped         = failure.IDSignalled
		of1             = "the data is of etcd-1, which the list has at another address (http://192.168.122.5:2380), and this machine is etcd-2; "
		todo            = "; if machines have changed their addresses, give them back: the members go on by themselves; " +
			"or tell the cluster where this member is now, by one that serves: etcd-node ctl member update 3 --peer-urls=http://192.168.122.6:2380 --endpoints=ENDPOINTS"
		off    = "waiting: " + of1 + "no member answers there (192.168.122.5: connection refused), so this may be a copy of a machine that is off" + todo
		starts = of1 + "at that address is another member now (%s): the data counts; if machines have changed their addresses, give them back, then `systemctl restart etcd`"
	)
	var (
		names = map[string]string{one: "etcd-1", two: "etcd-2", three: "etcd-3"}
		at    = func(url string) datadir.Member { return datadir.Member{ID: 3, Name: "x", PeerURLs: []string{url}} }
		data  = func(url string) datadir.Data {
			return served(at(url), datadir.Member{ID: 4, PeerURLs: []string{three}})
		}
		refuses = says(peers.List{}, fmt.Errorf("192.168.122.5: %w", syscall.ECONNREFUSED))
		waits   = func(cluster, member uint64) fakePeer {
			return says(peers.List{}, &peers.Waits{Announcement: peers.Announcement{ClusterID: cluster, MemberID: member}})
		}
		member = func(cluster string) fakePeer { return of(cluster, whole) }
		lists3 = func(cluster, url string) fakePeer {
			return of(cluster, []peers.Member{{ID: 3, PeerURLs: []string{url}}, {ID: 4, PeerURLs: []string{three}}, {ID: 5, PeerURLs: []string{"http://192.168.122.8:2380"}}})
		}
		another = fmt.Sprintf(starts, "192.168.122.5: another member of this cluster")
		holds   = fmt.Sprintf(starts, ": it waits with data of member 4 of cluster c")
	)
	for what, tc := range map[string]struct {
		own       string
		data      datadir.Data
		there     fakePeer   // what is at the address in the data; nil: nobody
		isAfter   int        // it says of itself that it is this very member, so many seconds later; 0: never
		other     bool       // it says that it is another one
		peers     []fakePeer // of the list
		moves     string     // an address that this machine gets after 10 s
		force     bool
		bare      bool // without a service manager
		id        string
		took      time.Duration
		misplaced string
		said      string
	}{
		"its own":                      {own: one, data: data(one)},
		"an address not listed":        {own: two, data: data("http://10.0.0.5:2380")},
		"another port of the host":     {own: two, data: data("http://192.168.122.5:2480")},
		"this machine is not listed":   {own: "http://10.0.0.5:2380", data: data(one)},
		"the data lists others only":   {own: two, data: served()},
		"no data":                      {own: two, data: empty},
		"of a cluster of one":          {own: two, data: served(at(one))},
		"--force-new-cluster":          {own: two, data: data(one), force: true},
		"without systemd: as etcd":     {own: two, data: data(one), bare: true},
		"nobody is there":              {own: two, data: data(one), id: stopped, said: off},
		"the list is of https already": {own: two, data: data("https://192.168.122.5:2380"), id: stopped, said: strings.Replace(off, "http:", "https:", 1)},

		"this very member is there":     {own: two, data: data(one), there: member("c"), isAfter: -1, id: failure.IDCloned, took: settleLimit},
		"it comes up later":             {own: two, data: data(one), there: later(8*sec, refuses, member("c")), isAfter: 8, id: failure.IDCloned, took: 8*sec + settleLimit, said: off},
		"another member is there":       {own: two, data: data(one), there: member("c"), other: true, misplaced: another},
		"it comes up later, another":    {own: two, data: data(one), there: later(8*sec, refuses, member("c")), other: true, took: 8 * sec, misplaced: another, said: off},
		"a member that does not say":    {own: two, data: data(one), there: member("c"), id: stopped, said: strings.Replace(off, "connection refused", "a member of this cluster, which does not say which", 1)},
		"a member of another cluster":   {own: two, data: data(one), there: member("d"), other: true, id: stopped, said: strings.Replace(off, "connection refused", "a member of another cluster, d", 1)},
		"a node that waits, other data": {own: two, data: data(one), there: waits(0xc, 4), misplaced: holds},
		"a node that waits, this data":  {own: two, data: data(one), there: waits(0xc, 3), id: stopped, said: strings.Replace(off, "192.168.122.5: connection refused", ": it waits with data of member 3 of cluster c", 1)},
		"a node that waits, no data":    {own: two, data: data(one), there: noData, id: stopped, said: strings.Replace(off, "192.168.122.5: connection refused", "127.0.0.1: no data yet", 1)},

		"member update was done":              {own: two, data: data(one), peers: []fakePeer{lists3("c", two), closed}},
		"it is done while it waits":           {own: two, data: data(one), peers: []fakePeer{later(8*sec, lists3("c", one), lists3("c", two)), closed}, took: 8 * sec, said: off},
		"by one of five: no quorum":           {own: two, data: data(one), peers: []fakePeer{of("c", []peers.Member{{ID: 3, PeerURLs: []string{two}}, peerA, peerB, {ID: 8}, {ID: 9}})}, id: stopped, said: off},
		"another cluster's list says nothing": {own: two, data: data(one), peers: []fakePeer{lists3("d", two)}, id: stopped, said: off},
		"the cluster has it elsewhere":        {own: two, data: data(one), peers: []fakePeer{lists3("c", one)}, id: stopped, said: off},

		"its address comes back": {own: two, data: data(one), moves: "192.168.122.5", id: failure.IDAddressGone, took: 10 * sec, said: off},
		"this one's goes":        {own: two, data: data(one), moves: "192.168.122.6", id: failure.IDAddressGone, took: 10 * sec, said: off},
		"an unrelated one comes": {own: two, data: data(one), moves: "192.168.122.9", id: stopped, said: off},
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := Node{Guard: pipe.Guard{Patient: !tc.bare}, Names: names, PeerURLs: []string{tc.own}, AsEtcd: tc.force, ForceNewCluster: tc.force}
				a := fakeAsker{peers: tc.peers, at: map[string]fakePeer{"http://192.168.122.5:2380": tc.there, "https://192.168.122.5:2380": tc.there}}
				if tc.there == nil {
					a.at = map[string]fakePeer{"http://192.168.122.5:2380": refuses, "https://192.168.122.5:2380": refuses}
				}
				if tc.isAfter != 0 {
					a.is, a.from = "http://192.168.122.5:2380", time.Duration(tc.isAfter)*sec
				}
				if tc.other {
					a.another = "http://192.168.122.5:2380"
				}
				c, said := checker(n, a)
				begun := time.Now()
				c.Here = func(addr netip.Addr) bool {
					moved := time.Since(begun) >= 10*sec && addr.String() == tc.moves
					return (addr.String() == "192.168.122.6") != moved
				}
				announces := 0
				c.Announce = func(says func() peers.Announcement) (func(), error) {
					if announces++; says() != (peers.Announcement{ClusterID: 0xc, MemberID: 3}) {
						t.Errorf("it announces %v", says())
					}
					return func() { announces-- }, nil
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				misplaced, f := c.ofOtherEntry(ctx, tc.data)
				took := time.Since(begun)
				if idOf(f) == stopped {
					took = 0
				}
				want := ""
				if tc.said != "" {
					want = failure.IDOtherEntry + ": " + tc.said
				}
				if misplaced != tc.misplaced || idOf(f) != tc.id || took != tc.took || said() != want || announces != 0 {
					t.Errorf("%q, %v after %s (still announced: %d)\nsaid %s\nwant %q, %q after %s\nsaid %s", misplaced, f, took, announces, said(), tc.misplaced, tc.id, tc.took, want)
				}
				if tc.id == failure.IDAddressGone && f != nil && f.Class != failure.Transient {
					t.Errorf("its address is looked for late: %+v", f)
				}
			})
		})
	}
}
