package adopt

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/etcd-node/etcd-node/pkg/config"
	"github.com/etcd-node/etcd-node/pkg/config/preflight"
	"github.com/etcd-node/etcd-node/pkg/config/unit"
	"github.com/etcd-node/etcd-node/pkg/durable"
	"github.com/etcd-node/etcd-node/pkg/identity"
)

// Kept is where what an adoption replaces is kept. It is root's alone: what the service
// user could change there, root would put back as a unit.
const Kept = "/var/backups/etcd-node"

// DropIn is the drop-in that lets etcd-node's unit reach data outside its own directory.
const DropIn = "/etc/systemd/system/etcd.service.d/adopted.conf"

// Record is what was done, and what was there before: what [Undo] needs.
type Record struct {
	Format  int         `json:"format"`
	Time    time.Time   `json:"time"`
	Unit    string      `json:"unit"` // of the other etcd
	Enabled bool        `json:"enabled"`
	Running bool        `json:"running"`
	Files   []string    `json:"files"` // that were there, and are kept under their paths
	Moved   []string    `json:"moved"` // of those, which are gone from their places
	Made    []string    `json:"made"`  // that were not there
	Owners  []Ownership `json:"owners"`
	Reserve string      `json:"reserve"` // etcd-node's own file in the data
	// Pins is where the pin is; "" where one was there before.
	Pins string `json:"pins,omitempty"`
}

// Ownership is whose a tree was.
type Ownership struct {
	Dir string `json:"dir"`
	UID int    `json:"uid"`
	GID int    `json:"gid"`
}

const recordFormat = 1

// Steps are what Do does, in sentences and commands.
func (p *Plan) Steps() (all []string) {
	say := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	say("keep what is replaced in %s/TIME", Kept)
	say("write %s", config.DefaultEnvFile)
	if text := p.dropIn(); text != "" {
		say("write %s, which lets the unit reach %s", DropIn, strings.Join(p.outside(), " and "))
	}
	for _, path := range p.aside() {
		say("move %s aside", path)
	}
	say("stop %s, give the data to the user %s where it is another's, and start %s in its place", p.Old.Name, p.user(), unit.Name)
	return all
}

func (p *Plan) user() string {
	if p.New.User == "" {
		return "root"
	}
	return p.New.User
}

// outside are the directories that etcd-node's unit does not reach without a drop-in.
func (p *Plan) outside() (dirs []string) {
	for _, dir := range []string{p.Now.DataDir, p.Now.WALDir} {
		if dir != "" && !slices.ContainsFunc(p.New.StateDirectory, func(own string) bool { return within(dir, own) }) &&
			!slices.ContainsFunc(dirs, func(other string) bool { return within(dir, other) }) {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

func within(dir, above string) bool {
	rel, err := filepath.Rel(above, dir)
	return err == nil && filepath.IsLocal(rel)
}

func (p *Plan) dropIn() string {
	if dirs := p.outside(); len(dirs) > 0 {
		return "# Made by `etcd-node adopt`: the data was there before.\n" + unit.Reach(dirs)
	}
	return ""
}

// aside are the files of the other unit that would count instead of etcd-node's, or on
// top of it.
func (p *Plan) aside() (paths []string) {
	if p.Old.Name == unit.Name && p.Old.Path != p.New.Path && strings.HasPrefix(p.Old.Path, "/etc/systemd/") {
		paths = append(paths, p.Old.Path)
	}
	if p.Old.Name == unit.Name {
		paths = append(paths, p.Old.DropIns...)
	}
	return paths
}

// Refused says why the plan cannot be carried out; nil if it can.
func (p *Plan) Refused() error {
	var why []error
	if d := p.Differences(); len(d) > 0 {
		why = append(why, errors.New("the settings would not be the same"))
	}
	if counts, _ := unit.Read(unit.Name); p.Old.Path == counts.Path && !strings.HasPrefix(p.Old.Path, "/etc/systemd/") {
		why = append(why, fmt.Errorf("%s belongs to a package, and counts instead of etcd-node's: remove that package first, and keep its data (apt-get remove, not purge)", p.Old.Path))
	}
	if os.Geteuid() != 0 {
		why = append(why, errors.New("only root may"))
	}
	return errors.Join(why...)
}

// Do carries the plan out, and tells say each step. Until the other etcd is stopped
// nothing that runs is touched. The directory that it returns has what was replaced.
func (p *Plan) Do(ctx context.Context, now time.Time, say func(string)) (dir string, err error) {
	r := &Record{Format: recordFormat, Time: now, Unit: p.Old.Name, Reserve: filepath.Join(p.Now.DataDir, "member", "reserve")}
	if _, pinned, _ := p.Pins.Load(); !pinned {
		r.Pins = p.Pins.Dir
	}
	if dir, err = keepDir(now); err != nil {
		return "", err
	}
	r.Enabled = is(ctx, "is-enabled", p.Old.Name)
	r.Running = is(ctx, "is-active", p.Old.Name)
	aside := p.aside()
	for _, path := range append([]string{config.DefaultEnvFile, DropIn}, aside...) {
		switch err := keep(dir, path); {
		case err == nil:
			r.Files = append(r.Files, path)
		case errors.Is(err, fs.ErrNotExist):
			r.Made = append(r.Made, path)
		default:
			return dir, err
		}
	}
	r.Moved = aside
	for _, tree := range []string{p.Now.DataDir, p.Now.WALDir} {
		if info, err := os.Stat(tree); tree != "" && err == nil {
			owner := info.Sys().(*syscall.Stat_t)
			r.Owners = append(r.Owners, Ownership{tree, int(owner.Uid), int(owner.Gid)})
		}
	}
	if err := r.write(dir); err != nil {
		return dir, err
	}
	say("kept what is replaced in " + dir)
	if err := replace(config.DefaultEnvFile, p.EnvFile, envMode(p)); err != nil {
		return dir, err
	}
	say("wrote " + config.DefaultEnvFile)
	if text := p.dropIn(); text != "" {
		if err := replace(DropIn, text, 0o644); err != nil {
			return dir, err
		}
		say("wrote " + DropIn)
	} else {
		r.Made = slices.DeleteFunc(r.Made, func(path string) bool { return path == DropIn })
		if err := r.write(dir); err != nil {
			return dir, err
		}
	}
	if r.Enabled { // its links lead to the file that goes
		if err := systemctl(ctx, "disable", p.Old.Name); err != nil {
			return dir, err
		}
	}
	if r.Running {
		say("stopping " + p.Old.Name)
		if err := systemctl(ctx, "stop", p.Old.Name); err != nil {
			return dir, err
		}
	}
	for _, path := range aside {
		if err := os.Remove(path); err != nil {
			return dir, err
		}
	}
	if u, ok := preflight.Lookup(p.user(), p.New.Group); ok {
		for _, o := range r.Owners {
			if err := own(o.Dir, int(u.UID), int(u.GIDs[0])); err != nil {
				return dir, err
			}
		}
	} else {
		return dir, fmt.Errorf("there is no user %s: systemd-sysusers", p.user())
	}
	return dir, begin(ctx, unit.Name, r, say)
}

// Undo puts back what the last adoption has replaced, which is in a directory below
// [Kept], and starts the other etcd again if it ran.
func Undo(ctx context.Context, say func(string)) error {
	dir, r, err := last()
	if err != nil {
		return err
	}
	say("putting back what is in " + dir)
	wasOurs := is(ctx, "is-active", unit.Name)
	for _, do := range [][]string{{"disable", unit.Name}, {"stop", unit.Name}} {
		if err := systemctl(ctx, do...); err != nil {
			return err
		}
	}
	for _, path := range r.Made {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	for _, path := range r.Files {
		if err := restore(dir, path); err != nil {
			return err
		}
	}
	for _, o := range r.Owners {
		if err := own(o.Dir, o.UID, o.GID); err != nil {
			return err
		}
	}
	if err := os.Remove(r.Reserve); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if r.Pins != "" { // else the next member here would be taken for another's data
		if _, err := (identity.Store{Dir: r.Pins}).Forget(time.Now()); err != nil {
			return err
		}
	}
	r.Running = r.Running || wasOurs
	if err := begin(ctx, r.Unit, r, say); err != nil {
		return err
	}
	// It is done: another undo must not find it.
	return durable.Rename(dir, dir+".undone")
}

// begin starts a unit in the place of another, if that ran.
func begin(ctx context.Context, name string, r *Record, say func(string)) error {
	if err := systemctl(ctx, "daemon-reload"); err != nil {
		return err
	}
	if r.Enabled {
		if err := systemctl(ctx, "enable", name); err != nil {
			return err
		}
	}
	if !r.Running {
		return nil
	}
	say("starting " + name)
	// Not waited for here: a start may wait for others.
	return systemctl(ctx, "start", "--no-block", name)
}

func is(ctx context.Context, what, name string) bool {
	return exec.CommandContext(ctx, "systemctl", what, "--quiet", name).Run() == nil
}

func systemctl(ctx context.Context, args ...string) error {
	if out, err := exec.CommandContext(ctx, "systemctl", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("systemctl %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}

func keepDir(now time.Time) (string, error) {
	dir := filepath.Join(Kept, "adopt-"+now.UTC().Format("20060102T150405"))
	if err := os.MkdirAll(filepath.Dir(Kept), 0o755); err != nil {
		return "", err
	}
	if err := os.MkdirAll(Kept, 0o700); err != nil {
		return "", err
	}
	return dir, os.Mkdir(dir, 0o700)
}

// keep copies a file below a directory, with its mode and owner; a link stays one.
func keep(dir, path string) error { return copyFile(path, filepath.Join(dir, "files", path)) }

func restore(dir, path string) error { return copyFile(filepath.Join(dir, "files", path), path) }

func copyFile(from, to string) error {
	info, err := os.Lstat(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	if info.Mode().Type() == fs.ModeSymlink {
		target, err := os.Readlink(from)
		if err != nil {
			return err
		}
		_ = os.Remove(to)
		return os.Symlink(target, to)
	}
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	owner := info.Sys().(*syscall.Stat_t)
	return errors.Join(replace(to, string(data), info.Mode().Perm()), os.Lchown(to, int(owner.Uid), int(owner.Gid)))
}

// replace writes a file that is there as a whole or not at all.
func replace(path, text string, mode fs.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if info, err := os.Lstat(path); err == nil && info.Mode().Type() == fs.ModeSymlink {
		_ = os.Remove(path) // the link is kept, not what it leads to
	}
	return errors.Join(durable.Replace(path, []byte(text)), os.Chmod(path, mode))
}

// envMode is 0600 for an env file with a password.
func envMode(p *Plan) fs.FileMode {
	for _, s := range p.Then.Settings {
		if s.Secret() {
			return 0o600
		}
	}
	return 0o644
}

// own gives a tree to a user. Links are not followed.
func own(dir string, uid, gid int) error {
	return filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		return errors.Join(err, os.Lchown(path, uid, gid))
	})
}

func (r *Record) write(dir string) error {
	raw, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return durable.Replace(filepath.Join(dir, "record.json"), append(raw, '\n'))
}

// last is the last adoption that was not undone.
func last() (dir string, r *Record, err error) {
	all, _ := filepath.Glob(filepath.Join(Kept, "adopt-*[0-9]"))
	if len(all) == 0 {
		return "", nil, fmt.Errorf("%w back: %s has no adoption", ErrNothing, Kept)
	}
	slices.Sort(all)
	dir = all[len(all)-1]
	raw, err := os.ReadFile(filepath.Join(dir, "record.json"))
	if err != nil {
		return dir, nil, err
	}
	r = &Record{}
	if err := json.Unmarshal(raw, r); err != nil {
		return dir, nil, err
	}
	if r.Format > recordFormat {
		return dir, nil, fmt.Errorf("%s was written by a later etcd-node", dir)
	}
	return dir, r, nil
}
