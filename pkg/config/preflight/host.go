package preflight

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Host is the machine as preflight sees it.
type Host struct {
	// ReadFile reads a file as the user who will run the daemon.
	ReadFile func(path string) ([]byte, error)
	// Stat follows symlinks. The error of what is not there is fs.ErrNotExist.
	Stat func(path string) (Info, error)
	// FileSystem is the type of the file system that an existing path is on,
	// by its usual name, "ext4"; "" for one that is not known by name.
	FileSystem func(path string) (string, error)
	// MountPoint reports whether something is mounted exactly there.
	MountPoint func(path string) bool
	// Now is the time by which certificates are judged.
	Now func() time.Time
	// User will run the daemon; nil where that is the user of this process.
	User *User
}

// Info is what there is to know of a file or directory.
type Info struct {
	Dir  bool
	Mode fs.FileMode // the permission bits
	UID  uint32
}

// System is this machine as this process sees it.
func System() *Host {
	return &Host{ReadFile: os.ReadFile, Stat: stat, FileSystem: fileSystem, MountPoint: mountPoint, Now: time.Now}
}

func stat(path string) (Info, error) {
	info, err := os.Stat(path)
	if err != nil {
		return Info{}, err
	}
	i := Info{Dir: info.IsDir(), Mode: info.Mode().Perm()}
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		i.UID = st.Uid
	}
	return i, nil
}

// magic are the file systems on which a data dir deserves a word, as statfs(2)
// names them.
var magic = map[uint32]string{
	unix.NFS_SUPER_MAGIC:       "nfs",
	unix.SMB_SUPER_MAGIC:       "smb",
	unix.SMB2_SUPER_MAGIC:      "smb",
	unix.CIFS_SUPER_MAGIC:      "cifs",
	unix.CEPH_SUPER_MAGIC:      "ceph",
	unix.AFS_SUPER_MAGIC:       "afs",
	unix.V9FS_MAGIC:            "9p",
	unix.FUSE_SUPER_MAGIC:      "fuse",
	unix.OVERLAYFS_SUPER_MAGIC: "overlay",
	unix.TMPFS_MAGIC:           "tmpfs",
	unix.RAMFS_MAGIC:           "ramfs",
}

func fileSystem(path string) (string, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(path, &st); err != nil {
		return "", err
	}
	return magic[uint32(st.Type)], nil
}

// mountPoint asks the kernel. A bind mount within one file system is one too.
func mountPoint(path string) bool {
	path, err := filepath.EvalSymlinks(path)
	if err != nil || path == "/" {
		return err == nil
	}
	var here, above unix.Statx_t
	const mask = unix.STATX_TYPE | unix.STATX_MNT_ID
	err1 := unix.Statx(unix.AT_FDCWD, path, 0, mask, &here)
	err2 := unix.Statx(unix.AT_FDCWD, filepath.Dir(path), 0, mask, &above)
	return err1 == nil && err2 == nil &&
		(here.Dev_major != above.Dev_major || here.Dev_minor != above.Dev_minor || here.Mnt_id != above.Mnt_id)
}
