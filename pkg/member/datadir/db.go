package datadir

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"go.etcd.io/etcd/server/v3/etcdserver/api/membership"
	"go.etcd.io/etcd/server/v3/storage/schema"
)

// lockTry lets bbolt try the lock once: a process that holds it does so for as
// long as it runs.
const lockTry = time.Nanosecond

// DB is the part of the database (member/snap/db) that matters here.
type DB struct {
	Path   string
	Exists bool
	Size   int64 // of the file, in bytes
	Locked bool  // another process has it open; nothing below is known
	// Damage says why it cannot be read; nothing below is known.
	Damage error

	ConsistentIndex uint64 // the last entry that is applied in it
	Term            uint64 // of that entry; 0 before etcd 3.5
	StorageVersion  string // "3.6.0"; empty before etcd 3.6
	ClusterVersion  string // "3.5.0"; empty in the first second of a cluster
	Members         []Member
}

// Member is one member of the cluster as the database knows it.
type Member struct {
	ID       uint64
	Name     string // empty: has never started
	PeerURLs []string
	Learner  bool
}

// readDB reads the few keys above under the shared lock.
func readDB(path string) (DB, error) {
	d := DB{Path: path}
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return d, nil
	}
	if err != nil {
		return d, err
	}
	d.Exists, d.Size = true, info.Size()
	if d.Size == 0 { // created and killed: etcd fills it in
		return d, nil
	}
	err = d.read()
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		d.Locked = true
	case errors.As(err, new(syscall.Errno)): // not the file's fault
		return d, fmt.Errorf("%s: %w", path, err)
	case err != nil:
		d = DB{Path: path, Exists: true, Size: d.Size, Damage: fmt.Errorf("%s: %w", path, err)}
	}
	return d, nil
}

// read opens the database and reads it. bbolt takes the lock, and finds the
// newer of the two meta pages, which have a checksum. It panics where neither
// makes sense, and a file that ends too early faults: both come back as errors.
func (d *DB) read() (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true)) // of this goroutine only
	defer func() {
		if r := recover(); r != nil {
			err = damaged(fmt.Sprint(r))
		}
	}()
	db, err := bolt.Open(d.Path, 0, &bolt.Options{ReadOnly: true, Timeout: lockTry})
	if err != nil {
		return err
	}
	defer db.Close()
	tx, err := db.Begin(false)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // before Close, which waits for it, also in a panic
	if want := tx.Size(); want > d.Size {
		return fmt.Errorf("the file is cut short: %d bytes instead of %d", d.Size, want)
	}
	file, err := os.Open(d.Path)
	if err != nil {
		return err
	}
	defer file.Close()
	p := &pages{file: file, size: int64(db.Info().PageSize), left: maxPages}
	return p.bucket(uint64(tx.Cursor().Bucket().Root()), func(name, value []byte) error {
		switch string(name) {
		case string(schema.Meta.Name()):
			return p.inside(value, d.addMeta)
		case string(schema.Cluster.Name()):
			return p.inside(value, d.addCluster)
		case string(schema.Members.Name()):
			return p.inside(value, d.addMember)
		}
		return nil
	})
}

func (d *DB) addMeta(k, v []byte) error {
	switch string(k) {
	case string(schema.MetaConsistentIndexKeyName):
		d.ConsistentIndex = number(v)
	case string(schema.MetaTermKeyName):
		d.Term = number(v)
	case string(schema.MetaStorageVersionName):
		d.StorageVersion = string(v)
	}
	return nil
}

func (d *DB) addCluster(k, v []byte) error {
	if string(k) == string(schema.ClusterClusterVersionKeyName) {
		d.ClusterVersion = string(v)
	}
	return nil
}

func (d *DB) addMember(k, v []byte) error {
	var m membership.Member
	if err := json.Unmarshal(v, &m); err != nil {
		return fmt.Errorf("member %s: %w", k, err)
	}
	d.Members = append(d.Members, Member{ID: uint64(m.ID), Name: m.Name, PeerURLs: m.PeerURLs, Learner: m.IsLearner})
	slices.SortFunc(d.Members, func(a, b Member) int { return strings.Compare(a.Name, b.Name) })
	return nil
}

// blank reports whether it is known that nothing was ever applied.
func (d DB) blank() bool {
	return !d.Locked && d.Damage == nil && d.ConsistentIndex == 0 && len(d.Members) == 0
}

// number is the big-endian value of a key of the meta bucket; 0 without one.
func number(b []byte) uint64 {
	if len(b) != 8 {
		return 0
	}
	return binary.BigEndian.Uint64(b)
}
