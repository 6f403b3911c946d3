package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"go.uber.org/zap"

	"github.com/etcd-node/etcd-node/pkg/control"
	"github.com/etcd-node/etcd-node/pkg/supervisor"
)

// besideName is the directory beside member/ in the data dir that takes the
// place of the directories which a unit gives: the socket and the records of a
// daemon that has none are there. It is for the user who runs the daemon. Stock
// etcd names it in one warning when it starts, and goes on. It does not hold the
// pin, which must not be on the data's disk.
const besideName = "etcd-node"

func beside(dataDir string) string { return filepath.Join(dataDir, besideName) }

// answers is where the daemon answers the commands.
type answers struct {
	serve  func(dir string) bool // nil: it answers, or cannot
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
	a.serve = func(dir string) bool {
		a.serve = nil
		var err error
		a.done, err = s.ServeStatus(ctx, dir)
		if errors.Is(err, control.ErrTaken) && dir == unitDir {
			err = fmt.Errorf("%w: give this unit a RuntimeDirectory= of its own", err)
		}
		if err != nil {
			log.Warn("`etcd-node status` will not work", zap.Error(err))
		}
		return err == nil
	}
	if unitDir != "" {
		a.serve(unitDir)
	}
	return a
}

// beside makes the directory in the data dir, and uses it for what the unit has
// no directory for. What cannot be made is no reason not to start: etcd says
// what is wrong with its data dir.
func (a *answers) beside(dataDir string, kept *kept) {
	if a.serve == nil && !kept.homeless() {
		return
	}
	dir := beside(dataDir)
	if err := makeBeside(dir); err != nil {
		a.log.Debug("`etcd-node status` and `history` will not work", zap.Error(err))
		return
	}
	if a.serve != nil && !a.serve(dir) {
		return // the records there may be another daemon's
	}
	if kept.homeless() {
		kept.open(dir)
	}
}

// makeBeside makes the directory, and the data dir if it is not there, as etcd
// would.
func makeBeside(dir string) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

func (a *answers) end() {
	a.cancel()
	if a.done != nil {
		<-a.done
	}
}
