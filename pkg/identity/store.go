package identity

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Pin names a member. IDs are hexadecimal, as etcdctl prints them.
type Pin struct {
	ClusterID string    `json:"clusterId"`
	MemberID  string    `json:"memberId"`
	Name      string    `json:"name"`    // at that time; for people
	DataDir   string    `json:"dataDir"` // at that time; for people
	Since     time.Time `json:"since"`   // when it first served here under these IDs
}

// Same reports whether two pins name the same member.
func (p Pin) Same(q Pin) bool { return p.ClusterID == q.ClusterID && p.MemberID == q.MemberID }

func (p Pin) String() string {
	return fmt.Sprintf("member %s (%s) of cluster %s, in %s since %s", p.MemberID, p.Name, p.ClusterID, p.DataDir, p.Since.Format(time.DateOnly))
}

const (
	fileName = "pin.json"
	// keep is how many forgotten pins are kept: enough to look up which member
	// this was before the last few repairs.
	keep = 5
	// maxSize is far more than a pin takes: a file that is longer is not one.
	maxSize = 64 << 10
)

// ErrDamaged marks the error of a pin that is there and cannot be understood;
// any other says that it cannot be known whether there is one.
var ErrDamaged = errors.New("the pin is damaged")

// Store is a directory with at most one pin in it. Its methods may be called
// from several goroutines, but not to write at the same time.
type Store struct{ Dir string }

// Path is the pin's file.
func (s Store) Path() string { return filepath.Join(s.Dir, fileName) }

// Load returns the pin; ok is false where there is none. A pin that cannot be
// read is an error and not "none".
func (s Store) Load() (pin Pin, ok bool, err error) {
	raw, err := read(s.Path())
	if errors.Is(err, fs.ErrNotExist) {
		return Pin{}, false, nil
	}
	if err != nil {
		return Pin{}, false, fmt.Errorf("read the pin: %w", err)
	}
	if err := json.Unmarshal(raw, &pin); err != nil {
		return Pin{}, false, fmt.Errorf("%w: %s: %w", ErrDamaged, s.Path(), err)
	}
	if pin.ClusterID == "" || pin.MemberID == "" {
		return Pin{}, false, fmt.Errorf("%w: %s names no member", ErrDamaged, s.Path())
	}
	return pin, true, nil
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
// the new one.
func (s Store) Save(p Pin) error {
	raw, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return err
	}
	if err := s.write(append(raw, '\n')); err != nil {
		return fmt.Errorf("write the pin: %w", err)
	}
	return nil
}

func (s Store) write(raw []byte) error {
	f, err := os.CreateTemp(s.Dir, fileName+".new") // 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // fails once it is renamed
	_, err = f.Write(raw)
	if err == nil {
		err = f.Sync()
	}
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err == nil {
		err = os.Rename(f.Name(), s.Path())
	}
	if err == nil {
		err = syncDir(s.Dir)
	}
	return err
}

// Forget takes the pin away and keeps it beside, under the returned name; ""
// where there was none. A damaged one is forgotten too.
func (s Store) Forget(now time.Time) (kept string, err error) {
	kept = s.Path() + ".forgotten-" + now.UTC().Format("20060102T150405.000Z")
	if err := os.Rename(s.Path(), kept); errors.Is(err, fs.ErrNotExist) {
		return "", nil
	} else if err != nil {
		return "", fmt.Errorf("forget the pin: %w", err)
	}
	if err := syncDir(s.Dir); err != nil {
		return "", fmt.Errorf("forget the pin: %w", err)
	}
	old, err := filepath.Glob(s.Path() + ".forgotten-*")
	if err != nil {
		return kept, nil // the pattern is ours
	}
	slices.SortFunc(old, strings.Compare) // by time
	for len(old) > keep {
		_ = os.Remove(old[0]) // the next time, then
		old = old[1:]
	}
	return kept, nil
}

// syncDir makes a rename in dir last.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
