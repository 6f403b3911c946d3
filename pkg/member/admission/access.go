package admission

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/shown"
)

// accessible says why etcd could not work with the parts of the data that are
// there; nil where it can.
func accessible(dir, walDir string) *failure.Failure {
	paths := []string{dir, filepath.Join(dir, "member"), filepath.Join(dir, "member", "snap"), filepath.Join(dir, "member", "wal")}
	if walDir != "" {
		paths = append(paths, walDir)
	}
	for _, p := range paths {
		if f := usable(p, true); f != nil {
			return f
		}
	}
	return usable(filepath.Join(dir, "member", "snap", "db"), false)
}

// usable says why a directory or file that exists cannot be read and written.
func usable(path string, isDir bool) *failure.Failure {
	info, err := os.Stat(path)
	mode := uint32(unix.R_OK | unix.W_OK)
	if isDir {
		mode |= unix.X_OK
	}
	switch {
	case os.IsNotExist(err):
		return nil // etcd makes it
	case err != nil:
		return accessFailure(err)
	case info.IsDir() != isDir:
		return failure.New(failure.IDDirAccess, fmt.Sprintf("%s has the wrong type, %s", path, info.Mode().Type()))
	}
	if err := unix.Access(path, mode); err == nil {
		return nil
	} else if err != unix.EACCES && err != unix.EPERM { // a disk that the kernel has made read-only
		return accessFailure(fmt.Errorf("%s: %w", path, err))
	}
	detail := fmt.Sprintf("%s has mode %04o", path, info.Mode().Perm())
	if st, ok := info.Sys().(*syscall.Stat_t); ok && int(st.Uid) != os.Geteuid() {
		f := failure.New(failure.IDDirOwner, fmt.Sprintf("%s, and belongs to user %d; this is user %d", detail, st.Uid, os.Geteuid()))
		f.Values = map[string]string{"case": ownerCase(userName(st.Uid))}
		return f
	}
	return failure.New(failure.IDDirAccess, detail)
}

// ownerCase is whether the owner of the files is wrong, or who runs this.
func ownerCase(owner string) string {
	if owner == serviceUser {
		return failure.CaseCaller
	}
	return failure.CaseOwner
}

// serviceUser is whom the unit and the catalogue's commands have as the owner.
const serviceUser = "etcd"

// userName is a user's name; "" where it is not known.
func userName(uid uint32) string {
	u, err := user.LookupId(strconv.FormatUint(uint64(uid), 10))
	if err != nil {
		return ""
	}
	return u.Username
}

// unmounted reports whether the data dir, which this user may not use, is but the
// empty directory on which its disk is to be mounted: a member has lived in it.
func (c *Checker) unmounted() bool {
	left, err := os.ReadDir(c.DataDir)
	return err == nil && len(left) == 0 && c.waits() && !c.pinOfOtherDir()
}

// accessFailure is the failure for an error of the file system.
func accessFailure(err error) *failure.Failure {
	if f := failure.FromError(err); f != nil {
		return f
	}
	return failure.New(failure.IDDirAccess, err.Error())
}

// exposed reports whether other users may look into the data dir.
func (n Node) exposed() (text string, yes bool) {
	info, err := os.Stat(n.DataDir)
	if err != nil || info.Mode().Perm()&0o077 == 0 {
		return "", false
	}
	return fmt.Sprintf("%s has mode %04o: other users may look into the data (chmod 0700 %s)", n.DataDir, info.Mode().Perm(), shown.Quoted(n.DataDir)), true
}
