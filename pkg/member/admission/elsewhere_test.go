package admission

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/identity"
	"github.com/etcd-node/etcd-node/pkg/pipe"
)

// A pin of another data dir is another unit's, or one that the data has left.
// The same member under another path is not.
func TestPinOfAnotherDir(t *testing.T) {
	theirs := dataDir(t, entry) // of member 3 of cluster c
	away := filepath.Join(t.TempDir(), "events")
	link := filepath.Join(t.TempDir(), "link")
	must(t, os.Symlink(theirs, link))
	pinned := func(dir string) pipe.Guard {
		return pipe.Guard{Pin: &identity.Pin{ClusterID: "c", MemberID: "3", Name: "etcd-3", DataDir: dir}}
	}
	foreign := pinned(theirs)
	foreign.Pin.MemberID = "9"
	for name, tc := range map[string]struct {
		here string
		pin  pipe.Guard
		want string
	}{
		"a second unit begins":                  {away, pinned(theirs), failure.IDPinElsewhere},
		"a second unit has begun":               {dataDir(t, entry), pinned(theirs), ""}, // the same IDs: a copy, or moved
		"the data was moved here":               {theirs, pinned("/var/lib/gone"), ""},
		"a link to it":                          {link, pinned(theirs), ""},
		"nothing here, and nothing there":       {away, pinned("/var/lib/gone"), failure.IDPinElsewhere},
		"nothing here, below the pinned":        {filepath.Join("/var/lib/gone", "default.etcd"), pinned("/var/lib/gone"), failure.IDWiped},
		"nothing here, above the pinned":        {"/var/lib/gone", pinned("/var/lib/gone/default.etcd"), failure.IDWiped},
		"the pinned's own dir is empty":         {away, pinned(away), failure.IDWiped},
		"a pin that names no dir":               {away, pinned(""), failure.IDWiped},
		"data of another, the pin's lies there": {theirs, func() pipe.Guard { g := foreign; g.Pin.DataDir = "/var/lib/gone"; return g }(), failure.IDOtherIdentity},
	} {
		_, f := admit(t, Node{DataDir: tc.here, Guard: tc.pin, New: true})
		if idOf(f) != tc.want {
			t.Errorf("%s: %v, want %q", name, f, tc.want)
		}
		if tc.want == failure.IDPinElsewhere {
			want := "this pin is of " + tc.pin.Pin.DataDir + ": give this unit its own StateDirectory, RuntimeDirectory and LogsDirectory"
			if !strings.HasPrefix(f.Error(), want) || f.Exit != failure.ExitConfig {
				t.Errorf("%s: %s, exit %d", name, f, f.Exit)
			}
			if _, err := os.Stat(tc.here); !os.IsNotExist(err) {
				t.Errorf("%s: it began: %v", name, err)
			}
		}
	}
}

// A second unit of the same cluster: its data is its own, and the pin is not.
func TestPinOfAnotherUnitsData(t *testing.T) {
	theirs := dataDir(t, entry)
	n := Node{DataDir: "/var/lib/here", Guard: pipe.Guard{Pin: &identity.Pin{ClusterID: "c", MemberID: "3", DataDir: theirs}}}
	for cluster, data := range map[string]uint64{"another cluster's": 0xd, "the same cluster's": 0xc} {
		d := served(member3)
		d.WAL.ClusterID, d.WAL.MemberID = data, 4
		if _, f := n.decide(d); idOf(f) != failure.IDPinElsewhere {
			t.Errorf("%s: %v", cluster, f)
		}
	}
}
