package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"go.uber.org/zap"

	"go.etcd.io/etcd/server/v3/storage/backend"
	"go.etcd.io/etcd/server/v3/storage/schema"

	"github.com/etcd-node/etcd-node/pkg/failure"
)

// spoilt is a row of a single member whose files are spoilt while it is down:
// it is refused, and when they are put back it serves.
func (p *product) spoilt(name, id string, spoil func(s *stage, n *local)) fault {
	return fault{name, id, refusal, goalExplained, p.on(func(s *stage) (string, time.Duration) {
		n := s.used()
		n.keep()
		spoil(s, n)
		before := n.files()
		n.start()
		seen, took := n.refused(id)
		if id != failure.IDDamaged { // where etcd itself finds it, it has opened the database
			n.untouched(before)
		}
		n.restore()
		n.up()
		n.kept()
		return seen, took
	})}
}

// data is a damaged database, or one of another version.
func (p *product) data() []fault {
	return []fault{
		p.spoilt("database cut off", failure.IDDamaged, func(s *stage, n *local) { s.must(os.Truncate(n.db(), 8192)) }),
		p.spoilt("pages of the database overwritten", failure.IDDamaged, func(s *stage, n *local) {
			s.change(n.db(), func(b []byte) []byte {
				return append(b[:8192:8192], bytes.Repeat([]byte("garbage "), len(b)/8-1024)...)
			})
		}),
		{"both head pages of the database overwritten", "database-unreadable", named, goalExplained, p.on(func(s *stage) (string, time.Duration) {
			n := s.used()
			n.keep()
			s.change(n.db(), func(b []byte) []byte { return append(make([]byte, 8192), b[8192:]...) })
			n.start()
			seen, at := n.waits("database-unreadable")
			n.Mark()
			n.restore()
			n.back(at)
			return seen, at.Sub(n.begun)
		})},
		{"no address space to map the database", "database-unreadable", settled, goalExplained, p.on(func(s *stage) (string, time.Duration) {
			n := s.used()
			n.setup = "ulimit -v 4194304" // etcd asks for 10 GiB
			n.start()
			return n.reconfigured("database-unreadable")
		})},
		p.spoilt("database older than the WAL's snapshot", failure.IDDamaged, func(s *stage, n *local) {
			// As it was before the member wrote a snapshot of its log.
			n.restore()
			s.copy(n.db(), n.db()+".old")
			n.set("ETCD_SNAPSHOT_COUNT", "10")
			n.up()
			for range 30 {
				n.put()
			}
			n.stop()
			n.keep()
			s.must(os.Rename(n.db()+".old", n.db()))
		}),
		p.spoilt("data of etcd 3.8", failure.IDTooNew, func(s *stage, n *local) {
			s.edit(n.db(), func(tx backend.BatchTx) { tx.UnsafePut(schema.Meta, schema.MetaStorageVersionName, []byte("3.8.0")) })
		}),
		p.spoilt("data of etcd 3.5", failure.IDTooOld, func(s *stage, n *local) {
			s.edit(n.db(), func(tx backend.BatchTx) {
				tx.UnsafeDelete(schema.Meta, schema.MetaStorageVersionName)
				tx.UnsafePut(schema.Cluster, schema.ClusterClusterVersionKeyName, []byte("3.5.0"))
			})
			n.publishAsV2()
		}),
		{"a first start that was killed before its first entry", failure.IDHalfBegun, "moved aside, kept, and " + back, goalServing, p.on(func(s *stage) (string, time.Duration) {
			n := s.cluster("a")[0]
			n.halfBegin()
			n.start()
			line, took := n.back(n.begun)
			kept := n.unfinished()
			if len(kept) != 1 {
				s.fail("kept: %v", kept)
			}
			return "kept as member/" + filepath.Base(kept[0]) + "; " + line, took
		})},
		{"a first start that was killed three times, and again", failure.IDAsideLimit, refusal, goalExplained, p.on(func(s *stage) (string, time.Duration) {
			n := s.cluster("a")[0]
			n.halfBegin()
			for i := range 3 {
				s.must(os.Mkdir(filepath.Join(n.Data(), fmt.Sprintf("member/wal.unfinished-2026010%dT000000.000Z", i)), 0o700))
			}
			n.start()
			return n.refused(failure.IDAsideLimit)
		})},
	}
}

// files are the data dir's files by their content.
func (n *local) files() map[string][sha256.Size]byte {
	sums := map[string][sha256.Size]byte{}
	n.s.must(filepath.WalkDir(n.Data(), func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		sums[path] = sha256.Sum256(raw)
		return err
	}))
	return sums
}

// untouched makes sure that what was there still is, as it was.
func (n *local) untouched(before map[string][sha256.Size]byte) {
	now := n.files()
	for path, sum := range before {
		if got, ok := now[path]; !ok || got != sum {
			n.s.fail("it changed the data that it refused: %s", strings.TrimPrefix(path, n.Dir+"/"))
		}
	}
}

// keep and restore keep the data dir, and put it back.
func (n *local) keep()    { n.s.copy(n.Data(), n.Data()+".kept") }
func (n *local) restore() { n.s.copy(n.Data()+".kept", n.Data()) }

// copy replaces to by a copy of from, where there is a from.
func (s *stage) copy(from, to string) {
	if _, err := os.Lstat(from); err != nil {
		return
	}
	s.must(os.RemoveAll(to))
	if out, err := exec.CommandContext(s.ctx, "cp", "--archive", "--sparse=always", from, to).CombinedOutput(); err != nil {
		s.fail("cp: %v: %s", err, out)
	}
}

// change rewrites a file.
func (s *stage) change(path string, f func([]byte) []byte) {
	b, err := os.ReadFile(path)
	s.must(err)
	s.must(os.WriteFile(path, f(b), 0o600))
}

// edit changes a database while etcd is down.
func (s *stage) edit(path string, f func(backend.BatchTx)) {
	b := backend.NewDefaultBackend(zap.NewNop(), path)
	tx := b.BatchTx()
	tx.LockOutsideApply()
	f(tx)
	tx.Unlock()
	s.must(b.Close())
}

// unfinished are the WALs that were moved aside.
func (n *local) unfinished() []string {
	kept, err := filepath.Glob(filepath.Join(n.Data(), "member/wal.unfinished-*"))
	n.s.must(err)
	return kept
}
