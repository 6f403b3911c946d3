package thisnode

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

	"github.com/etcd-node/etcd-node/pkg/config"
	"github.com/etcd-node/etcd-node/pkg/config/unit"
	"github.com/etcd-node/etcd-node/pkg/control"
	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/shown"
	"github.com/etcd-node/etcd-node/pkg/status"
)

// Daemon is the daemon that a command is about, and what it has recorded.
type Daemon struct {
	node    *Node
	dataDir string          // the one that was asked for; "" if none was
	beside  func() []string // directories beside data dirs, of daemons without a unit
	at      string          // the directory where it answered last

	// Hint: `etcd-node explain` is worth a word where nobody answers.
	Hint bool
}

// NoAnswer is the error where a daemon, or its records, cannot be asked.
type NoAnswer struct {
	error
	Stopped   bool // nobody is there
	Forbidden bool // this user may not ask
	Other     bool // who answers is another unit's daemon
}

func (e *NoAnswer) Unwrap() error { return e.error }

// Exit codes of commands, which are systemctl's: its status for a unit that is not
// active, and for one of which that cannot be told.
const (
	ExitNoDaemon = 3
	ExitUnknown  = 4
)

// Exit is the exit code of a command that ends with this.
func (e *NoAnswer) Exit() int {
	if e.Forbidden {
		return ExitUnknown
	}
	return ExitNoDaemon
}

// Daemon says where to look: in a data dir that was named, else where the unit
// has its directories, else beside the data dir that a daemon would have which was
// started here, with this environment.
func (n *Node) Daemon(ctx context.Context, dataDir string) *Daemon {
	d := &Daemon{node: n, dataDir: dataDir}
	given := n.environ.Home()
	inUnit := !n.named() && (given.Run != "" || given.Logs != "") // such as in ExecStartPost=
	if d.dataDir == "" && !n.named() && !inUnit {
		d.dataDir = n.environ.Get("ETCD_DATA_DIR")
	}
	switch {
	case d.dataDir != "":
		d.beside = func() []string { return []string{control.Beside(d.dataDir)} }
	case inUnit:
		d.beside = func() []string { return nil }
	default: // once the unit's daemon does not answer: it may take a look at the network
		d.beside = sync.OnceValue(func() (dirs []string) {
			if pin, ok, _ := n.Pins().Load(); ok && pin.DataDir != "" { // the data dir may be a flag in the unit
				dirs = append(dirs, control.Beside(pin.DataDir))
			}
			for _, in := range []config.Input{n.Written(), n.byHand()} {
				ctx, cancel := context.WithTimeout(ctx, limit)
				if r := resolve(ctx, in); r != nil && r.DataDir != "" && !slices.Contains(dirs, control.Beside(r.DataDir)) {
					dirs = append(dirs, control.Beside(r.DataDir))
				}
				cancel()
			}
			return dirs
		})
	}
	return d
}

// UnitsDaemon is the unit's, whatever data dir the shell is about.
func (n *Node) UnitsDaemon(ctx context.Context) *Daemon {
	m := *n
	m.environ = slices.DeleteFunc(slices.Clone(n.environ), func(kv string) bool { return strings.HasPrefix(kv, "ETCD_DATA_DIR=") })
	return m.Daemon(ctx, "")
}

// Ask asks for the status, and returns it also as the JSON that came. The error is
// a [*NoAnswer].
func (d *Daemon) Ask(ctx context.Context) (status.Status, []byte, error) {
	named, units := d.dataDir != "", d.node.home.Run
	var failed error // other than that nobody is there
	for dir := range d.inOrder(units) {
		raw, err := askAt(ctx, dir)
		var st status.Status
		if err == nil {
			if st, raw, err = status.Decode(raw); err != nil {
				err = fmt.Errorf("%s answers something else: %w", filepath.Join(dir, control.Socket), err)
			}
		}
		switch forbidden := errors.Is(err, fs.ErrPermission); {
		case err == nil && named && dir == units && !same(st.Values["data-dir"], d.dataDir):
			// Another daemon than the one that was asked for.
		case err == nil && dir == units && d.node.isOther(d.node.unitOf(st.PID)):
			return status.Status{}, nil, &NoAnswer{error: d.node.ofOther(filepath.Join(dir, control.Socket), d.node.unitOf(st.PID)), Other: true}
		case err == nil:
			d.at = dir
			return withSteps(st), raw, nil
		case control.IsNobody(err), failed != nil:
		case forbidden && dir != units && !named:
			// Nothing says that a daemon is there.
		case forbidden:
			failed = d.Forbidden(err)
		default:
			failed = &NoAnswer{error: fmt.Errorf("no answer from the daemon: %w (systemctl status %s)", err, d.node.Service())}
		}
	}
	if failed == nil {
		failed = &NoAnswer{error: d.nobody(), Stopped: true}
	}
	return status.Status{}, nil, failed
}

// withSteps makes the commands of a status here, where the values of others are
// quoted.
func withSteps(st status.Status) status.Status {
	if e := st.LastEnd; e != nil {
		e.Next = failure.Steps(e.ID, e.Values)
	}
	return st
}

// isOther reports whether a daemon's unit is known, and is another one than this
// node's, which may have a second name.
func (n *Node) isOther(theirs string) bool {
	if theirs == "" || theirs == n.Unit || !n.installed {
		return false
	}
	other, found := unit.Read(theirs)
	return !found || strings.Contains(theirs, "@") || !same(other.Path, n.file.Path)
}

// ofOther says that the daemon at the socket is another unit's. That happens where a
// unit was copied: the two share one directory, and the later one has the socket.
func (n *Node) ofOther(socket, theirs string) error {
	return fmt.Errorf("the daemon at %s is %s's: give %s its own RuntimeDirectory= (and StateDirectory=, LogsDirectory=), or use etcd@NAME",
		socket, shown.Text(theirs), n.Service())
}

// inOrder are the directories where to look, that of the unit among them, if it
// has one: first, unless a data dir was named.
func (d *Daemon) inOrder(unit string) iter.Seq[string] {
	return func(yield func(string) bool) {
		if d.dataDir == "" && unit != "" && !yield(unit) {
			return
		}
		for _, dir := range d.beside() {
			if !yield(dir) {
				return
			}
		}
		if d.dataDir != "" && unit != "" {
			yield(unit)
		}
	}
}

// askAt asks the daemon with its socket in a directory.
func askAt(ctx context.Context, dir string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return control.Ask(ctx, dir)
}

// same reports whether two paths are one file or directory.
func same(a, b string) bool {
	x, err1 := os.Stat(a)
	y, err2 := os.Stat(b)
	return err1 == nil && err2 == nil && os.SameFile(x, y)
}

// Records is the directory of the flight recorder; "" where it cannot be told.
func (d *Daemon) Records() string {
	logs := d.node.home.Logs
	if d.node.environ.Home().Logs != "" && d.dataDir == "" {
		return logs
	}
	there := func(dir string) bool {
		_, err := os.Stat(dir)
		return !errors.Is(err, fs.ErrNotExist)
	}
	if d.dataDir != "" { // never what another member has recorded
		if d.isUnits() && logs != "" && there(logs) {
			return logs
		}
		return control.Beside(d.dataDir)
	}
	first := logs
	for dir := range d.inOrder(logs) {
		if there(dir) {
			return dir
		}
		first = cmp.Or(first, dir)
	}
	return first
}

// isUnits reports whether the data dir that was named is that of the unit here.
func (d *Daemon) isUnits() bool {
	pin, ok, _ := d.node.Pins().Load()
	return ok && same(d.dataDir, pin.DataDir) || same(d.dataDir, d.node.home.Data)
}

// ofUnit reports whether records in a directory are those of the unit's daemon.
func (d *Daemon) ofUnit(records string) bool { return records == d.node.home.Logs || d.node.named() }

// nobody says that no daemon is there, and what to do about that.
func (d *Daemon) nobody() error {
	explain := ""
	if d.dataDir != "" {
		if d.Hint {
			explain = fmt.Sprintf(" (etcd-node explain --data-dir=%s tells how it ended)", shown.Quoted(d.dataDir))
		}
		return fmt.Errorf("no daemon answers for the data dir %s: is it running?%s", shown.Text(d.dataDir), explain)
	}
	if d.Hint {
		explain = "; etcd-node explain tells how it ended"
	}
	byHand, where, run := "", "of "+d.node.Unit, d.node.home.Run
	if run == unit.RuntimeDir {
		byHand = "; one that no unit has started is found by its data dir: --data-dir=DIR"
	}
	if run != "" {
		where = "at " + filepath.Join(run, control.Socket)
	}
	return fmt.Errorf("no answer from the daemon %s: is it running? systemctl status %s%s%s", where, d.node.Service(), explain, byHand)
}

// Forbidden says that this user may not ask, and who may.
func (d *Daemon) Forbidden(err error) error {
	who := "as root or as a member of the group etcd (usermod -aG etcd USER, and log in again)"
	if d.dataDir != "" {
		who = "as root or as the user who runs the daemon"
	}
	return &NoAnswer{error: fmt.Errorf("%w: run this %s", err, who), Forbidden: true}
}
