package datadir

import (
	"path/filepath"
	"testing"

	"google.golang.org/protobuf/proto"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/server/v3/storage/wal"
	"go.etcd.io/etcd/server/v3/storage/wal/walpb"
	"go.etcd.io/raft/v3/raftpb"
)

// create makes a log with etcd's own writer, without a member around it.
func create(t testing.TB, waldir string) *wal.WAL {
	t.Helper()
	head, err := proto.Marshal(&etcdserverpb.Metadata{NodeID: proto.Uint64(1), ClusterID: proto.Uint64(2)})
	must(t, err)
	w, err := wal.Create(nop, waldir, head)
	must(t, err)
	t.Cleanup(func() { w.Close() })
	w.SetUnsafeNoFsync()
	return w
}

func entry(index uint64, size int) *raftpb.Entry {
	return &raftpb.Entry{Term: proto.Uint64(1), Index: proto.Uint64(index), Data: make([]byte, size)}
}

func state(term, commit uint64) *raftpb.HardState {
	return &raftpb.HardState{Term: proto.Uint64(term), Vote: proto.Uint64(0), Commit: proto.Uint64(commit)}
}

func TestWAL(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		write func(w *wal.WAL) error
		want  WAL
	}{
		"only begun": {
			func(w *wal.WAL) error { return nil },
			WAL{Files: 1},
		},
		"voted, no entry": { // a member of a cluster that hears of an election first
			func(w *wal.WAL) error { return w.Save(state(7, 0), nil) },
			WAL{Files: 1, Term: 7},
		},
		"begins with a snapshot": {
			func(w *wal.WAL) error {
				return w.SaveSnapshot(&walpb.Snapshot{Index: proto.Uint64(500), Term: proto.Uint64(3), ConfState: &raftpb.ConfState{}})
			},
			WAL{Files: 1, Entries: true, LastIndex: 500},
		},
		"the newest file was just begun": {
			func(w *wal.WAL) error {
				return w.Save(state(1, 2), []*raftpb.Entry{entry(1, 10), entry(2, int(wal.SegmentSizeBytes))})
			},
			WAL{Files: 2, Entries: true, LastIndex: 2, Term: 1, Commit: 2},
		},
		"entries replaced by fewer": { // of a leader that lost its place
			func(w *wal.WAL) error {
				if err := w.Save(state(1, 1), []*raftpb.Entry{entry(1, 10), entry(2, 10), entry(3, 10)}); err != nil {
					return err
				}
				return w.Save(state(2, 1), []*raftpb.Entry{entry(2, 20)})
			},
			WAL{Files: 1, Entries: true, LastIndex: 2, Term: 2, Commit: 1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			w := create(t, filepath.Join(dir, "member", "wal"))
			must(t, c.write(w))
			must(t, w.Sync())
			d := inspect(t, spec{Dir: dir})
			c.want.ClusterID, c.want.MemberID = 2, 1
			if d.WAL != c.want {
				t.Errorf("%+v, want %+v", d.WAL, c.want)
			}
			if want := name == "only begun"; d.HalfBegun() != want {
				t.Errorf("half begun: %v", !want)
			}
		})
	}
}
