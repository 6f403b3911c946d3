package preflight

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"syscall"

	"github.com/etcd-node/etcd-node/pkg/shown"
)

// remote are the file systems that are not this machine's own disk, and what
// is wrong with each as a place for a database that waits for its disk.
var remote = map[string]string{
	"nfs": "over a network", "smb": "over a network", "cifs": "over a network", "ceph": "over a network",
	"afs": "over a network", "9p": "over a network or from a virtual machine's host", "fuse": "in user space, often over a network",
	"overlay": "of a container's layers, which go with the container",
	"tmpfs":   "in memory, which is empty after a reboot", "ramfs": "in memory, which is empty after a reboot",
}

// Dirs checks the data dir and, where it is another one, the WAL dir. Owner and
// mode are only looked at on behalf of another user ([SystemAs]).
func (h *Host) Dirs(dataDir, walDir string) (found []Finding) {
	for _, d := range []struct{ setting, path string }{{"data-dir", dataDir}, {"wal-dir", walDir}} {
		if d.path == "" {
			continue
		}
		existing, info, err := h.existing(d.path)
		switch {
		case err == nil && !info.Dir:
			found = append(found, Finding{Setting: d.setting, What: existing + " is not a directory", Hint: "give a directory, such as /var/lib/etcd", Waits: true})
			continue
		case err != nil:
			continue // this user may not look; the daemon says what it may not do
		}
		if fsys, err := h.FileSystem(existing); err == nil && remote[fsys] != "" {
			found = append(found, Finding{Setting: d.setting, What: fmt.Sprintf("%s is on a file system of type %s, %s", d.path, fsys, remote[fsys]),
				Hint: "etcd needs a local disk: slow or lost writes cost leaders and data", Notice: true})
		}
		if u := h.User; u != nil && existing == d.path {
			if info.UID != u.UID {
				found = append(found, Finding{Setting: d.setting, What: fmt.Sprintf("%s belongs to user %d, not to %s (%d)", d.path, info.UID, u.Name, u.UID),
					Hint: fmt.Sprintf("chown -R %s %s", shown.Quoted(u.Name), shown.Quoted(d.path)), Waits: true})
			}
			if info.Mode&0o077 != 0 {
				found = append(found, Finding{Setting: d.setting, What: fmt.Sprintf("%s has mode %04o: other users may look into the data", d.path, info.Mode),
					Hint: "chmod 0700 " + shown.Quoted(d.path), Notice: true, Waits: true})
			}
		}
	}
	return found
}

// NewWAL checks the place of a WAL that etcd has yet to make. It makes a
// directory beside, and renames it into the place of the one that is there, which
// it removes before: the kernel lets nobody do that to a mount point.
func (h *Host) NewWAL(dataDir, walDir string) []Finding {
	if h.MountPoint == nil {
		return nil
	}
	if walDir != "" && h.MountPoint(walDir) {
		return []Finding{{Setting: "wal-dir", What: walDir + " is a mount point, and etcd has to put a directory of its own in this place",
			Hint: "give a directory inside, " + filepath.Join(walDir, "wal")}}
	}
	inner := filepath.Join(dataDir, "member", "wal")
	if walDir == "" && h.MountPoint(inner) {
		return []Finding{{Setting: "data-dir", What: inner + " is a mount point, and etcd has to put a directory of its own in this place",
			Hint: "mount that disk elsewhere, and set ETCD_WAL_DIR to a directory inside of it"}}
	}
	return nil
}

// existing returns the path, or the nearest directory above it that is there.
func (h *Host) existing(path string) (string, Info, error) {
	for {
		info, err := h.Stat(path)
		if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR) {
			return path, info, err
		}
		up := filepath.Dir(path)
		if up == path {
			return path, info, err
		}
		path = up
	}
}
