package adopt

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/etcd-node/etcd-node/pkg/durable"
)

// Kept is where what an adoption replaces is kept. It is root's alone: what the service
// user could change there, root would put back as a unit.
const Kept = "/var/backups/etcd-node"

// ErrInterrupted is that an adoption has begun here and not come to its end.
var ErrInterrupted = errors.New("an adoption before this one was interrupted: etcd-node adopt --undo, then again")

// Interrupted returns [ErrInterrupted] if that is so.
func Interrupted() error {
	if _, r, err := last(); err == nil && !r.Done {
		return ErrInterrupted
	}
	return nil
}

// Record is what was done, and what was there before: what [Undo] needs.
type Record struct {
	Format int       `json:"format"`
	Time   time.Time `json:"time"`
	Unit   string    `json:"unit"` // of the other etcd
	// Version is the other etcd's, if it ran; Data and WAL are its directories.
	Version string      `json:"version,omitempty"`
	Data    string      `json:"data"`
	WAL     string      `json:"wal,omitempty"`
	Done    bool        `json:"done"` // the other etcd was replaced: nothing was left undone
	Enabled bool        `json:"enabled"`
	Running bool        `json:"running"`
	Files   []string    `json:"files"` // that were there, and are kept under their paths
	Made    []string    `json:"made"`  // that were not there
	Owners  []Ownership `json:"owners"`
	// Pins is where the pin is; "" where one was there before.
	Pins string `json:"pins,omitempty"`
}

// Ownership is whose a tree was.
type Ownership struct {
	Dir string `json:"dir"`
	UID int    `json:"uid"`
	GID int    `json:"gid"`
}

const recordFormat = 1

func keepDir(now time.Time) (string, error) {
	dir := filepath.Join(Kept, "adopt-"+now.UTC().Format("20060102T150405"))
	if err := os.MkdirAll(filepath.Dir(Kept), 0o755); err != nil {
		return "", err
	}
	if err := os.MkdirAll(Kept, 0o700); err != nil {
		return "", err
	}
	return dir, os.Mkdir(dir, 0o700)
}

func (r *Record) write(dir string) error {
	raw, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return durable.Replace(filepath.Join(dir, "record.json"), append(raw, '\n'))
}

// last is the last adoption that was not undone.
func last() (dir string, r *Record, err error) {
	all, _ := filepath.Glob(filepath.Join(Kept, "adopt-*[0-9]"))
	if len(all) == 0 {
		return "", nil, fmt.Errorf("no adoption is kept in %s: there is nothing to take back", Kept)
	}
	slices.Sort(all)
	var raw []byte
	for _, dir = range slices.Backward(all) {
		if raw, err = os.ReadFile(filepath.Join(dir, "record.json")); !errors.Is(err, fs.ErrNotExist) { // else nothing was done yet
			break
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil, fmt.Errorf("no adoption is kept in %s: there is nothing to take back", Kept)
	} else if err != nil {
		return dir, nil, err
	}
	r = &Record{}
	if err := json.Unmarshal(raw, r); err != nil {
		return dir, nil, err
	}
	if r.Format > recordFormat {
		return dir, nil, fmt.Errorf("%s was written by a later etcd-node", dir)
	}
	return dir, r, nil
}
