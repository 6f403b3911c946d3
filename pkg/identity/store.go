package identity

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/etcd-node/etcd-node/pkg/durable"
	"github.com/etcd-node/etcd-node/pkg/shown"
)

// Pin names a member. IDs are hexadecimal, as etcdctl prints them.
type Pin struct {
	ClusterID string    `json:"clusterId"`
	MemberID  string    `json:"memberId"`
	Name      string    `json:"name"`    // at that time; for people
	DataDir   string    `json:"dataDir"` // a pin of another one may be another unit's
	Since     time.Time `json:"since"`   // when it had first stored something here under these IDs
	// Forced says that the member has started with --force-new-cluster, which has
	// been set at each start since.
	Forced bool `json:"forcedNewCluster,omitempty"`
}

// Same reports whether two pins name the same member.
func (p Pin) Same(q Pin) bool { return p.ClusterID == q.ClusterID && p.MemberID == q.MemberID }

func (p Pin) String() string {
	return fmt.Sprintf("member %s (%s) of cluster %s, in %s since %s", p.MemberID, p.Name, p.ClusterID, p.DataDir, p.Since.Format(time.DateOnly))
}

// Format is the version of the file. Versions before it wrote none, and the
// same fields. docs/formats.md has the rules.
const Format = 1

// file is the pin as it is stored.
type file struct {
	Format int `json:"format"`
	Pin
}

const (
	fileName = "pin.json"
	// keepFormer is how many former pins of a kind are kept: enough to look up
	// which member this was before the last few repairs.
	keepFormer = 5
	// maxSize is far more than a pin takes: a file that is longer is not one.
	maxSize = 64 << 10
)

var (
	// ErrDamaged marks the error of a pin that is there and cannot be
	// understood; any other says that it cannot be known whether there is one.
	ErrDamaged = errors.New("the pin is damaged")
	// ErrNewer marks the error of a pin that a later version has written. With
	// a pin it has been read as far as this version can.
	ErrNewer = errors.New("the pin was written by a later version of etcd-node")
)

// Store is a directory with at most one pin in it; the zero Store, of a unit that
// has no directory for it, is without one and is not to be written to. Its methods
// may be called from several goroutines, but not to write at the same time.
type Store struct{ Dir string }

// Path is the pin's file.
func (s Store) Path() string { return filepath.Join(s.Dir, fileName) }

// Load returns the pin; ok is false where there is no pin. A pin that cannot
// be read is an error. The texts are free of control characters.
func (s Store) Load() (pin Pin, ok bool, err error) {
	if s.Dir == "" {
		return Pin{}, false, nil
	}
	raw, err := read(s.Path())
	if errors.Is(err, fs.ErrNotExist) {
		return Pin{}, false, nil
	}
	if err != nil {
		return Pin{}, false, fmt.Errorf("read the pin: %w", err)
	}
	var f file
	err = json.Unmarshal(raw, &f)
	named := f.ClusterID != "" && f.MemberID != ""
	switch {
	case f.Format > Format && named: // whatever else it may hold
		return shown.Copy(f.Pin), true, fmt.Errorf("%w (format %d): %s", ErrNewer, f.Format, s.Path())
	case f.Format > Format:
		return Pin{}, false, fmt.Errorf("%w: %w (format %d): %s", ErrDamaged, ErrNewer, f.Format, s.Path())
	case err != nil:
		return Pin{}, false, fmt.Errorf("%w: %s: %w", ErrDamaged, s.Path(), err)
	case !named:
		return Pin{}, false, fmt.Errorf("%w: %s names no member", ErrDamaged, s.Path())
	}
	return shown.Copy(f.Pin), true, nil
}

// DataDir is the data dir in which the member of the pin has lived; "" where none
// has, and something else where that cannot be known.
func (s Store) DataDir() string {
	switch pin, ok, err := s.Load(); {
	case ok:
		return cmp.Or(pin.DataDir, "unknown")
	case err != nil:
		return "unknown"
	}
	return ""
}

func read(path string) ([]byte, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxSize {
		return nil, fmt.Errorf("%w: %s is not a pin: %s, %d bytes", ErrDamaged, path, info.Mode(), info.Size())
	}
	return os.ReadFile(path)
}

// Save replaces the pin. After a crash in the middle there is the old one or
// the new one. One that is damaged, of a later version, or cannot be read is
// kept beside it: this version does not know what it replaces.
func (s Store) Save(p Pin) error {
	raw, err := json.MarshalIndent(file{Format, p}, "", "  ")
	if err != nil {
		return err
	}
	kept := ""
	if _, _, unknown := s.Load(); unknown != nil {
		kept, err = s.keep(time.Now())
	}
	if err == nil {
		err = durable.Replace(s.Path(), append(raw, '\n'))
	}
	if err != nil {
		return fmt.Errorf("write the pin: %w", err)
	}
	if kept != "" {
		prune(kept)
	}
	return nil
}

// keep gives the pin a second name beside it, and returns that. The pin stays in
// its place until a new one takes it; a directory of its name cannot, and moves.
// A save that fails is tried again and again, so one that is kept already is not
// kept twice: the copies would push out those of earlier pins.
func (s Store) keep(now time.Time) (kept string, err error) {
	pin, err := os.Lstat(s.Path())
	if err != nil {
		return "", err
	}
	kept = s.aside("replaced", now)
	for _, name := range former(kept) {
		if info, err := os.Lstat(name); err == nil && os.SameFile(info, pin) {
			return name, nil
		}
	}
	if err := os.Link(s.Path(), kept); err != nil {
		return kept, os.Rename(s.Path(), kept)
	}
	return kept, nil
}

// Forget takes the pin away and keeps it beside, under the returned name; ""
// where there was none. A damaged one is forgotten too.
func (s Store) Forget(now time.Time) (kept string, err error) {
	kept = s.aside("forgotten", now)
	switch err := durable.Rename(s.Path(), kept); {
	case errors.Is(err, fs.ErrNotExist):
		return "", nil
	case err != nil:
		return "", fmt.Errorf("forget the pin: %w", err)
	}
	prune(kept)
	return kept, nil
}

// aside is a name for a former pin.
func (s Store) aside(why string, now time.Time) string {
	return s.Path() + "." + why + "-" + now.UTC().Format("20060102T150405.000Z")
}

// prune removes the oldest of the pins that were kept for the same reason as
// the given one.
func prune(kept string) {
	for old := former(kept); len(old) > keepFormer; old = old[1:] {
		_ = os.Remove(old[0]) // the next time, then
	}
}

// former are the pins that were kept for the same reason, the oldest first.
func former(kept string) []string {
	old, _ := filepath.Glob(kept[:strings.LastIndex(kept, "-")] + "-*") // the pattern is ours
	slices.Sort(old)
	return old
}
