package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"go.uber.org/zap"

	"github.com/etcd-node/etcd-node/pkg/control"
	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/identity"
	"github.com/etcd-node/etcd-node/pkg/status"
	"github.com/etcd-node/etcd-node/pkg/supervisor"
	"github.com/etcd-node/etcd-node/pkg/supervisor/recorder"
)

// flushLimit is how long the end of the daemon waits for the last records
// and the pin to be on the disk.
const flushLimit = 500 * time.Millisecond

// The texts of conditions and warnings.
const (
	unrecorded = "the flight recorder cannot be written"
	unpinned   = "an empty data dir will not be recognised as a lost one"
)

var errNoPinDirectory = errors.New("the unit's StateDirectory= has no second entry, for the pin (such as StateDirectory=etcd etcd-node)")

// home is where the daemon answers the commands and keeps what outlives it: in the
// directories of its unit, and where there are none for socket or records in one
// beside its data.
type home struct {
	log     *zap.Logger
	records *recorder.Recorder
	pins    *identity.Keeper // nil where there is no directory for it
	pinless bool             // though systemd started this daemon

	serve    func(dir string) error // nil: it answers, or cannot
	tried    bool                   // the directory beside the data
	end      context.CancelFunc     // of the answers
	answered <-chan struct{}        // closed when they have ended; nil: there are none
}

// openHome opens what outlives the daemon, and records its start.
func openHome(w world, log *zap.Logger) *home {
	h := &home{log: log, records: recorder.New("", log)}
	dirs := w.environ.Home()
	if dirs.Logs != "" {
		h.records.Open(dirs.Logs, version)
	}
	if dirs.Pins != "" {
		h.pins = identity.NewKeeper(identity.Store{Dir: dirs.Pins}, func(err error) {
			log.Warn(unpinned, zap.String("failure", failure.IDCannotRecord), zap.Error(err))
		})
	} else {
		// Run by hand, etcd has no such directory either.
		h.pinless = w.environ.Get("NOTIFY_SOCKET") != ""
	}
	return h
}

// answer has a supervisor answer in the unit's directory; without one it answers
// beside its data, once it is known where that is.
func (h *home) answer(w world, s *supervisor.Supervisor) {
	given := w.environ.Home().Run
	var ctx context.Context
	ctx, h.end = context.WithCancel(context.Background())
	h.serve = func(dir string) (err error) {
		h.serve = nil
		h.answered, err = s.ServeControl(ctx, dir)
		if errors.Is(err, control.ErrTaken) && dir == given {
			err = fmt.Errorf("%w: give this unit a RuntimeDirectory= of its own", err)
		}
		if err != nil {
			h.log.Warn("`etcd-node status` will not work", zap.Error(err))
		}
		return err
	}
	if given != "" {
		_ = h.serve(given) // logged
	}
}

// beside makes the directory beside the data, and uses it for what the unit has
// no directory for. It is tried once: what cannot be made is no reason not to
// start, and records that wait for it are in the way.
func (h *home) beside(dataDir string) {
	if h.tried || h.serve == nil && !h.records.Homeless() {
		return
	}
	h.tried = true
	dir := control.Beside(dataDir)
	if err := control.MakeBeside(dir); err != nil {
		h.log.Info("`etcd-node status` and `history` have no directory beside the data dir; a unit gives them one with RuntimeDirectory= and LogsDirectory=", zap.Error(err))
		h.records.GiveUp()
		return
	}
	if h.serve != nil && errors.Is(h.serve(dir), control.ErrTaken) {
		h.records.GiveUp() // those there are the other daemon's
		return
	}
	h.records.Open(dir, version) // unless they have a directory
}

// early is beside for a daemon that waits before all of its configuration is known.
// It makes no directory above that one: its disk may still come.
func (h *home) early(dataDir string) {
	if _, err := os.Stat(filepath.Dir(dataDir)); dataDir != "" && err == nil {
		h.beside(dataDir)
	}
}

// conditions are what of this does not work now.
func (h *home) conditions() (all []status.Condition) {
	say := func(what string, err error) {
		if err != nil {
			all = append(all, status.Condition{ID: failure.IDCannotRecord, Text: what + ": " + err.Error()})
		}
	}
	say(unrecorded, h.records.Retry())
	if h.pins != nil {
		say(unpinned, h.pins.Err())
	}
	if h.pinless {
		say(unpinned, errNoPinDirectory)
	}
	return all
}

// close ends the answers, and what is still being written.
func (h *home) close() {
	h.end()
	if h.answered != nil {
		<-h.answered
	}
	if h.pins != nil {
		if err := h.pins.Close(flushLimit); err != nil {
			h.log.Warn("the pin is not written", zap.Error(err))
		}
	}
	h.records.Add(recorder.Record{Kind: recorder.Stop})
	if err := h.records.Close(flushLimit); err != nil {
		h.log.Warn("the flight recorder lacks the last records", zap.Error(err))
	}
}
