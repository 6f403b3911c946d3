package datadir

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/server/v3/storage/wal"
	"go.etcd.io/etcd/server/v3/storage/wal/walpb"
	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"
)

// WAL is the part of the write-ahead log that matters here.
type WAL struct {
	Files     int    // of the log itself
	ClusterID uint64 // whose log it is
	MemberID  uint64
	Entries   bool   // it holds, or once held, an entry or a snapshot's place
	LastIndex uint64 // it can be read up to this entry
	Term      uint64 // of the newest hard state; all three 0: never saved
	Vote      uint64
	Commit    uint64
	// Damage says why the newest file cannot be read beyond LastIndex. That
	// alone is no reason to stop: a power failure can tear the end of the
	// file, which etcd repairs, and of the rest it speaks up.
	Damage error
}

// Exists reports whether there is a log: etcd then takes the member as begun,
// and ignores every initial-* setting.
func (w WAL) Exists() bool { return w.Files > 0 }

// readWAL reads the newest file of the log.
func readWAL(dir string) (WAL, Broken, error) {
	var (
		w      WAL
		b      Broken
		newest string
	)
	entries, err := list(dir)
	if err != nil {
		return w, b, err
	}
	for _, e := range entries { // sorted by name, which is by age
		switch {
		case strings.HasSuffix(e.Name(), ".wal"):
			w.Files++
			newest = e.Name()
		case strings.HasSuffix(e.Name(), ".wal.broken"):
			b.Files++
			b.Bytes += onDisk(e)
		}
	}
	if newest == "" {
		return w, b, nil
	}
	f, err := os.Open(filepath.Join(dir, newest))
	if err != nil {
		return w, b, err
	}
	defer f.Close()
	var seq, first uint64
	if _, err := fmt.Sscanf(newest, "%016x-%016x.wal", &seq, &first); err != nil {
		w.Damage = fmt.Errorf("%s is not the name of a WAL file: %w", newest, err)
		return w, b, nil
	}
	if first > 0 { // the entries before its first are in the older files
		w.LastIndex, w.Entries = first-1, true
	}
	w.Damage = w.scan(f)
	if errors.As(w.Damage, new(syscall.Errno)) { // not the file's fault
		return w, b, w.Damage
	}
	return w, b, nil
}

// scan reads a file of the log to its end. Like etcd's own ReadAll it lets
// the last of several entries with the same index count.
func (w *WAL) scan(f *os.File) (damage error) {
	defer func() {
		if damage != nil {
			damage = fmt.Errorf("%s cannot be read beyond entry %d: %w", f.Name(), w.LastIndex, damage)
		}
	}()
	r, err := newFrames(f)
	if err != nil {
		return err
	}
	var (
		head  bool
		state []byte // one for every few entries: only the newest is looked at
	)
	for {
		kind, data, err := r.next()
		switch {
		case errors.Is(err, io.EOF) && !head:
			return errors.New("the file has no head")
		case errors.Is(err, io.EOF):
			return w.setState(state)
		case err != nil:
			return errors.Join(err, w.setState(state))
		}
		switch kind {
		case wal.MetadataType:
			var m etcdserverpb.Metadata
			err = proto.Unmarshal(data, &m)
			w.ClusterID, w.MemberID, head = m.GetClusterID(), m.GetNodeID(), true
		case wal.EntryType:
			var index uint64
			err = fields(data, func(at field, v uint64, _ []byte) { // raftpb.Entry
				if at == (field{3, protowire.VarintType}) {
					index = v
				}
			})
			w.LastIndex, w.Entries = index, true
		case wal.StateType:
			state = append(state[:0], data...)
		case wal.SnapshotType:
			var s walpb.Snapshot
			if err = proto.Unmarshal(data, &s); s.GetIndex() > w.LastIndex { // 0 in every log: its beginning
				w.LastIndex, w.Entries = s.GetIndex(), true
			}
		}
		if err != nil {
			return err
		}
	}
}

func (w *WAL) setState(b []byte) error {
	var s raftpb.HardState
	err := proto.Unmarshal(b, &s)
	w.Term, w.Vote, w.Commit = s.GetTerm(), s.GetVote(), s.GetCommit()
	return err
}

// blank reports whether the log is only its own head.
func (w WAL) blank() bool {
	return w.Exists() && w.Damage == nil && !w.Entries &&
		raft.IsEmptyHardState(&raftpb.HardState{Term: &w.Term, Vote: &w.Vote, Commit: &w.Commit})
}

// onDisk is the space that a file takes: etcd allocates 64 MB for each.
func onDisk(e os.DirEntry) int64 {
	info, err := e.Info()
	if err != nil {
		return 0 // gone meanwhile
	}
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return s.Blocks * 512 // of stat(2), whatever the file system's block
	}
	return info.Size()
}
