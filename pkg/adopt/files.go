package adopt

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/etcd-node/etcd-node/pkg/durable"
)

// keep copies a file below a directory, with its mode and owner; a link stays one.
func keep(dir, path string) error { return copyFile(path, filepath.Join(dir, "files", path)) }

func restore(dir, path string) error { return copyFile(filepath.Join(dir, "files", path), path) }

func copyFile(from, to string) error {
	info, err := os.Lstat(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	if info.Mode().Type() == fs.ModeSymlink {
		target, err := os.Readlink(from)
		if err != nil {
			return err
		}
		_ = os.Remove(to)
		return os.Symlink(target, to)
	}
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	owner := info.Sys().(*syscall.Stat_t)
	return errors.Join(replace(to, string(data), info.Mode().Perm()), os.Lchown(to, int(owner.Uid), int(owner.Gid)))
}

// replace writes a file that is there as a whole or not at all.
func replace(path, text string, mode fs.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if info, err := os.Lstat(path); err == nil && info.Mode().Type() == fs.ModeSymlink {
		_ = os.Remove(path) // the link is kept, not what it leads to
	}
	return errors.Join(durable.Replace(path, []byte(text)), os.Chmod(path, mode))
}

// own gives a tree to its owner: all in it that is another's. No link is followed, the
// tree's own name neither, for a user to whom a part belongs could put one there meanwhile.
func own(to Ownership) error {
	fd, err := unix.Open(to.Dir, unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return &fs.PathError{Op: "open", Path: to.Dir, Err: err}
	}
	defer unix.Close(fd)
	root, err := os.OpenRoot(fmt.Sprintf("/proc/self/fd/%d", fd))
	if err != nil {
		return err
	}
	defer root.Close()
	return fs.WalkDir(root.FS(), ".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := root.Lstat(path)
		if err != nil {
			return err
		}
		is := info.Sys().(*syscall.Stat_t)
		switch {
		case int(is.Uid) == to.UID && int(is.Gid) == to.GID:
			return nil
		case info.Mode().IsRegular() && is.Nlink > 1:
			return fmt.Errorf("%s has another name somewhere else, and is not given away: find its other name (find / -xdev -samefile FILE)", filepath.Join(to.Dir, path))
		}
		return root.Lchown(path, to.UID, to.GID)
	})
}
