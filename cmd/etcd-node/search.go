package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/etcd-node/etcd-node/pkg/config"
	"github.com/etcd-node/etcd-node/pkg/config/unit"
	"github.com/etcd-node/etcd-node/pkg/control"
	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/netdetect"
	"github.com/etcd-node/etcd-node/pkg/shown"
	"github.com/etcd-node/etcd-node/pkg/status"
)

const (
	// exitNoDaemon is systemctl's own exit status for a unit that is not active,
	// exitUnknown for one of which that cannot be told.
	exitNoDaemon = 3
	exitUnknown  = 4
)

// place is where a command looks for the daemon that it is about, and for what
// that daemon has recorded.
type place struct {
	w       world
	dataDir string // the one that was asked for; "" if none was

	explain bool // whether `etcd-node explain` is worth a word

	home   unit.Home       // of the unit
	beside func() []string // directories beside data dirs, of daemons without a unit
}

func dataDirFlag(c *cobra.Command, dir *string) {
	c.Flags().StringVar(dir, "data-dir", "", "the data dir, to find a daemon that no unit has started (as ETCD_DATA_DIR does)")
}

// search says where to look: in a data dir that was named, else where the unit
// has its directories, else beside the data dir that a daemon would have which was
// started here, with this environment.
func search(ctx context.Context, w world, dataDir string) *place {
	at := &place{w: w, dataDir: dataDir, home: homeOf(w)}
	named := w.environ.Get(unit.Variable) != ""
	inUnit := !named && (w.environ.Home().Run != "" || w.environ.Home().Logs != "") // such as in ExecStartPost=
	if at.dataDir == "" && !named && !inUnit {
		at.dataDir = w.environ.Get("ETCD_DATA_DIR")
	}
	switch {
	case at.dataDir != "":
		at.beside = func() []string { return []string{control.Beside(at.dataDir)} }
	case inUnit:
		at.beside = func() []string { return nil }
	default: // once the unit's daemon does not answer: it may take a look at the network
		at.beside = sync.OnceValue(func() (dirs []string) {
			if pin, ok, _ := pins(at.home).Load(); ok && pin.DataDir != "" { // the data dir may be a flag in the unit
				dirs = append(dirs, control.Beside(pin.DataDir))
			}
			for _, in := range []config.Input{
				written(w),
				{Environ: w.environ, EnvFile: w.environ.Get("ETCD_NODE_ENV_FILE")},
			} {
				if dir := dataDirOf(ctx, in); dir != "" && !slices.Contains(dirs, control.Beside(dir)) {
					dirs = append(dirs, control.Beside(dir))
				}
			}
			return dirs
		})
	}
	return at
}

// searchUnit is search for the unit's daemon, whatever data dir the shell is about.
func searchUnit(ctx context.Context, w world) *place {
	w.environ = slices.DeleteFunc(slices.Clone(w.environ), func(kv string) bool { return strings.HasPrefix(kv, "ETCD_DATA_DIR=") })
	return search(ctx, w, "")
}

// dataDirOf is the data dir of a daemon with this configuration; "" where that
// cannot be told.
func dataDirOf(ctx context.Context, in config.Input) string {
	ctx, cancel := context.WithTimeout(ctx, commandWait)
	defer cancel()
	loaded, err := config.Load(in)
	if err != nil {
		return ""
	}
	r, err := loaded.Resolve(ctx, func(ctx context.Context, req netdetect.Request) (netdetect.Result, error) {
		return netdetect.Find(ctx, netdetect.System(), req)
	})
	if err != nil {
		return ""
	}
	return r.DataDir
}

// ask asks the daemon. The error has the exit code that goes with it.
func (at *place) ask(ctx context.Context) (status.Status, []byte, error) {
	named := at.dataDir != ""
	var failed error // other than that nobody is there
	for dir := range at.inOrder(at.home.Run) {
		raw, err := askAt(ctx, dir)
		var st status.Status
		if err == nil {
			if st, raw, err = status.Decode(raw); err != nil {
				err = fmt.Errorf("%s answers something else: %w", filepath.Join(dir, control.Socket), err)
			}
		}
		switch forbidden := errors.Is(err, fs.ErrPermission); {
		case err == nil && named && dir == at.home.Run && !same(st.Values["data-dir"], at.dataDir):
			// Another daemon than the one that was asked for.
		case err == nil:
			if e := st.LastEnd; e != nil { // commands are made here, where the values of others are quoted
				e.Next = failure.Steps(e.ID, e.Values)
			}
			return st, raw, nil
		case control.IsNobody(err), failed != nil:
		case forbidden && dir != at.home.Run && !named:
			// Nothing says that a daemon is there.
		case forbidden:
			failed = at.forbidden(err)
		default:
			failed = coded{fmt.Errorf("no answer from the daemon: %w (systemctl status %s)", err, service(at.w)), exitNoDaemon}
		}
	}
	if failed == nil {
		failed = coded{stopped{at.nobody()}, exitNoDaemon}
	}
	return status.Status{}, nil, failed
}

// stopped is the error where nobody listens.
type stopped struct{ error }

// inOrder are the directories where to look, that of the unit among them, if it
// has one: first, unless a data dir was named.
func (at *place) inOrder(unit string) iter.Seq[string] {
	return func(yield func(string) bool) {
		if at.dataDir == "" && unit != "" && !yield(unit) {
			return
		}
		for _, dir := range at.beside() {
			if !yield(dir) {
				return
			}
		}
		if at.dataDir != "" && unit != "" {
			yield(unit)
		}
	}
}

// askAt asks the daemon with its socket in a directory.
func askAt(ctx context.Context, dir string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, commandWait)
	defer cancel()
	return control.Ask(ctx, dir)
}

// same reports whether two paths are one file or directory.
func same(a, b string) bool {
	x, err1 := os.Stat(a)
	y, err2 := os.Stat(b)
	return err1 == nil && err2 == nil && os.SameFile(x, y)
}

// records is the directory of the flight recorder; "" where it cannot be told.
func (at *place) records() string {
	logs := at.home.Logs
	if at.w.environ.Home().Logs != "" && at.dataDir == "" {
		return logs
	}
	there := func(dir string) bool {
		_, err := os.Stat(dir)
		return !errors.Is(err, fs.ErrNotExist)
	}
	if at.dataDir != "" { // never what another member has recorded
		if at.isUnits() && logs != "" && there(logs) {
			return logs
		}
		return control.Beside(at.dataDir)
	}
	first := logs
	for dir := range at.inOrder(logs) {
		if there(dir) {
			return dir
		}
		first = cmp.Or(first, dir)
	}
	return first
}

// isUnits reports whether the data dir that was named is that of the unit here.
func (at *place) isUnits() bool {
	pin, ok, _ := pins(at.home).Load()
	return ok && same(at.dataDir, pin.DataDir) || same(at.dataDir, at.home.Data)
}

// nobody says that no daemon is there, and what to do about that.
func (at *place) nobody() error {
	explain := ""
	if at.dataDir != "" {
		if at.explain {
			explain = fmt.Sprintf(" (etcd-node explain --data-dir=%s tells how it ended)", shown.Quoted(at.dataDir))
		}
		return fmt.Errorf("no daemon answers for the data dir %s: is it running?%s", shown.Text(at.dataDir), explain)
	}
	if at.explain {
		explain = "; etcd-node explain tells how it ended"
	}
	byHand := ""
	if at.home.Run == unit.RuntimeDir {
		byHand = "; one that no unit has started is found by its data dir: --data-dir=DIR"
	}
	where := "of " + at.w.environ.Unit()
	if at.home.Run != "" {
		where = "at " + filepath.Join(at.home.Run, control.Socket)
	}
	return fmt.Errorf("no answer from the daemon %s: is it running? systemctl status %s%s%s", where, service(at.w), explain, byHand)
}

// forbidden says that this user may not ask, and who may.
func (at *place) forbidden(err error) error {
	who := "as root or as a member of the group etcd (usermod -aG etcd USER, and log in again)"
	if at.dataDir != "" {
		who = "as root or as the user who runs the daemon"
	}
	return coded{fmt.Errorf("%w: run this %s", err, who), exitUnknown}
}

// ofUnit reports whether records in a directory are those of the unit's daemon.
func (at *place) ofUnit(records string) bool {
	return records == at.home.Logs || at.w.environ.Get(unit.Variable) != ""
}
