package admission

import (
	"testing"
	"time"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/member/datadir"
	"github.com/etcd-node/etcd-node/pkg/member/peers"
	"github.com/etcd-node/etcd-node/pkg/pipe"
)

// A copy of a machine that is switched off: nobody answers, and only the list
// tells whose the data is.
func TestDataOfAnotherEntry(t *testing.T) {
	const one, two, three = "http://192.168.122.5:2380", "http://192.168.122.6:2380", "http://192.168.122.7:2380"
	names := map[string]string{one: "etcd-1", two: "etcd-2", three: "etcd-3"}
	at := func(url string) datadir.Member { return datadir.Member{ID: 3, Name: "x", PeerURLs: []string{url}} }
	list := func(cluster, url string) peers.List {
		return peers.List{ClusterID: cluster, Members: []peers.Member{{ID: 3, PeerURLs: []string{url}}}}
	}
	const refused = "its data is of etcd-1 (http://192.168.122.5:2380), which is another entry of the list; this machine is etcd-2"
	for what, tc := range map[string]struct {
		own   string
		data  datadir.Data
		live  peers.List // what another member says
		force bool
		bare  bool // without a service manager
		want  string
	}{
		"a copy of a cluster of one":          {own: two, data: served(at(one)), want: refused},
		"of one of several":                   {own: two, data: served(at(one), datadir.Member{ID: 4, PeerURLs: []string{two}}), want: refused},
		"the list is of https already":        {own: two, data: served(at("https://192.168.122.5:2380")), want: "its data is of etcd-1 (https://192.168.122.5:2380), which is another entry of the list; this machine is etcd-2"},
		"its own":                             {own: one, data: served(at(one))},
		"an address that is not listed":       {own: two, data: served(at("http://10.0.0.5:2380"))},
		"another port of the same host":       {own: two, data: served(at("http://192.168.122.5:2480"))},
		"this machine is not listed":          {own: "http://10.0.0.5:2380", data: served(at(one))},
		"the data does not list its member":   {own: two, data: served()},
		"no data":                             {own: two, data: empty},
		"member update was done elsewhere":    {own: two, data: served(at(one)), live: list("c", two)},
		"another cluster's list says nothing": {own: two, data: served(at(one)), live: list("d", two), want: refused},
		"the cluster has it elsewhere":        {own: two, data: served(at(one)), live: list("c", one), want: refused},
		"--force-new-cluster":                 {own: two, data: served(at(one)), force: true},
		"without systemd: as etcd":            {own: two, data: served(at(one)), bare: true},
	} {
		n := Node{Guard: pipe.Guard{Patient: !tc.bare}, Names: names, PeerURLs: []string{tc.own}, AsEtcd: tc.force, ForceNewCluster: tc.force}
		c, _ := checker(n, fakeAsker{peers: []fakePeer{func(time.Duration) (peers.List, error) { return tc.live, nil }}})
		got := ""
		if f := c.ofOtherEntry(t.Context(), tc.data); f != nil {
			got = f.Detail
			if f.ID != failure.IDCloned || f.Values["member-id"] != "3" {
				t.Errorf("%s: %+v", what, f)
			}
		}
		if got != tc.want {
			t.Errorf("%s: %q, want %q", what, got, tc.want)
		}
	}
}
