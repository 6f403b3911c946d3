package datadir

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	humanize "github.com/dustin/go-humanize"

	layout "go.etcd.io/etcd/server/v3/storage/datadir"

	"github.com/etcd-node/etcd-node/pkg/shown"
)

// Data is what a data directory held when Inspect read it.
type Data struct {
	Dir    string // as configured, --data-dir
	WALDir string // of the WAL, also where it has no directory of its own
	WAL    WAL
	DB     DB
	Broken Broken
}

// Broken counts the copies of WAL files that etcd kept when it cut a torn one.
type Broken struct {
	Files int
	Bytes int64 // as on disk, which is less than their length
}

// Inspect reads the data directory dir of a member, and walDir where the WAL
// has a directory of its own (--wal-dir; "" where it has not). A directory
// that does not exist is empty. The error says what could not be read and
// wraps the operating system's, such as fs.ErrPermission.
func Inspect(dir, walDir string) (Data, error) {
	if walDir == "" {
		walDir = layout.ToWALDir(dir)
	}
	d := Data{Dir: dir, WALDir: filepath.Clean(walDir)}
	var err error
	if d.WAL, d.Broken, err = readWAL(walDir); err != nil {
		return d, fmt.Errorf("read the WAL in %s: %w", walDir, err)
	}
	if d.DB, err = readDB(layout.ToBackendFileName(dir)); err != nil {
		return d, fmt.Errorf("read the database: %w", err)
	}
	return d, nil
}

// Empty reports whether no member ever stored anything here. A lost+found, a
// database without content, or no directory at all are empty; a database that
// cannot be read is not.
func (d Data) Empty() bool {
	return !d.WAL.Exists() && d.DB.blank()
}

// PeerHosts are the hosts of the peer URLs under which the cluster knows the
// member that lives here; nil where the data does not tell.
func (d Data) PeerHosts() (hosts []string) {
	i := slices.IndexFunc(d.DB.Members, func(m Member) bool { return m.ID == d.WAL.MemberID })
	if i < 0 {
		return nil
	}
	for _, text := range d.DB.Members[i].PeerURLs {
		if u, err := url.Parse(text); err == nil && u.Hostname() != "" {
			hosts = append(hosts, u.Hostname())
		}
	}
	return hosts
}

// Torn reports that torn WAL files are kept. They take space, but the member
// starts.
func (d Data) Torn() (text string, yes bool) {
	if d.Broken.Files == 0 {
		return "", false
	}
	return fmt.Sprintf("etcd has repaired its WAL and kept the torn part, %s of %s: once the member serves, rm %s/*.wal.broken",
		shown.Count(d.Broken.Files, "file"), humanize.IBytes(uint64(d.Broken.Bytes)), shown.Quoted(d.WALDir)), true
}

// Kept reports that MoveAside has kept interrupted first starts.
func (d Data) Kept() (text string, yes bool) {
	kept := keptAside(d.WALDir)
	if len(kept) == 0 {
		return "", false
	}
	var words []string
	for _, path := range slices.Concat(kept, keptAside(layout.ToSnapDir(d.Dir))) {
		words = append(words, shown.Quoted(path))
	}
	return fmt.Sprintf("kept from %s that did not get far, without data: rm -r %s",
		shown.Count(len(kept), "interrupted first start"), strings.Join(words, " ")), true
}

// list reads a directory; one that does not exist is empty.
func list(dir string) ([]os.DirEntry, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return entries, err
}
