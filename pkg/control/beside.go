package control

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// besideSuffix makes, of the path of a data dir, the directory that takes the
// place of those which a unit gives: the socket and the records of a daemon that
// has none are there. It is for the user who runs the daemon. It is beside the
// data dir and not in it, because nothing but etcd's own may be there: whoever
// restores a snapshot wants it empty. It does not hold the pin, which must not be
// on the data's disk.
const besideSuffix = ".etcd-node"

// Beside is that directory: the same one by whatever path a data dir is reached,
// and whether or not it is there yet.
func Beside(dataDir string) string {
	if abs, err := filepath.Abs(dataDir); err == nil {
		dataDir = abs
	}
	if real, err := filepath.EvalSymlinks(dataDir); err == nil {
		dataDir = real
	} else if parent, err := filepath.EvalSymlinks(filepath.Dir(dataDir)); err == nil {
		dataDir = filepath.Join(parent, filepath.Base(dataDir))
	}
	return dataDir + besideSuffix
}

// MakeBeside makes such a directory, and those above it that are not there, as etcd
// would for the data dir. One that is there is used only if nobody else can put
// anything into it: the parent may be open to all.
func MakeBeside(dir string) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err == nil || !errors.Is(err, fs.ErrExist) {
		return err
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	if st, ok := info.Sys().(*syscall.Stat_t); !ok || !info.IsDir() || int(st.Uid) != os.Geteuid() || info.Mode().Perm()&0o022 != 0 {
		return fmt.Errorf("%s is not a directory that only the user of this daemon writes to", dir)
	}
	return nil
}
