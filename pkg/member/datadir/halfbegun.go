package datadir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	layout "go.etcd.io/etcd/server/v3/storage/datadir"

	"github.com/etcd-node/etcd-node/pkg/durable"
)

// ErrNotHalfBegun says that the directory holds data, or may hold some.
var ErrNotHalfBegun = errors.New("the data dir is not of an interrupted first start")

// ErrTooOften says that first starts were interrupted, and moved aside, so
// often that something else must be wrong.
var ErrTooOften = errors.New("first starts were interrupted too often")

const (
	// asideMark is in the names of what was moved aside.
	asideMark = ".unfinished-"
	// asideLimit bounds how often it is done. One kill makes one; 64 MB each.
	asideLimit = 3
)

// HalfBegun reports whether a first start was killed after it created the WAL
// and before it stored the first entry. A cluster of one never gets on from
// there, and has nothing to lose; a member of a larger cluster gets its entries
// from the others and must be left alone.
func (d Data) HalfBegun() bool {
	return d.WAL.blank() && d.DB.blank()
}

// MoveAside clears the way for a new first start: it renames the WAL's
// directory, and member/snap, to names with the time in them, and returns the
// new names. It looks at the directory once more: it fails with ErrNotHalfBegun
// for anything but an interrupted first start, and with ErrTooOften when three
// are kept.
//
// The new names are in the same directory, so that a rename is all it takes.
// etcd does not look at them in member/, and they go with it when an operator
// moves it away to restore a snapshot, which needs an empty data dir.
//
// The WAL goes first. Whatever ends the process after that leaves a database
// without content, which a first start takes as its own.
func MoveAside(dir, walDir string, now time.Time) (kept []string, err error) {
	d, err := Inspect(dir, walDir)
	if err != nil {
		return nil, err
	}
	if !d.HalfBegun() {
		return nil, fmt.Errorf("%w: %s", ErrNotHalfBegun, dir)
	}
	if old := keptAside(d.WALDir); len(old) >= asideLimit {
		return nil, fmt.Errorf("%w: %d are kept as %s%s*; see what kills the member, then remove them", ErrTooOften, len(old), d.WALDir, asideMark)
	}
	mark := asideMark + now.UTC().Format("20060102T150405.000Z")
	for _, from := range []string{d.WALDir, layout.ToSnapDir(dir)} {
		to := from + mark
		if _, err := os.Lstat(to); err == nil { // rename(2) would replace an empty directory
			return kept, fmt.Errorf("move %s aside: %s: %w", from, to, fs.ErrExist)
		}
		switch err := os.Rename(from, to); {
		case err == nil:
			kept = append(kept, to)
		case from != d.WALDir && errors.Is(err, fs.ErrNotExist): // no snap: nothing to move
			continue
		default:
			return kept, fmt.Errorf("move %s aside: %w", from, err)
		}
		if err := durable.SyncDir(filepath.Dir(from)); err != nil {
			return kept, fmt.Errorf("move %s aside: %w", from, err)
		}
	}
	return kept, nil
}

// keptAside lists the names to which MoveAside renamed path.
func keptAside(path string) []string {
	entries, _ := list(filepath.Dir(path)) // not readable: the rename will say so
	var out []string
	for _, e := range entries {
		if ok, _ := filepath.Match(filepath.Base(path)+asideMark+"*", e.Name()); ok {
			out = append(out, filepath.Join(filepath.Dir(path), e.Name()))
		}
	}
	return out
}
