package datadir

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.etcd.io/etcd/etcdutl/v3/snapshot"
	"go.uber.org/zap"

	"github.com/etcd-node/etcd-node/test/poll"
)

// stuck starts a member and fails if it ever serves, or ends: etcd has learnt
// to handle this itself, then the finding is not needed any more.
func stuck(t *testing.T, s spec) {
	t.Helper()
	m := start(t, s)
	if err := m.put(silence); err == nil {
		t.Error("etcd serves from this")
	}
	select {
	case <-m.ended:
		t.Errorf("etcd ends by itself:\n%s", m.output())
	default:
	}
	m.kill()
}

func TestWALLost(t *testing.T) {
	t.Parallel()
	s := alone(t)
	s.Segment = 16 << 10
	m := start(t, s).serves(200)
	m.stop()
	d := sound(t, s)
	files, err := filepath.Glob(filepath.Join(d.WALDir, "*.wal"))
	must(t, err)
	if len(files) < 2 {
		t.Fatalf("only %v", files)
	}
	newest := filepath.Base(files[len(files)-1])
	for name, c := range map[string]struct {
		damage func(waldir string) error
		why    string
	}{
		"deleted":       {os.RemoveAll, "there is no WAL in"},
		"newest gone":   {func(w string) error { return os.Remove(filepath.Join(w, newest)) }, "ends at"},
		"newest zeroed": {func(w string) error { return os.Truncate(filepath.Join(w, newest), 0) }, "the file has no head"},
	} {
		t.Run(name, func(t *testing.T) {
			c1 := s
			c1.Dir = copyDir(t, s.Dir)
			must(t, c.damage(filepath.Join(c1.Dir, "member", "wal")))
			why, yes := inspect(t, c1).WALLost()
			if !yes || !strings.Contains(why, c.why) || !strings.Contains(why, fmt.Sprint(d.DB.ConsistentIndex)) {
				t.Errorf("%v %q, want %q", yes, why, c.why)
			}
			if name != "newest zeroed" { // there etcd says that the file has no metadata
				stuck(t, c1)
			}
		})
	}
}

// TestWALCutShort: a log that ends in the middle of an entry, as a repaired file
// system can leave it. etcd cuts that entry off, and is content.
func TestWALCutShort(t *testing.T) {
	t.Parallel()
	m := start(t, alone(t)).serves(100)
	m.stop()
	d := sound(t, m.spec)
	files, err := filepath.Glob(filepath.Join(d.WALDir, "*.wal"))
	must(t, err)
	whole, err := os.ReadFile(files[0])
	must(t, err)
	used := len(bytes.TrimRight(whole, "\x00"))
	must(t, os.Truncate(files[0], int64(used/2)|1)) // entries begin at multiples of 8: not between two of them
	cut := inspect(t, m.spec)
	why, yes := cut.WALLost()
	if !yes || cut.WAL.LastIndex == 0 || cut.WAL.LastIndex >= d.DB.ConsistentIndex || cut.WAL.MemberID != d.WAL.MemberID {
		t.Errorf("%v %q %+v", yes, why, cut.WAL)
	}
	stuck(t, m.spec)
	after := inspect(t, m.spec)
	if why2, yes := after.WALLost(); !yes {
		t.Errorf("when etcd has been there: %q", why2)
	}
	if _, torn := after.Torn(); !torn || after.Broken.Files != 1 {
		t.Errorf("etcd keeps the torn file: %+v", after.Broken)
	}
}

// TestBehind: the verdict by who could bring what is missing.
func TestBehind(t *testing.T) {
	t.Parallel()
	one := []Member{{ID: 1, Name: "a"}}
	learner := append([]Member{{ID: 2, Name: "b", Learner: true}}, one...)
	three := append([]Member{{ID: 2, Name: "b"}, {ID: 3, Name: "c"}}, one...)
	for name, c := range map[string]struct {
		members      []Member
		wal          WAL
		lost, behind bool
	}{
		"whole":                  {three, WAL{Files: 1, MemberID: 1, LastIndex: 10}, false, false},
		"alone":                  {one, WAL{Files: 1, MemberID: 1, LastIndex: 9}, true, false},
		"alone, with a learner":  {learner, WAL{Files: 1, MemberID: 1, LastIndex: 9}, true, false},
		"the learner":            {learner, WAL{Files: 1, MemberID: 2, LastIndex: 9}, false, true},
		"one of three":           {three, WAL{Files: 1, MemberID: 1, LastIndex: 9}, false, true},
		"one of three, no WAL":   {three, WAL{}, true, false},
		"alone, and unreadable":  {one, WAL{Files: 1}, true, false},
		"of three, unreadable":   {three, WAL{Files: 1}, false, true},
		"restored without a WAL": {nil, WAL{}, true, false},
	} {
		d := Data{WAL: c.wal, DB: DB{ConsistentIndex: 10, Members: c.members}}
		if _, got := d.WALLost(); got != c.lost {
			t.Errorf("%s: lost %v", name, got)
		}
		if _, got := d.Behind(); got != c.behind {
			t.Errorf("%s: behind %v", name, got)
		}
	}
}

// TestSnapshotRestored: what etcdutl makes is a whole data dir.
func TestSnapshotRestored(t *testing.T) {
	t.Parallel()
	m := start(t, alone(t)).serves(20)
	m.stop()
	s := alone(t)
	s.WALDir = filepath.Join(t.TempDir(), "wal")
	must(t, snapshot.NewV3(zap.NewNop()).Restore(snapshot.RestoreConfig{
		SnapshotPath: filepath.Join(m.Dir, "member", "snap", "db"), SkipHashCheck: true, // which a copy has not
		Name: s.Name, OutputDataDir: s.Dir, OutputWALDir: s.WALDir, PeerURLs: []string{"http://" + s.Peer},
		InitialCluster: s.Name + "=http://" + s.Peer, InitialClusterToken: "restored",
	}))
	sound(t, s)
	start(t, s).serves(1).kill()
	sound(t, s)
}

// TestSnapshotFromLeader: a member that got the database from its leader has
// no entries from before, and its WAL begins with the snapshot's place.
func TestSnapshotFromLeader(t *testing.T) {
	t.Parallel()
	s := alone(t)
	s.SnapshotCount = 10
	leader := start(t, s).serves(100)
	joining := alone(t)
	joining.Name = "m2"
	joining.Cluster = fmt.Sprintf("m1=http://%s,m2=http://%s", s.Peer, joining.Peer)
	_, err := leader.client.MemberAdd(t.Context(), []string{"http://" + joining.Peer})
	must(t, err)
	follower := start(t, joining).serves(1)
	follower.kill()
	if d := sound(t, joining); len(d.DB.Members) != 2 || d.DB.ConsistentIndex < 100 {
		t.Errorf("%+v", d.DB)
	}
	if !strings.Contains(follower.output(), "received and saved database snapshot") {
		t.Error("there was no snapshot to send")
	}
	again := start(t, joining).serves(20)
	again.stop()
	d := sound(t, joining)

	// What the leader believes this member to have cannot be taken away: that
	// is not silent, and not for this package to decide.
	file := filepath.Join(d.WALDir, "0000000000000000-0000000000000000.wal")
	b, err := os.ReadFile(file)
	must(t, err)
	must(t, os.Truncate(file, int64(len(bytes.TrimRight(b, "\x00"))-600)))
	d = inspect(t, joining)
	behind, _ := d.Behind()
	if why, lost := d.WALLost(); lost || !strings.Contains(behind, "cannot be read beyond") {
		t.Errorf("lost %v %q, behind %q", lost, why, behind)
	}
	short := start(t, joining)
	poll.Eventually(t, func() error {
		select {
		case <-short.ended:
			if !strings.Contains(short.output(), "panic: tocommit(") {
				t.Errorf("etcd ends in another way now:\n%s", short.output())
			}
			return nil
		default:
		}
		// On a slow machine the leader may have stepped down, alone, and be
		// elected anew: then it believes nothing and sends all that is missing.
		if !strings.Contains(short.output(), "ready to serve client requests") {
			return errors.New("it has not ended, and does not serve")
		}
		return nil
	})
}
