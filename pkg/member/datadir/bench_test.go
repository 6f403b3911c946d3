package datadir

import (
	"path/filepath"
	"testing"

	"go.etcd.io/etcd/server/v3/storage/wal"
	"go.etcd.io/raft/v3/raftpb"
)

// BenchmarkInspect measures what the look costs a start; "etcd" is what etcd
// then takes to read the same WAL.
func BenchmarkInspect(b *testing.B) {
	for _, c := range []struct {
		name    string
		entries uint64
		bytes   int
	}{
		{"small", 10, 100},
		{"60MB-of-100B", 420_000, 100},
		{"60MB-of-1kB", 58_000, 1000},
		{"180MB-of-300B", 540_000, 300},
	} {
		dir := b.TempDir()
		waldir := filepath.Join(dir, "member", "wal")
		fill(b, waldir, c.entries, c.bytes)
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				if d, err := Inspect(dir, ""); err != nil || d.WAL.LastIndex != c.entries || d.WAL.Damage != nil {
					b.Fatal(d, err)
				}
			}
		})
		b.Run(c.name+"/etcd", func(b *testing.B) {
			for b.Loop() {
				snaps, err := wal.ValidSnapshotEntries(nop, waldir)
				if err != nil {
					b.Fatal(err)
				}
				w, err := wal.OpenForRead(nop, waldir, snaps[0])
				if err != nil {
					b.Fatal(err)
				}
				if _, _, entries, err := w.ReadAll(); err != nil || len(entries) == 0 {
					b.Fatal(err)
				}
				w.Close()
			}
		})
	}
}

func fill(b *testing.B, waldir string, entries uint64, size int) {
	b.Helper()
	w := create(b, waldir)
	const batch = 10
	for i := uint64(1); i <= entries; i += batch {
		var es []*raftpb.Entry
		for j := i; j < i+batch; j++ {
			es = append(es, entry(j, size))
		}
		must(b, w.Save(state(1, i), es))
	}
	must(b, w.Sync())
}
