package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"time"

	"go.uber.org/zap"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/pkg/v3/pbutil"
	"go.etcd.io/etcd/server/v3/storage/wal"
	"go.etcd.io/etcd/server/v3/storage/wal/walpb"
	"go.etcd.io/raft/v3/raftpb"

	"github.com/etcd-node/etcd-node/pkg/failure"
)

// log is a raft log (WAL) that is not what was written.
func (p *product) log() []fault {
	return []fault{
		p.spoilt("a byte of a WAL entry flipped", failure.IDDamaged, func(s *stage, n *local) {
			s.change(n.wal()[0], func(b []byte) []byte {
				b[bytes.Index(b, []byte(s.acked[0]))] ^= 0xff
				return b
			})
		}),
		p.spoilt("a byte of a WAL record's head flipped", failure.IDDamaged, func(s *stage, n *local) {
			s.change(n.wal()[0], func(b []byte) []byte {
				b[8] = 0xff // behind the first record's length
				return b
			})
		}),
		p.spoilt("WAL file cut to nothing", failure.IDDamaged, func(s *stage, n *local) { s.must(os.Truncate(n.wal()[0], 0)) }),
		p.spoilt("WAL deleted while the database is kept, cluster of one", failure.IDWALLost, func(s *stage, n *local) {
			s.must(os.RemoveAll(filepath.Join(n.Data(), "member/wal")))
		}),
		p.spoilt("WAL set back to an older one, cluster of one", failure.IDWALLost, func(s *stage, n *local) {
			old := filepath.Join(n.Dir, "old")
			s.copy(filepath.Join(n.Data(), "member/wal"), old)
			n.up()
			n.put()
			n.stop()
			n.keep()
			s.copy(old, filepath.Join(n.Data(), "member/wal"))
		}),
		p.spoilt("WAL file missing in the middle", failure.IDDamaged, func(s *stage, n *local) {
			b, err := os.ReadFile(n.wal()[0])
			s.must(err)
			s.must(os.WriteFile(filepath.Join(n.Data(), "member/wal/0000000000000002-00000000000000ff.wal"), b, 0o600))
		}),
		{"last WAL record torn by a power loss", "-", "etcd cuts it off, for it was never acknowledged; " + back, goalServing, p.on(func(s *stage) (string, time.Duration) {
			n := s.used()
			n.appendLog(func(st *raftpb.HardState, last uint64) []*raftpb.Entry {
				return []*raftpb.Entry{{Term: st.Term, Index: new(last + 1), Type: raftpb.EntryNormal.Enum(), Data: bytes.Repeat([]byte{7}, 600)}}
			})
			s.change(n.wal()[0], func(b []byte) []byte {
				end := len(bytes.TrimRight(b, "\x00"))
				clear(b[end-400 : end])
				return b
			})
			n.start()
			return n.back(n.begun)
		})},
		{"a follower's WAL deleted while its database is kept", failure.IDWALLost, refusal, goalExplained, p.on(func(s *stage) (string, time.Duration) {
			_, others := s.leads(s.three())
			n := others[0]
			n.stop()
			s.must(os.RemoveAll(filepath.Join(n.Data(), "member/wal")))
			n.start()
			seen, took := n.refused(failure.IDWALLost)
			others[1].kept()
			return seen, took
		})},
		{"a follower's data set back to an older copy", failure.IDWALLost, refusal, goalExplained, p.on(func(s *stage) (string, time.Duration) {
			leader, others := s.leads(s.three())
			n := others[0]
			n.stop()
			n.keep()
			n.up()
			for range 20 {
				n.put() // it acknowledges what it will have forgotten
			}
			n.stop()
			n.restore()
			n.start()
			seen, took := n.refused(failure.IDWALLost)
			leader.kept()
			return seen, took
		})},
	}
}

// wal are the files of the log, in their order.
func (n *local) wal() []string {
	files, err := filepath.Glob(filepath.Join(n.Data(), "member/wal/*.wal"))
	n.s.must(err)
	if len(files) == 0 {
		n.s.fail("%s has no WAL", n.Name)
	}
	slices.Sort(files)
	return files
}

// appendLog adds to the log of a member that is down.
func (n *local) appendLog(f func(st *raftpb.HardState, last uint64) []*raftpb.Entry) {
	w, err := wal.Open(zap.NewNop(), filepath.Join(n.Data(), "member/wal"), &walpb.Snapshot{})
	n.s.must(err)
	_, st, entries, err := w.ReadAll()
	n.s.must(err)
	more := f(st, entries[len(entries)-1].GetIndex())
	n.s.must(w.Save(st, more))
	n.s.must(w.Close())
}

// publishAsV2 adds what members up to etcd 3.5 write at each start: a request
// of the v2 API, with ID 1, method PUT and path /0/version.
func (n *local) publishAsV2() {
	n.appendLog(func(st *raftpb.HardState, last uint64) []*raftpb.Entry {
		st.Commit = new(last + 1)
		v2 := slices.Concat([]byte{8, 1, 18, 3}, []byte("PUT"), []byte{26, 10}, []byte("/0/version"))
		return []*raftpb.Entry{{Term: st.Term, Index: new(last + 1), Type: raftpb.EntryNormal.Enum(), Data: v2}}
	})
}

// halfBegin makes a WAL without entries: what a first start has written before
// it writes the first.
func (n *local) halfBegin() {
	member := filepath.Join(n.Data(), "member")
	n.s.must(os.MkdirAll(filepath.Join(member, "snap"), 0o700))
	meta := pbutil.MustMarshalMessage(&etcdserverpb.Metadata{NodeID: new(uint64(1)), ClusterID: new(uint64(2))})
	w, err := wal.Create(zap.NewNop(), filepath.Join(member, "wal"), meta)
	n.s.must(err)
	n.s.must(w.Close())
}
