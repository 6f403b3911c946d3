// Package durable changes names of files so that the change survives a power
// cut: without an fsync of the directory a new name, or a new file, may be gone
// afterwards.
package durable

import (
	"os"
	"path/filepath"
)

// SyncDir brings the names in a directory to the disk.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// Rename renames a file or directory within its directory. As with os.Rename
// what has that name already is replaced.
func Rename(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	return SyncDir(filepath.Dir(to))
}

// Replace gives a file new content, and the mode 0600. After a crash in the
// middle it has the old content or the new.
func Replace(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".new")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // fails once it is renamed
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return err
	}
	return Rename(f.Name(), path)
}
