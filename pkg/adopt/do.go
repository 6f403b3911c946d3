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
	"github.com/etcd-node/etcd-node/pkg/member/datadir"
	"golang.org/x/sys/unix"
)

// Kept is where what an adoption replaces is kept. It is root's alone: what the service
// user could change there, root would put back as a unit.
const Kept = "/var/backups/etcd-node"

// DropIn is the drop-in that lets etcd-node's unit reach data outside its own directory.
const DropIn = "/etc/systemd/system/etcd.service.d/adopted.conf"

// ErrInterrupted is that an adoption has begun here and not come to its end.
var ErrInterrupted = errors.New("an adoption before this one was interrupted: etcd-node adopt --undo, then again")

// Interrupted returns [ErrInterrupted] if that is so.
func Interrupted() error {
	if _, r, err := last(); err == nil && !r.Done {
		return ErrInterrupted
	}
	return nil
}

// Record is what was done, and what was there before: what [Undo] needs.
type Record struct {
	Format int       `json:"format"`
	Time   time.Time `json:"time"`
	Unit   string    `json:"unit"` // of the other etcd
	// Version is the other etcd's, if it ran; Data and WAL are its directories.
	Version string      `json:"version,omitempty"`
	Data    string      `json:"data"`
	WAL     string      `json:"wal,omitempty"`
	Done    bool        `json:"done"` // the other etcd was replaced: nothing was left undone
	Enabled bool        `json:"enabled"`
	Running bool        `json:"running"`
	Files   []string    `json:"files"` // that were there, and are kept under their paths
	Made    []string    `json:"made"`  // that were not there
	Owners  []Ownership `json:"owners"`
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
	say("stop %s", p.Old.Name)
	say("write %s", config.DefaultEnvFile)
	for _, path := range p.aside() {
		say("move %s aside", path)
	}
	if text := p.dropIn(); text != "" {
		say("write %s, which lets the unit reach %s", DropIn, strings.Join(p.outside(), " and "))
	}
	say("give the data to the user %s where it is another's", p.user())
	say("start %s, which is etcd-node's now, if %s ran", unit.Name, p.Old.Name)
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
	if p.Old.Name != unit.Name {
		return nil
	}
	if counts, _ := unit.Read(unit.Name); p.Old.Path == counts.Path && strings.HasPrefix(p.Old.Path, "/etc/systemd/system/") {
		paths = append(paths, p.Old.Path)
	}
	for _, path := range p.Old.DropIns {
		if filepath.Dir(path) == filepath.Dir(DropIn) && path != DropIn {
			paths = append(paths, path)
		}
	}
	return paths
}

// Refused says why the plan cannot be carried out; nil if it can.
func (p *Plan) Refused() error {
	var why []error
	refuse := func(format string, args ...any) { why = append(why, fmt.Errorf(format, args...)) }
	if d := p.Differences(); len(d) > 0 {
		refuse("the settings would not be the same")
	}
	// What will count is etcd-node's own unit, and nothing on top of it that speaks of settings.
	aside := p.aside()
	counts, _ := unit.Read(unit.Name)
	left := slices.DeleteFunc(append([]string{counts.Path}, counts.Hidden...), func(path string) bool { return slices.Contains(aside, path) })
	switch {
	case len(left) > 0 && left[0] == p.New.Path:
	case strings.HasPrefix(counts.Path, "/etc/"):
		refuse("%s would count instead of %s: move it away (systemctl cat etcd; systemctl unmask etcd if it is masked)", counts.Path, p.New.Path)
	default:
		refuse("%s belongs to a package, and counts instead of %s: remove that package first, and keep its data (apt-get remove, not purge)", counts.Path, p.New.Path)
	}
	for _, path := range counts.DropIns {
		if slices.Contains(aside, path) || path == DropIn {
			continue
		}
		if d, err := unit.At(path, unit.Name); err != nil || len(d.ExecStart)+len(d.Environment)+len(d.EnvFiles)+len(d.StateDirectory) > 0 || d.User != "" {
			refuse("%s says something of etcd-node's unit, too: move it away, or into etcd-node's settings", path)
		}
	}
	own := unit.Properties{
		"Id": unit.Name, "User": p.user(), "ProtectHome": "yes", "ProtectSystem": "strict", "StateDirectory": "etcd etcd-node", "LogsDirectory": "etcd-node",
		"PrivateTmp": "yes", "ReadWritePaths": strings.Join(p.outside(), " "),
	}
	for _, text := range own.Forbids(p.Now) {
		refuse("%s", text)
	}
	if _, ok := preflight.Lookup(p.user(), p.New.Group); !ok {
		refuse("there is no user %s: systemd-sysusers", p.user())
	}
	if os.Geteuid() != 0 {
		refuse("only root may")
	}
	return errors.Join(why...)
}

// Do carries the plan out, and tells say each step. Until the other etcd is stopped
// nothing that it reads is touched; right before, ready is asked once more. The directory
// that it returns has what was replaced, "" where nothing was done; started says whether
// etcd-node runs now, as the other etcd did. m is who lives there, as [Plan.Look] has
// found it.
func (p *Plan) Do(ctx context.Context, m Member, now time.Time, ready func() error, say func(string)) (dir string, started bool, err error) {
	if err := Interrupted(); err != nil {
		return "", false, err
	}
	r := &Record{
		Format: recordFormat, Time: now, Unit: p.Old.Name, Version: m.Version, Data: p.Now.DataDir, WAL: p.Now.WALDir,
		Enabled: is(ctx, "is-enabled", p.Old.Name), Running: runs(ctx, p.Old.Name),
	}
	aside := p.aside()
	if _, pinned, _ := p.Pins.Load(); !pinned {
		r.Pins = p.Pins.Dir
	}
	for _, tree := range []string{p.Now.DataDir, p.Now.WALDir} {
		if tree == "" {
			continue
		}
		tree, err := filepath.EvalSymlinks(tree)
		if errors.Is(err, fs.ErrNotExist) { // the WAL is inside of the data
			continue
		} else if err != nil {
			return "", false, err
		}
		info, err := os.Stat(tree)
		if err != nil {
			return "", false, err
		}
		owner := info.Sys().(*syscall.Stat_t)
		r.Owners = append(r.Owners, Ownership{tree, int(owner.Uid), int(owner.Gid)})
	}
	if err := ready(); err != nil {
		return "", false, err
	}
	if dir, err = keepDir(now); err != nil {
		return "", false, err
	}
	places := append([]string{config.DefaultEnvFile}, aside...)
	if p.dropIn() != "" {
		places = append(places, DropIn)
	}
	for _, path := range places {
		switch err := keep(dir, path); {
		case err == nil:
			r.Files = append(r.Files, path)
		case errors.Is(err, fs.ErrNotExist):
			r.Made = append(r.Made, path)
		default:
			return dir, false, err
		}
	}
	if err := r.write(dir); err != nil {
		return dir, false, err
	}
	say("kept what is replaced in " + dir)
	// From here on it goes to its end, whatever happens to the terminal.
	ctx = context.WithoutCancel(ctx)
	if r.Enabled { // its links lead to the file that goes
		if err := systemctl(ctx, "disable", p.Old.Name); err != nil {
			return dir, false, err
		}
	}
	if loaded(ctx, p.Old.Name) {
		say("stopping " + p.Old.Name)
		if err := systemctl(ctx, "stop", p.Old.Name); err != nil {
			return dir, false, err
		}
	}
	if pid, command, held := datadir.Holder(filepath.Join(p.Now.DataDir, "member", "snap", "db")); held {
		return dir, false, fmt.Errorf("process %d (%s) still has the data: it is not what %s runs; stop it, and then: etcd-node adopt --undo", pid, command, p.Old.Name)
	}
	if err := replace(config.DefaultEnvFile, p.EnvFile, envMode(p)); err != nil {
		return dir, false, err
	}
	say("wrote " + config.DefaultEnvFile)
	for _, path := range aside {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return dir, false, err
		}
	}
	if text := p.dropIn(); text != "" {
		if err := replace(DropIn, text, 0o644); err != nil {
			return dir, false, err
		}
		say("wrote " + DropIn)
	}
	u, ok := preflight.Lookup(p.user(), p.New.Group)
	if !ok {
		return dir, false, fmt.Errorf("there is no user %s: systemd-sysusers", p.user())
	}
	for _, o := range r.Owners {
		if err := own(Ownership{o.Dir, int(u.UID), int(u.GIDs[0])}); err != nil {
			return dir, false, err
		}
	}
	if err := begin(ctx, unit.Name, r, say); err != nil {
		return dir, false, err
	}
	r.Done = true
	return dir, r.Running, r.write(dir)
}

// Undo puts back what the last adoption has replaced, which is in a directory below
// [Kept], and starts the other etcd again if it ran. storage is the data's storage version
// as the member says; "" where none runs. The error says so before anything is touched
// where the other etcd could not read the data any more.
//
// ready is asked right before something that runs is stopped. It returns the unit that was
// started; "" if none was, because none ran.
func Undo(ctx context.Context, storage string, ready func() error, say func(string)) (started string, err error) {
	dir, r, err := last()
	if err != nil {
		return "", err
	}
	if storage == "" {
		d, err := datadir.Inspect(r.Data, r.WAL)
		if err != nil {
			return "", err
		}
		storage = d.DB.StorageVersion
	}
	if err := tooNew(storage, r.Version); err != nil {
		return "", err
	}
	if r.Done {
		if err := ready(); err != nil {
			return "", err
		}
	}
	say("putting back what is in " + dir)
	ctx = context.WithoutCancel(ctx)
	r.Running = r.Running || runs(ctx, unit.Name)
	for _, name := range slices.Compact([]string{unit.Name, r.Unit}) {
		if !loaded(ctx, name) {
			continue
		}
		if is(ctx, "is-enabled", name) {
			if err := systemctl(ctx, "disable", name); err != nil {
				return "", err
			}
		}
		if err := systemctl(ctx, "stop", name); err != nil {
			return "", err
		}
	}
	for _, path := range slices.Concat(r.Made, r.Files) { // what was edited since is not lost
		if _, err := os.Lstat(filepath.Join(dir, "undone", path)); err == nil {
			continue // an undo before this one was interrupted, and this is what it has put there
		}
		if err := copyFile(path, filepath.Join(dir, "undone", path)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
	say("what was there until now is in " + filepath.Join(dir+".undone", "undone"))
	for _, path := range r.Made {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
	for _, path := range r.Files {
		if err := restore(dir, path); err != nil {
			return "", err
		}
	}
	for _, o := range r.Owners {
		if err := withoutReserve(o.Dir); err != nil {
			return "", err
		}
		if err := own(o); err != nil {
			return "", err
		}
	}
	if r.Pins != "" { // else the next member here would be taken for another's data
		if _, err := (identity.Store{Dir: r.Pins}).Forget(time.Now()); err != nil {
			return "", err
		}
	}
	if u, ok := unit.Read(r.Unit); !ok || u.Runs("etcd-node") {
		r.Running, r.Enabled = false, false
		say("there is no unit of the other etcd any more: bring it back, and start it (its settings and its data are as they were)")
	}
	if err := begin(ctx, r.Unit, r, say); err != nil {
		return "", err
	}
	if r.Running {
		started = r.Unit
	}
	// It is done: another undo must not find it.
	return started, durable.Rename(dir, dir+".undone")
}

// withoutReserve removes etcd-node's own file from a data dir. No link is followed.
func withoutReserve(dir string) error {
	root, err := os.OpenRoot(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	defer root.Close()
	if err := root.Remove("member/reserve"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
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

// runs reports whether a unit does something: one that is starting or stopping, too.
func runs(ctx context.Context, name string) bool {
	out, _ := exec.CommandContext(ctx, "systemctl", "show", "--property=ActiveState", "--value", name).Output()
	switch strings.TrimSpace(string(out)) {
	case "", "inactive", "failed":
		return false
	}
	return true
}

// loaded reports whether systemd knows a unit.
func loaded(ctx context.Context, name string) bool {
	out, _ := exec.CommandContext(ctx, "systemctl", "show", "--property=LoadState", "--value", name).Output()
	state := strings.TrimSpace(string(out))
	return state != "" && state != "not-found"
}

func is(ctx context.Context, what, name string) bool {
	return exec.CommandContext(ctx, "systemctl", what, "--quiet", name).Run() == nil
}

func systemctl(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, "systemctl", args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // the terminal's Ctrl-C is not for it
	if out, err := cmd.CombinedOutput(); err != nil {
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

// own gives a tree to its owner: all in it that is another's. No link is followed, the
// tree's own name neither, for a user to whom a part belongs could put one there meanwhile.
func own(to Ownership) error {
	fd, err := unix.Open(to.Dir, unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return &fs.PathError{Op: "open", Path: to.Dir, Err: err}
	}
	defer unix.Close(fd)
	root, err := os.OpenRoot(fmt.Sprintf("/proc/self/fd/%d", fd))
	if err != nil {
		return err
	}
	defer root.Close()
	return fs.WalkDir(root.FS(), ".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := root.Lstat(path)
		if err != nil {
			return err
		}
		is := info.Sys().(*syscall.Stat_t)
		switch {
		case int(is.Uid) == to.UID && int(is.Gid) == to.GID:
			return nil
		case info.Mode().IsRegular() && is.Nlink > 1:
			return fmt.Errorf("%s has another name somewhere else, and is not given away: find its other name (find / -xdev -samefile FILE)", filepath.Join(to.Dir, path))
		}
		return root.Lchown(path, to.UID, to.GID)
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
		return "", nil, fmt.Errorf("no adoption is kept in %s: there is nothing to take back", Kept)
	}
	slices.Sort(all)
	var raw []byte
	for _, dir = range slices.Backward(all) {
		if raw, err = os.ReadFile(filepath.Join(dir, "record.json")); !errors.Is(err, fs.ErrNotExist) { // else nothing was done yet
			break
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil, fmt.Errorf("no adoption is kept in %s: there is nothing to take back", Kept)
	} else if err != nil {
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
