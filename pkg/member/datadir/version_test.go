package datadir

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	bolt "go.etcd.io/bbolt"
	"go.etcd.io/etcd/server/v3/storage/schema"
)

// recorded unpacks a data dir of a real older etcd; testdata/record.sh made them.
func recorded(t *testing.T, name string) spec {
	t.Helper()
	s := alone(t)
	s.Dir = t.TempDir()
	if out, err := exec.Command("tar", "-xzf", filepath.Join("testdata", name+".tar.gz"), "-C", s.Dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return s
}

func TestForeignTooOld(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"etcd-3.4": "the data is of etcd 3.4, which etcd 3.7.3 cannot read: upgrade one minor version at a time, 3.4 → 3.5 → 3.6 → 3.7",
		"etcd-3.5": "the data is of etcd 3.5, which etcd 3.7.3 cannot read: upgrade one minor version at a time, 3.5 → 3.6 → 3.7",
	} {
		s := recorded(t, name)
		why, yes := inspect(t, s).Foreign()
		if !yes || !strings.HasPrefix(why, want) {
			t.Errorf("%s: %v %q", name, yes, why)
		}
		if !HoldsV2(filepath.Join(s.Dir, "member", "wal")) {
			t.Errorf("%s: what it trips over is taken for damage", name)
		}
		m := start(t, s)
		<-m.ended
		if !strings.Contains(m.output(), "unmarshal should never fail") {
			t.Errorf("%s: etcd says something else now:\n%s", name, m.output())
		}
	}
}

// TestForeignWithoutClusterVersion: a member of 3.4 that was killed in its first
// second has left no version at all.
func TestForeignWithoutClusterVersion(t *testing.T) {
	t.Parallel()
	s := recorded(t, "etcd-3.4")
	edit(t, s, func(tx *bolt.Tx) error {
		return tx.Bucket(schema.Cluster.Name()).Delete(schema.ClusterClusterVersionKeyName)
	})
	if why, yes := inspect(t, s).Foreign(); !yes || !strings.Contains(why, "of etcd 3.5 or older") {
		t.Errorf("%v %q", yes, why)
	}
}

func TestOldButReadable(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"etcd-3.5-snapshot": "3.5.0", "etcd-3.6": "3.6.0"} {
		s := recorded(t, name)
		if d := sound(t, s); d.DB.ClusterVersion != want || HoldsV2(d.WALDir) {
			t.Errorf("%s: %+v", name, d.DB)
		}
		start(t, s).serves(1).kill()
		sound(t, s)
	}
}

// Which entries that cannot be decoded are of the v2 API, and not damaged.
func TestIsV2(t *testing.T) {
	for entry, want := range map[string]bool{
		"\x08\x01\x12\x03PUT\x1a\x0a/0/version": true,
		"\x08\x01\x12\x03GUT\x1a\x0a/0/version": false,
		"\x08\x01\x12\x03PUT\x1a\x01x":          false,
		"\xff\xff\xff":                          false,
		"":                                      false,
	} {
		if got := isV2([]byte(entry)); got != want {
			t.Errorf("%q: %v", entry, got)
		}
	}
}

func TestForeignTooNew(t *testing.T) {
	t.Parallel()
	m := start(t, alone(t)).serves(1)
	m.stop()
	edit(t, m.spec, func(tx *bolt.Tx) error {
		return tx.Bucket(schema.Meta.Name()).Put(schema.MetaStorageVersionName, []byte("3.8.0"))
	})
	if why, yes := inspect(t, m.spec).Foreign(); !yes || !strings.Contains(why, "the data is of etcd 3.8, this is etcd 3.7.3: install 3.8 again") {
		t.Errorf("%v %q", yes, why)
	}
	again := start(t, m.spec)
	<-again.ended
	if !strings.Contains(again.output(), `version \"3.8.0\" is not supported`) {
		t.Errorf("etcd says something else now:\n%s", again.output())
	}
}

func edit(t *testing.T, s spec, f func(*bolt.Tx) error) {
	t.Helper()
	db, err := bolt.Open(filepath.Join(s.Dir, "member", "snap", "db"), 0o600, nil)
	must(t, err)
	defer db.Close()
	must(t, db.Update(f))
}
