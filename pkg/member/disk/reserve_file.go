package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// file is a reserve on the disk.
type file struct {
	path      string
	fallocate func(f *os.File, size int64) error
}

// present is what there is of a reserve.
type present struct {
	exists bool
	size   int64
	blocks int64 // allocated bytes; fewer than size in a copy that left out the zeros
}

// held are the bytes that a release would give back.
func (f present) held() int64 { return min(f.size, f.blocks) }

// released is the mark that release leaves.
func (f present) released() bool { return f.exists && f.size == 0 }

func (f file) look() (present, error) {
	info, err := os.Lstat(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return present{}, nil
	}
	if err != nil {
		return present{}, err
	}
	if !info.Mode().IsRegular() {
		return present{}, fmt.Errorf("%s is not a regular file: move it away, its name is taken", f.path)
	}
	out := present{exists: true, size: info.Size()}
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		out.blocks = s.Blocks * 512 // stat's unit, whatever the file system's is
	}
	return out, nil
}

// errNotReal is for a file system that promises blocks and does not keep them.
var errNotReal = errors.New("the file system does not keep allocated blocks")

// allocate makes the reserve; when it fails nothing stays allocated.
func (f file) allocate(size int64) (err error) {
	// No sync: after a loss of power the reserve may be missing, and is made again.
	out, err := os.OpenFile(f.path, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, out.Close())
		if err != nil {
			err = errors.Join(err, f.remove())
		}
	}()
	if err := f.fallocate(out, size); err != nil {
		return fmt.Errorf("allocate %s for %s: %w", bytes(size), f.path, err)
	}
	if got, err := f.look(); err != nil || got.held() < size {
		return errors.Join(err, fmt.Errorf("allocate %s for %s: %w", bytes(size), f.path, errNotReal))
	}
	return nil
}

// shrink gives back what is beyond size. Shrunk to 0 it is released.
func (f file) shrink(size int64) error { return os.Truncate(f.path, size) }

func (f file) remove() error {
	if err := os.Remove(f.path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func fallocate(f *os.File, size int64) error {
	for {
		if err := unix.Fallocate(int(f.Fd()), 0, 0, size); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
