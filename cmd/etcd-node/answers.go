package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"go.uber.org/zap"

	"github.com/etcd-node/etcd-node/pkg/control"
	"github.com/etcd-node/etcd-node/pkg/supervisor"
)

// besideSuffix makes, of the path of a data dir, the directory that takes the
// place of those which a unit gives: the socket and the records of a daemon that
// has none are there. It is for the user who runs the daemon. It is beside the
// data dir and not in it, because nothing but etcd's own may be there: whoever
// restores a snapshot wants it empty. It does not hold the pin, which must not be
// on the data's disk.
const besideSuffix = ".etcd-node"

// beside is that directory: the same one by whatever path a data dir is reached,
// and whether or not it is there yet.
func beside(dataDir string) string {
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

// answers is where the daemon answers the commands.
type answers struct {
	serve  func(dir string) error // nil: it answers, or cannot
	tried  bool                   // the directory beside the data
	cancel context.CancelFunc
	done   <-chan struct{} // nil: it does not answer
	log    *zap.Logger
}

// newAnswers has the daemon answer in the unit's directory; without one it
// answers beside its data, once it is known where that is.
func newAnswers(w world, s *supervisor.Supervisor, log *zap.Logger) *answers {
	a := &answers{log: log}
	unitDir := nth(getenv(w.environ, "RUNTIME_DIRECTORY"), 0)
	var ctx context.Context
	ctx, a.cancel = context.WithCancel(context.Background())
	a.serve = func(dir string) error {
		a.serve = nil
		var err error
		a.done, err = s.ServeStatus(ctx, dir)
		if errors.Is(err, control.ErrTaken) && dir == unitDir {
			err = fmt.Errorf("%w: give this unit a RuntimeDirectory= of its own", err)
		}
		if err != nil {
			log.Warn("`etcd-node status` will not work", zap.Error(err))
		}
		return err
	}
	if unitDir != "" {
		_ = a.serve(unitDir) // logged
	}
	return a
}

// beside makes the directory beside the data, and uses it for what the unit has
// no directory for. It is tried once: what cannot be made is no reason not to
// start, and records that wait for it are in the way.
func (a *answers) beside(dataDir string, kept *kept) {
	if a.tried || a.serve == nil && !kept.homeless() {
		return
	}
	a.tried = true
	dir := beside(dataDir)
	if err := makeBeside(dir); err != nil {
		a.log.Info("`etcd-node status` and `history` have no directory beside the data dir; a unit gives them one with RuntimeDirectory= and LogsDirectory=", zap.Error(err))
		kept.giveUp()
		return
	}
	if a.serve != nil && errors.Is(a.serve(dir), control.ErrTaken) {
		kept.giveUp() // the records there are the other daemon's
		return
	}
	if kept.homeless() {
		kept.open(dir)
	}
}

// early is beside for a daemon that waits before all of its configuration is known.
// It makes no directory above that one: its disk may still come.
func (a *answers) early(dataDir string, kept *kept) {
	if _, err := os.Stat(filepath.Dir(dataDir)); dataDir != "" && err == nil {
		a.beside(dataDir, kept)
	}
}

// makeBeside makes the directory, and those above it that are not there, as etcd
// would for the data dir. One that is there is used only if nobody else can put
// anything into it: the parent may be open to all.
func makeBeside(dir string) error {
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

func (a *answers) end() {
	a.cancel()
	if a.done != nil {
		<-a.done
	}
}
