package failure

import (
	"bytes"
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"

	bolt "go.etcd.io/bbolt"
	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/pkg/v3/pbutil"
	"go.etcd.io/etcd/pkg/v3/schedule"
	"go.etcd.io/etcd/server/v3/storage/backend"
	"go.etcd.io/etcd/server/v3/storage/schema"
	"go.etcd.io/etcd/server/v3/storage/wal"
	"go.etcd.io/etcd/server/v3/storage/wal/walpb"
	"go.etcd.io/raft/v3/raftpb"
)

// db is the database's path below the data dir.
const db = "member/snap/db"

// provokeData: damaged data, and data of other versions.
var provokeData = []provocation{
	{"database truncated", IDDamaged, "[signal SIGBUS", anyone, onSpoilt(func(c *child) { c.must(os.Truncate(c.path(db), 8192)) })},
	{"database garbage", IDDamaged, "assertion failed: ", anyone, onSpoilt(func(c *child) {
		c.change(c.path(db), func(b []byte) []byte {
			return append(b[:8192:8192], bytes.Repeat([]byte("garbage "), len(b)/8-1024)...)
		})
	})},
	{"both head pages bad", "database-unreadable", "failed to open database", anyone, onSpoilt(func(c *child) {
		c.change(c.path(db), func(b []byte) []byte { return append(make([]byte, 8192), b[8192:]...) })
	})},
	{"database older than the WAL's snapshot", IDDamaged, "failed to recover v3 backend from snapshot", anyone, func(c *child) {
		c.made(c.member())
		old, err := os.ReadFile(c.path(db))
		c.must(err)
		cfg := c.member()
		cfg.SnapshotCount = 10
		c.made(cfg)
		c.must(os.WriteFile(c.path(db), old, 0o600))
		c.watch(c.start(c.member()))
	}},
	{"byte of a WAL entry flipped", IDDamaged, "crc mismatch", anyone, onSpoilt(func(c *child) {
		c.change(c.firstWAL(), func(b []byte) []byte {
			b[bytes.Index(b, []byte("key-7"))] ^= 0xff
			return b
		})
	})},
	{"byte of a WAL record's head flipped", IDDamaged, "", anyone, onSpoilt(func(c *child) {
		c.change(c.firstWAL(), func(b []byte) []byte {
			b[8] = 0xff // behind the first record's length
			return b
		})
	})},
	{"length of the first WAL record flipped", IDDamaged, "nil pointer dereference…etcdserver.bootstrap(", anyone, onSpoilt(func(c *child) {
		c.change(c.firstWAL(), func(b []byte) []byte {
			b[6] = 0x7f // of the first record's length
			return b
		})
	})},
	{"WAL cut to nothing", IDDamaged, "nil pointer dereference…etcdserver.bootstrap(", anyone, onSpoilt(func(c *child) {
		c.must(os.Truncate(c.firstWAL(), 0))
	})},
	{"WAL with a gap", IDDamaged, "failed to read WAL, cannot be repaired", anyone, onSpoilt(func(c *child) {
		c.must(os.RemoveAll(c.path("member/wal")))
		w, err := wal.Create(c.log, c.path("member/wal"), pbutil.MustMarshalMessage(&etcdserverpb.Metadata{NodeID: new(uint64(1)), ClusterID: new(uint64(2))}))
		c.must(err)
		c.must(w.Save(&raftpb.HardState{Term: new(uint64(1)), Commit: new(uint64(9))}, []*raftpb.Entry{
			{Term: new(uint64(1)), Index: new(uint64(1))}, {Term: new(uint64(1)), Index: new(uint64(9))},
		}))
		c.must(w.Close())
	})},
	{"last WAL record cut off, repair impossible", IDWALRepair, "failed to repair WAL", anyone, onSpoilt(func(c *child) {
		c.change(c.firstWAL(), func(b []byte) []byte { return bytes.TrimRight(b, "\x00")[:len(bytes.TrimRight(b, "\x00"))-9] })
		c.must(os.Mkdir(c.firstWAL()+".broken", 0o700))
	})},
	{"first WAL file missing", IDWALLost, "wal: file not found", anyone, onSpoilt(func(c *child) {
		c.must(os.Rename(c.firstWAL(), c.path("member/wal/0000000000000001-00000000000000ff.wal")))
	})},
	{"WAL file in the middle missing", IDDamaged, "crc mismatch", anyone, onSpoilt(func(c *child) {
		b, err := os.ReadFile(c.firstWAL())
		c.must(err)
		c.must(os.WriteFile(c.path("member/wal/0000000000000002-00000000000000ff.wal"), b, 0o600))
	})},
	{"end of the WAL missing, hard state kept", IDWALLost, "state.commit…is out of range", anyone, onSpoilt(func(c *child) {
		c.append(func(st *raftpb.HardState, _ uint64) (*raftpb.HardState, []*raftpb.Entry) {
			st.Commit = new(st.GetCommit() + 100)
			return st, nil
		})
	})},

	{"bucket without a head", IDDamaged, "", anyone, onSpoilt(func(c *child) { c.change(c.path(db), behead) })},
	{"bucket without a head, come upon in one of etcd's jobs", IDDamaged, "", anyone, func(c *child) {
		c.made(c.member())
		c.change(c.path(db), behead)
		b, err := bolt.Open(c.path(db), 0o600, nil)
		c.must(err)
		jobs := schedule.NewFIFOScheduler(c.log)
		jobs.Schedule(schedule.NewJob("look", func(context.Context) {
			_ = b.View(func(tx *bolt.Tx) error { tx.Bucket([]byte("key")); return nil })
		}))
		jobs.WaitFinish(1)
	}},

	// Other versions; what is old is told from what is damaged by a look at the log.
	{"entry of etcd 3.5", IDDamaged, "unmarshal should never fail", anyone, onSpoilt(func(c *child) {
		c.append(func(st *raftpb.HardState, last uint64) (*raftpb.HardState, []*raftpb.Entry) {
			st.Commit = new(last + 1)
			// A request of the v2 API, with which etcd up to 3.5 published
			// members and versions: ID 1, method PUT, path /0/version.
			v2 := slices.Concat([]byte{8, 1, 18, 3}, []byte("PUT"), []byte{26, 10}, []byte("/0/version"))
			return st, []*raftpb.Entry{{Term: st.Term, Index: new(last + 1), Type: raftpb.EntryNormal.Enum(), Data: v2}}
		})
	})},
	{"cluster of etcd 3.8", IDTooNew, "invalid downgrade; server version is lower", anyone, onSpoilt(func(c *child) {
		c.edit(c.path(db), func(tx backend.BatchTx) {
			tx.UnsafePut(schema.Cluster, schema.ClusterClusterVersionKeyName, []byte("3.8.0"))
		})
	})},
	{"database of etcd 3.8", IDTooNew, "version \"…\" is not supported", anyone, onSpoilt(func(c *child) {
		c.edit(c.path(db), func(tx backend.BatchTx) { tx.UnsafePut(schema.Meta, schema.MetaStorageVersionName, []byte("3.8.0")) })
	})},
}

// behead takes the head of the bucket "key" away, which bbolt does not expect: it
// begins in the value of an element of a leaf page.
func behead(b []byte) []byte {
	const page, head, element = 4096, 16, 16
	for p := 0; p+page <= len(b); p += page {
		if flags := binary.LittleEndian.Uint16(b[p+8:]); flags != 2 { // a leaf
			continue
		}
		for i := range int(binary.LittleEndian.Uint16(b[p+10:])) {
			e := p + head + i*element
			if e+element > len(b) || binary.LittleEndian.Uint32(b[e:]) != 1 { // a bucket
				continue
			}
			name := e + int(binary.LittleEndian.Uint32(b[e+4:]))
			if size := int(binary.LittleEndian.Uint32(b[e+8:])); name+size <= len(b) && string(b[name:name+size]) == "key" {
				binary.LittleEndian.PutUint32(b[e+12:], 0)
			}
		}
	}
	return b
}

// edit changes a database while etcd is down.
func (c *child) edit(path string, f func(backend.BatchTx)) {
	b := backend.NewDefaultBackend(c.log, path)
	tx := b.BatchTx()
	tx.LockOutsideApply()
	f(tx)
	tx.Unlock()
	c.must(b.Close())
}

// append adds to the WAL what f makes of its hard state and last index.
func (c *child) append(f func(st *raftpb.HardState, last uint64) (*raftpb.HardState, []*raftpb.Entry)) {
	w, err := wal.Open(c.log, c.path("member/wal"), &walpb.Snapshot{})
	c.must(err)
	_, st, entries, err := w.ReadAll()
	c.must(err)
	c.must(w.Save(f(st, entries[len(entries)-1].GetIndex())))
	c.must(w.Close())
}

// copyTo copies a directory.
func (c *child) copyTo(from, to string) {
	c.must(os.RemoveAll(to))
	c.must(os.CopyFS(to, os.DirFS(from)))
	// CopyFS gives what it makes to everybody; etcd only warns of that.
	c.must(os.Chmod(filepath.Join(to, "member"), 0o700))
}
