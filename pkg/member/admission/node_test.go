package admission

import (
	"errors"
	"strings"
	"testing"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/identity"
	"github.com/etcd-node/etcd-node/pkg/member/datadir"
	"github.com/etcd-node/etcd-node/pkg/member/peers"
	"github.com/etcd-node/etcd-node/pkg/pipe"
)

var (
	member3  = datadir.Member{ID: 3, Name: "c", PeerURLs: []string{"http://192.0.2.3:2380"}}
	loopback = datadir.Member{ID: 3, Name: "c", PeerURLs: []string{"http://localhost:2380"}}

	empty     = datadir.Data{WALDir: "wal"}
	halfBegun = datadir.Data{WALDir: "wal", WAL: datadir.WAL{Files: 1, ClusterID: 0xc, MemberID: 3}}
)

// served is the data of member 3 of cluster c, which has the given members.
func served(members ...datadir.Member) datadir.Data {
	return datadir.Data{
		WALDir: "wal",
		WAL:    datadir.WAL{Files: 1, ClusterID: 0xc, MemberID: 3, Entries: true, LastIndex: 9, Term: 1, Commit: 9},
		DB:     datadir.DB{Path: "db", Exists: true, Size: 1, ConsistentIndex: 9, Term: 1, StorageVersion: "3.7.0", Members: members},
	}
}

func changed(d datadir.Data, change func(*datadir.Data)) datadir.Data {
	change(&d)
	return d
}

func pin(cluster, member string) pipe.Guard {
	return pipe.Guard{Pin: &identity.Pin{ClusterID: cluster, MemberID: member}}
}

func TestDecide(t *testing.T) {
	others := []peers.Peer{{URLs: []string{"http://192.0.2.1:2380"}}, {URLs: []string{"http://127.0.0.1:2380"}}}
	local := others[1:]
	damaged, unreadable := pipe.Guard{Damage: "the pin is damaged"}, pipe.Guard{Unreadable: "no permission"}
	noWAL := func(d *datadir.Data) { d.WAL = datadir.WAL{} }
	for name, tc := range map[string]struct {
		data datadir.Data
		node Node
		want any // a step, or the ID of a failure
	}{
		"no data":                               {empty, Node{}, begin},
		"no data, pinned":                       {empty, Node{Guard: pin("c", "3")}, begin},
		"no data, the pin cannot be read":       {empty, Node{Guard: unreadable}, begin},
		"its own data":                          {served(member3), Node{Guard: pin("c", "3")}, start},
		"data, no pin":                          {served(member3), Node{}, start},
		"data, the pin is damaged":              {served(member3), Node{Guard: damaged}, start},
		"data, the pin cannot be read":          {served(member3), Node{Guard: unreadable}, start},
		"another member's data":                 {served(member3), Node{Guard: pin("c", "4")}, stay},
		"another cluster's data":                {served(member3), Node{Guard: pin("d", "3")}, failure.IDOtherIdentity},
		"a log that does not say whose it is":   {changed(served(member3), func(d *datadir.Data) { d.WAL.MemberID, d.WAL.Damage = 0, errors.New("no head") }), Node{Guard: pin("d", "4")}, start},
		"of a newer etcd":                       {changed(served(member3), func(d *datadir.Data) { d.DB.StorageVersion = "3.8.0" }), Node{}, failure.IDTooNew},
		"of a newer etcd and another cluster":   {changed(served(member3), func(d *datadir.Data) { d.DB.StorageVersion = "3.8.0" }), Node{Guard: pin("d", "3")}, failure.IDTooNew},
		"the log ends early, alone":             {changed(served(member3), func(d *datadir.Data) { d.WAL.LastIndex = 8 }), Node{}, failure.IDWALLost},
		"the log is damaged early, alone":       {changed(served(member3), func(d *datadir.Data) { d.WAL.LastIndex, d.WAL.Damage = 8, errors.New("crc mismatch") }), Node{}, failure.IDDamaged},
		"the log ends early, others have it":    {changed(served(member3, datadir.Member{ID: 1}), func(d *datadir.Data) { d.WAL.LastIndex = 8 }), Node{}, start},
		"no log":                                {changed(served(member3), noWAL), Node{}, failure.IDWALLost},
		"no log, an unreadable database":        {changed(served(), func(d *datadir.Data) { noWAL(d); d.DB = datadir.DB{Exists: true, Damage: errors.New("bad page")} }), Node{Guard: pin("c", "3")}, failure.IDWALLost},
		"the same, the pin is damaged":          {changed(served(), func(d *datadir.Data) { noWAL(d); d.DB = datadir.DB{Exists: true, Damage: errors.New("bad page")} }), Node{Guard: damaged}, failure.IDWALLost},
		"the same, no member has lived here":    {changed(served(), func(d *datadir.Data) { noWAL(d); d.DB = datadir.DB{Exists: true, Damage: errors.New("bad page")} }), Node{}, start},
		"half-begun, alone":                     {halfBegun, Node{OnlyMember: true}, moveAside},
		"half-begun, alone, pinned":             {halfBegun, Node{OnlyMember: true, Guard: pin("c", "3")}, failure.IDWiped},
		"half-begun, alone, the pin is damaged": {halfBegun, Node{OnlyMember: true, Guard: damaged}, failure.IDWiped},
		"half-begun, alone, pin unreadable":     {halfBegun, Node{OnlyMember: true, Guard: unreadable}, begin},
		"half-begun, one of several":            {halfBegun, Node{}, start},
		"half-begun, one of several, pinned":    {halfBegun, Node{Guard: pin("c", "3")}, failure.IDWiped},
		"half-begun, a replacement":             {halfBegun, Node{Guard: pin("c", "2")}, stay},
		"half-begun, of another cluster":        {halfBegun, Node{Guard: pin("d", "3")}, failure.IDOtherIdentity},

		"one of several, nothing is configured":      {served(member3, datadir.Member{ID: 1}), Node{Guard: pipe.Guard{Unconfigured: true}}, failure.IDLoopbackConfig},
		"the same, --force-new-cluster":              {served(member3, datadir.Member{ID: 1}), Node{ForceNewCluster: true, Guard: pipe.Guard{Unconfigured: true}}, start},
		"several on loopback, nothing is configured": {served(loopback, datadir.Member{ID: 1}), Node{Guard: pipe.Guard{Unconfigured: true}}, start},
		"alone on loopback, a list of several":       {served(loopback), Node{Others: others}, failure.IDLoopbackData},
		"alone on loopback, a list of this machine":  {served(loopback), Node{Others: local}, start},
		"alone, a list of several":                   {served(member3), Node{Others: others}, start},
		"alone on loopback, with more to be applied": {changed(served(loopback), func(d *datadir.Data) { d.WAL.LastIndex = 10 }), Node{Others: others}, start},
		"another cluster's data on loopback":         {served(loopback), Node{Others: others, Guard: pin("d", "3")}, failure.IDOtherIdentity},
		"another member's data on loopback":          {served(loopback), Node{Others: others, Guard: pin("c", "4")}, stay},
	} {
		t.Run(name, func(t *testing.T) {
			next, f := tc.node.decide(tc.data)
			var got any = next
			if f != nil {
				got = f.ID
			}
			if got != tc.want {
				t.Errorf("%v (%v), want %v", got, f, tc.want)
			}
			if f != nil && f.ID == failure.IDWiped && !strings.Contains(f.Detail, tc.node.pinned()) {
				t.Errorf("the refusal %q lacks %q", f.Detail, tc.node.pinned())
			}
		})
	}
}

// The next steps name the member whose peer URL has to change.
func TestLoopbackDataNamesTheMember(t *testing.T) {
	n := Node{Others: []peers.Peer{{URLs: []string{"http://192.0.2.1:2380"}}}}
	if _, f := n.decide(served(loopback)); f == nil || f.Values["member-id"] != "3" || !strings.Contains(f.Detail, "http://localhost:2380") {
		t.Errorf("%+v", f)
	}
}
