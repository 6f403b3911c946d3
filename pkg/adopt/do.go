package adopt

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/etcd-node/etcd-node/pkg/config"
	"github.com/etcd-node/etcd-node/pkg/config/preflight"
	"github.com/etcd-node/etcd-node/pkg/config/unit"
	"github.com/etcd-node/etcd-node/pkg/member/datadir"
)

// DropIn is the drop-in that lets etcd-node's unit reach data outside its own directory.
const DropIn = "/etc/systemd/system/etcd.service.d/adopted.conf"

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

// envMode is 0600 for an env file with a password.
func envMode(p *Plan) fs.FileMode {
	for _, s := range p.Then.Settings {
		if s.Secret() {
			return 0o600
		}
	}
	return 0o644
}
