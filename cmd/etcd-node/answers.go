package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"go.uber.org/zap"

	"github.com/etcd-node/etcd-node/pkg/control"
	"github.com/etcd-node/etcd-node/pkg/supervisor"
)

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
	unitDir := w.environ.Home().Run
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
	if a.tried || a.serve == nil && !kept.records.Homeless() {
		return
	}
	a.tried = true
	dir := control.Beside(dataDir)
	if err := control.MakeBeside(dir); err != nil {
		a.log.Info("`etcd-node status` and `history` have no directory beside the data dir; a unit gives them one with RuntimeDirectory= and LogsDirectory=", zap.Error(err))
		kept.records.GiveUp()
		return
	}
	if a.serve != nil && errors.Is(a.serve(dir), control.ErrTaken) {
		kept.records.GiveUp() // the records there are the other daemon's
		return
	}
	kept.records.Open(dir, version) // unless they have a directory
}

// early is beside for a daemon that waits before all of its configuration is known.
// It makes no directory above that one: its disk may still come.
func (a *answers) early(dataDir string, kept *kept) {
	if _, err := os.Stat(filepath.Dir(dataDir)); dataDir != "" && err == nil {
		a.beside(dataDir, kept)
	}
}

func (a *answers) end() {
	a.cancel()
	if a.done != nil {
		<-a.done
	}
}
