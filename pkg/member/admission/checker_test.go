package admission

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"
	"go.uber.org/zap"
	"google.golang.org/protobuf/proto"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/server/v3/storage/wal"
	"go.etcd.io/raft/v3/raftpb"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/status"
)

// dataDir is a data dir with a WAL of member 3 of cluster c that holds entries.
func dataDir(t *testing.T, entries ...*raftpb.Entry) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	must(t, os.MkdirAll(filepath.Join(dir, "member"), 0o700))
	head, err := proto.Marshal(&etcdserverpb.Metadata{ClusterID: new(uint64(0xc)), NodeID: new(uint64(3))})
	must(t, err)
	w, err := wal.Create(zap.NewNop(), filepath.Join(dir, "member", "wal"), head)
	must(t, err)
	if len(entries) > 0 {
		must(t, w.Save(&raftpb.HardState{Term: new(uint64(1)), Commit: entries[len(entries)-1].Index}, entries))
	}
	must(t, w.Close())
	return dir
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func admit(t *testing.T, n Node) (Admission, *failure.Failure) {
	t.Helper()
	c, _ := checker(n, fakeAsker{})
	return c.Admit(t.Context())
}

var entry = &raftpb.Entry{Term: new(uint64(1)), Index: new(uint64(1)), Type: raftpb.EntryNormal.Enum()}

func TestInterruptedFirstStart(t *testing.T) {
	dir := dataDir(t)
	aside := filepath.Join(dir, "member", "wal.unfinished-*")
	for i := range 3 {
		if _, f := admit(t, Node{DataDir: dir, New: true, OnlyMember: true}); f != nil {
			t.Fatal(f)
		}
		kept, err := filepath.Glob(aside)
		if err != nil || len(kept) != i+1 {
			t.Fatalf("kept %v, %v", kept, err)
		}
		if _, err := os.Stat(filepath.Join(dir, "member", "wal")); !os.IsNotExist(err) {
			t.Fatalf("the WAL is still in the way: %v", err)
		}
		must(t, os.CopyFS(filepath.Join(dir, "member", "wal"), os.DirFS(kept[0])))
	}
	if _, f := admit(t, Node{DataDir: dir, New: true, OnlyMember: true}); idOf(f) != failure.IDAsideLimit {
		t.Errorf("after three: %v", f)
	}
	if kept, _ := filepath.Glob(aside); len(kept) != 3 {
		t.Errorf("kept %v", kept)
	}
}

// Root pastes the command.
func TestExposedIsPasted(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "my data;reboot")
	must(t, os.Mkdir(dir, 0o755))
	if text, _ := (Node{DataDir: dir}).exposed(); !strings.HasSuffix(text, "(chmod 0700 '"+dir+"')") {
		t.Errorf("%s", text)
	}
}

// What is of no harm is shown, and etcd starts.
func TestConditions(t *testing.T) {
	dir := dataDir(t, entry)
	must(t, os.Chmod(dir, 0o750))
	must(t, os.WriteFile(filepath.Join(dir, "member", "wal", "0.wal.broken"), make([]byte, 10), 0o600))
	must(t, os.Mkdir(filepath.Join(dir, "member", "wal.unfinished-1"), 0o700))
	a, f := admit(t, Node{DataDir: dir, Guard: pin("c", "3")})
	if f != nil || a.Joins {
		t.Fatal(f, a.Joins)
	}
	var got []string
	for _, c := range a.Conditions {
		got = append(got, c.ID)
		if c.Text == "" || !strings.Contains(c.Text, dir) {
			t.Errorf("%s says %q", c.ID, c.Text)
		}
	}
	if want := strings.Join([]string{failure.IDDirMode, failure.IDWALBroken, failure.IDHalfBegun}, " "); strings.Join(got, " ") != want {
		t.Errorf("conditions %v, want %v", got, want)
	}
}

func TestAccess(t *testing.T) {
	for name, tc := range map[string]struct {
		make func(dir string) error
		want string
	}{
		"nothing there":      {func(string) error { return nil }, ""},
		"data dir is a file": {func(dir string) error { return os.WriteFile(dir, nil, 0o600) }, failure.IDDirAccess},
		"member is a file": {func(dir string) error {
			must(t, os.Mkdir(dir, 0o700))
			return os.WriteFile(filepath.Join(dir, "member"), nil, 0o600)
		}, failure.IDDirAccess},
		"database is a directory": {func(dir string) error { return os.MkdirAll(filepath.Join(dir, "member", "snap", "db"), 0o700) }, failure.IDDirAccess},
		"WAL dir is a file":       {func(dir string) error { return os.WriteFile(dir+".wal", nil, 0o600) }, failure.IDDirAccess},
		"a loop of links":         {func(dir string) error { return os.Symlink(dir, dir) }, failure.IDDirAccess},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "data")
			must(t, tc.make(dir))
			if _, f := admit(t, Node{DataDir: dir, WALDir: dir + ".wal"}); idOf(f) != tc.want {
				t.Errorf("%v, want %q", f, tc.want)
			}
		})
	}
}

// A database that another process holds is waited for where somebody sees it.
func TestLocked(t *testing.T) {
	dir := dataDir(t, entry)
	must(t, os.Mkdir(filepath.Join(dir, "member", "snap"), 0o700))
	holder, err := bolt.Open(filepath.Join(dir, "member", "snap", "db"), 0o600, nil)
	must(t, err)
	t.Cleanup(func() { holder.Close() })

	n := Node{DataDir: dir, Guard: pin("c", "3")}
	if _, f := admit(t, n); idOf(f) != failure.IDLocked || !strings.Contains(f.Detail, "which process ") {
		t.Errorf("nobody waits: %v", f)
	}
	n.Guard.Patient = true
	var release sync.Once
	c, _ := checker(n, fakeAsker{})
	said := ""
	c.Waiting = func(c status.Condition) {
		said += c.ID + ": " + c.Text
		release.Do(func() { time.AfterFunc(2*lockPoll, func() { holder.Close() }) })
	}
	if _, f := c.Admit(t.Context()); f != nil {
		t.Errorf("after the lock is free: %v", f)
	}
	if want := "db-locked: waiting for the lock of " + dir; !strings.HasPrefix(said, want) || strings.Count(said, "waiting") != 1 {
		t.Errorf("said %q, want %q once", said, want)
	}
}

// What cannot be read here, etcd cannot read either: it has the better words.
func TestUnreadableData(t *testing.T) {
	dir := dataDir(t, entry)
	must(t, os.Mkdir(filepath.Join(dir, "member", "wal", "0000000000000009-0000000000000009.wal"), 0o700))
	for _, n := range []Node{{Guard: pin("c", "3")}, {New: true, OnlyMember: true}} {
		n.DataDir = dir
		if a, f := admit(t, n); f != nil || a.Joins {
			t.Errorf("%v, joins: %v", f, a.Joins)
		}
	}
}
