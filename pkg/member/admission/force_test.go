package admission

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/identity"
	"github.com/etcd-node/etcd-node/pkg/member/datadir"
	"github.com/etcd-node/etcd-node/pkg/member/peers"
	"github.com/etcd-node/etcd-node/pkg/pipe"
)

func TestUnforced(t *testing.T) {
	one, two := served(member3), served(member3, datadir.Member{ID: 1, Name: "a"})
	used := pipe.Guard{Pin: &identity.Pin{ClusterID: "c", MemberID: "3", Forced: true}, ForcedBy: "ETCD_FORCE_NEW_CLUSTER (/etc/default/etcd:4)"}
	again := used
	again.Forced = true
	for name, tc := range map[string]struct {
		data    datadir.Data
		node    Node
		left    bool // out of etcd's settings
		refused bool
	}{
		"not set":                               {two, Node{Guard: used}, false, false},
		"the first use, pinned":                 {two, Node{ForceNewCluster: true, Guard: pin("c", "3")}, false, false},
		"the first use, no pin":                 {two, Node{ForceNewCluster: true}, false, false},
		"a restart of the member":               {one, Node{ForceNewCluster: true, Guard: pipe.Guard{Forced: true}}, true, false},
		"a restart, a member was added":         {two, Node{ForceNewCluster: true, Guard: pipe.Guard{Forced: true}}, true, false},
		"a restart, and the pin knows":          {two, Node{ForceNewCluster: true, Guard: again}, true, false},
		"a new daemon, alone":                   {one, Node{ForceNewCluster: true, Guard: used}, true, false},
		"a new daemon, a member was added":      {two, Node{ForceNewCluster: true, Guard: used}, true, true},
		"a new daemon, the database is damaged": {served(), Node{ForceNewCluster: true, Guard: used}, true, false},
		"the pin is another member's":           {changed(two, func(d *datadir.Data) { d.WAL.MemberID = 4 }), Node{ForceNewCluster: true, Guard: used}, false, false},
		"no data":                               {empty, Node{ForceNewCluster: true, Guard: used}, false, false},
	} {
		left, f := tc.node.unforced(tc.data)
		if left != tc.left || (f != nil) != tc.refused {
			t.Errorf("%s: %v, %v", name, left, f)
		}
		if f != nil && (f.ID != failure.IDForcedAgain || f.Exit != failure.ExitConfig || !strings.Contains(f.Error(), "remove ETCD_FORCE_NEW_CLUSTER (/etc/default/etcd:4); the data has 2 members")) {
			t.Errorf("%s: %v", name, f)
		}
	}
}

// The setting counts only where nobody answers any more of those whom it drops.
func TestThrowsOut(t *testing.T) {
	data := served(member3, datadir.Member{ID: 1, Name: "a", PeerURLs: []string{"http://refuses", "z0"}}, datadir.Member{ID: 2, PeerURLs: []string{"z1"}})
	guard := pipe.Guard{Patient: true, ForcedBy: "ETCD_FORCE_NEW_CLUSTER (FILE:4)"}
	forced := Node{ForceNewCluster: true, AsEtcd: true, Guard: guard}
	begins := says(peers.List{}, &peers.Waits{Announcement: peers.Announcement{ClusterID: 0xc, MemberID: 2}})
	const do = "; remove ETCD_FORCE_NEW_CLUSTER (FILE:4), or first stop them for good, on each of their machines: systemctl disable --now etcd"
	for name, tc := range map[string]struct {
		node  Node
		data  datadir.Data
		peers []fakePeer
		took  time.Duration
		want  string
	}{
		"nobody is there":               {forced, data, []fakePeer{closed, closed}, restartLimit, ""},
		"nobody answers":                {forced, data, []fakePeer{mute, mute}, 2*askTimeout + peers.PauseMissing, ""},
		"both answer":                   {forced, data, []fakePeer{lists(whole), lists(whole)}, settleLimit, "2 (), a ()" + do},
		"one answers":                   {forced, data, []fakePeer{lists(whole), closed}, settleLimit, "a ()" + do},
		"one answers with TLS":          {forced, data, []fakePeer{closed, overTLS("c", whole)}, settleLimit, "2 ()" + do},
		"one knows no members yet":      {forced, data, []fakePeer{closed, lists(nil)}, settleLimit, "2 ()" + do},
		"one is about to begin":         {forced, data, []fakePeer{closed, begins}, settleLimit, "2 ()" + do},
		"one was about to begin":        {forced, data, []fakePeer{closed, later(time.Second, begins, closed)}, settleLimit, "2 ()" + do},
		"one is being stopped":          {forced, data, []fakePeer{later(time.Second, lists(whole), closed), closed}, time.Second/2 + restartLimit, ""},
		"one is being restarted":        {forced, data, []fakePeer{later(3*time.Second/2, closed, lists(whole)), closed}, settleLimit, "a ()" + do},
		"another cluster lives there":   {forced, data, []fakePeer{of("d", whole), closed}, restartLimit, ""},
		"something else lives there":    {forced, data, []fakePeer{alert, closed}, restartLimit, ""},
		"one was wiped":                 {forced, data, []fakePeer{noData, closed}, restartLimit, ""},
		"not set":                       {Node{Guard: guard}, data, []fakePeer{lists(whole), lists(whole)}, 0, ""},
		"without systemd":               {Node{ForceNewCluster: true}, data, []fakePeer{lists(whole), lists(whole)}, 0, ""},
		"of a cluster of one":           {forced, served(member3), []fakePeer{lists(whole), lists(whole)}, 0, ""},
		"the database tells no members": {forced, served(), []fakePeer{lists(whole), lists(whole)}, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, _ := checker(tc.node, fakeAsker{peers: tc.peers})
				var own peers.Announcement
				c.Announce = func(says func() peers.Announcement) (func(), error) { own = says(); return func() {}, nil }
				asked := time.Now()
				f := c.throwsOut(t.Context(), tc.data)
				took, got := time.Since(asked), ""
				if f != nil {
					got = f.Detail
					if f.ID != failure.IDForcedBeside || f.Exit != failure.ExitConfig {
						t.Errorf("%+v", f)
					}
				}
				if got != tc.want || took != tc.took {
					t.Errorf("%q after %s, want %q after %s", got, took, tc.want, tc.took)
				}
				if want := (peers.Announcement{ClusterID: 0xc, MemberID: 3}); tc.took > 0 && own != want {
					t.Errorf("it says %+v", own)
				}
			})
		})
	}
}
