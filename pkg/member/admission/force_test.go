package admission

import (
	"strings"
	"testing"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/identity"
	"github.com/etcd-node/etcd-node/pkg/member/datadir"
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
