package adopt

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/etcd-node/etcd-node/pkg/config"
	"github.com/etcd-node/etcd-node/pkg/config/etcdflags"
	"github.com/etcd-node/etcd-node/pkg/config/preflight"
	"github.com/etcd-node/etcd-node/pkg/config/settings"
	"github.com/etcd-node/etcd-node/pkg/config/unit"
	"github.com/etcd-node/etcd-node/pkg/identity"
	"github.com/etcd-node/etcd-node/pkg/shown"
)

// ErrNothing is that there is no unit of another etcd.
var ErrNothing = errors.New("there is nothing to adopt")

// Resolve resolves what a unit's daemon would read, with its user's rights.
type Resolve func(ctx context.Context, u unit.File, in config.Input) (*settings.Resolved, error)

// Plan is what is to be done so that etcd-node runs the member of another etcd.
type Plan struct {
	Old, New unit.File
	Program  string // which the old unit runs
	Then     *settings.Resolved
	Now      *settings.Resolved // what etcd-node's unit resolves to with EnvFile
	// EnvFile is the new content of /etc/default/etcd.
	EnvFile string
	// Left are the settings of the old unit that etcd-node finds by itself.
	Left []settings.Setting
	// Pins is where etcd-node remembers who lives here.
	Pins identity.Store
	// Renamed are settings of etcd 3.6 that 3.7 has under other names, in sentences.
	Renamed []string
	// Dropped are variables that the new env file does not have, in sentences.
	Dropped []string
}

// units are the one of another etcd, and etcd-node's own. named is the old one's, or
// the path of its file; "" is etcd.service.
func units(named string) (old, own unit.File, err error) {
	counts, _ := unit.Read(unit.Name)
	candidates := []unit.File{counts}
	for _, path := range counts.Hidden {
		if hidden, err := unit.At(path, unit.Name); err == nil {
			candidates = append(candidates, hidden)
		}
	}
	at := slices.IndexFunc(candidates, func(u unit.File) bool { return u.Runs("etcd-node") })
	if at < 0 {
		return old, own, errors.New("etcd-node's own unit is not installed: install it first (make install, or its package)")
	}
	own = candidates[at]
	switch {
	case strings.Contains(named, "/"):
		name := filepath.Base(named)
		if !strings.HasSuffix(name, ".service") {
			name = unit.Name
		}
		if found, ok := unit.Read(name); ok && sameFile(found.Path, named) {
			return found, own, nil // the file of a unit that systemd knows
		}
		if old, err = unit.At(named, name); err != nil {
			return old, own, err
		}
		return old, own, nil
	case named != "" && named != unit.Name && named+".service" != unit.Name:
		if !strings.HasSuffix(named, ".service") {
			named += ".service"
		}
		found, ok := unit.Read(named)
		if !ok {
			return old, own, fmt.Errorf("there is no unit %s (systemctl list-unit-files)", named)
		}
		return found, own, nil
	}
	// The one that counts, or else one that etcd-node's own already hides.
	for _, u := range candidates {
		if len(u.ExecStart) > 0 && !u.Runs("etcd-node") {
			return u, own, nil
		}
	}
	return old, own, fmt.Errorf("%w: %s runs etcd-node (another unit, or the file of one that was kept: etcd-node adopt UNIT)", ErrNothing, unit.Name)
}

func sameFile(a, b string) bool {
	x, err1 := os.Stat(a)
	y, err2 := os.Stat(b)
	return err1 == nil && err2 == nil && os.SameFile(x, y)
}

// unset are the settings without which stock etcd has values of its own, where
// etcd-node finds some out.
var unset = []struct{ name, value string }{
	{"name", "default"},
	{"listen-peer-urls", "http://localhost:2380"},
	{"listen-client-urls", "http://localhost:2379"},
	{"initial-advertise-peer-urls", "http://localhost:2380"},
	{"advertise-client-urls", "http://localhost:2379"},
}

// Find makes the plan. The error says what of the old unit cannot be told, or what is
// not valid in it.
func Find(ctx context.Context, named string, resolve Resolve) (*Plan, error) {
	old, own, err := units(named)
	if err != nil {
		return nil, err
	}
	p := &Plan{Old: old, New: own, Pins: identity.Store{Dir: own.Give(unit.Environ{}).HomeOfUnit().Pins}}
	if len(old.Unknown) > 0 {
		return nil, fmt.Errorf("%s: %s", old.Path, strings.Join(old.Unknown, "; "))
	}
	variables, err := old.Variables()
	if err != nil {
		return nil, fmt.Errorf("what %s sets cannot be read: %w", old.Path, err)
	}
	var args []string
	if p.Program, args, err = old.CommandLine(variables); err != nil {
		return nil, fmt.Errorf("what %s runs cannot be told: %w (write the settings into %s yourself: docs/operations.md, \"From stock etcd\")", old.Name, err, config.DefaultEnvFile)
	}
	args, renamed := translated(args, variables)
	p.Renamed = renamed
	// What a shell assigns counts over the unit's own.
	for _, f := range old.EnvFiles {
		if _, err := os.Stat(f.Path); err == nil && f.Path != config.DefaultEnvFile {
			p.Dropped = append(p.Dropped, fmt.Sprintf("%s stays where it is, and is not read any more", f.Path))
		}
	}
	old.EnvFiles, old.Environment = nil, nil
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		old.Environment = append(old.Environment, unit.Line{Text: name + "=" + variables[name], Source: old.Path})
	}
	if p.Then, err = before(ctx, old, args, resolve); err != nil {
		return nil, fmt.Errorf("the settings of %s: %w", old.Path, err)
	}
	if p.Then.ConfigFile != "" {
		p.Then.Settings = slices.DeleteFunc(p.Then.Settings, func(s settings.Setting) bool { return s.Name != "config-file" })
	}
	for _, notice := range p.Then.Notices {
		if strings.Contains(notice, "it is ignored") {
			p.Dropped = append(p.Dropped, notice)
		}
	}
	other, dropped := others(variables)
	p.Dropped = append(p.Dropped, dropped...)
	for _, line := range old.Beside {
		p.Dropped = append(p.Dropped, fmt.Sprintf("%s of %s is not taken over (if it is needed: systemctl edit etcd)", line.Text, line.Source))
	}
	return p, p.shorten(ctx, other, resolve)
}

// translated writes flags and variables of etcd 3.6 as etcd 3.7 has them.
func translated(args []string, variables map[string]string) (out, renamed []string) {
	set := func(was, value string, r etcdflags.Retired) {
		if name, now, ok := r.Now(value); ok {
			out = append(out, "--"+name+"="+now)
			renamed = append(renamed, fmt.Sprintf("%s is --%s=%s in etcd 3.7", was, name, now))
		} else {
			renamed = append(renamed, fmt.Sprintf("%s is left out: %s", was, r.Instead(settings.Variable)))
		}
	}
	for i := 0; i < len(args); i++ {
		name, value, has := strings.Cut(strings.TrimLeft(args[i], "-"), "=")
		r, retired := etcdflags.RetiredFlag(name)
		if !retired || !strings.HasPrefix(args[i], "-") {
			out = append(out, args[i])
			continue
		}
		if !has && i+1 < len(args) && !strings.HasPrefix(args[i+1], "-") {
			i++
			value = args[i]
		}
		set("--"+name, value, r)
	}
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		if r, retired := etcdflags.RetiredFlag(settings.Flag(name)); retired && strings.HasPrefix(name, "ETCD_") && variables[name] != "" {
			set(name, variables[name], r)
			delete(variables, name)
		}
	}
	return out, renamed
}

// before is what stock etcd runs with.
func before(ctx context.Context, old unit.File, args []string, resolve Resolve) (*settings.Resolved, error) {
	in := config.Input{Unit: old, ReadUnit: true, Args: args, WorkingDir: old.WorkingDirectory}
	r, err := resolve(ctx, old, in)
	if err != nil || r.ConfigFile != "" {
		return r, err
	}
	set := func(name string) bool { return r.Value(name) != "" && !r.Derived(name) }
	name := "default"
	if set("name") {
		name = r.Value("name")
	}
	for _, x := range unset {
		if !set(x.name) {
			in.Args = append(in.Args, "--"+x.name+"="+x.value)
		}
	}
	dir := name + ".etcd"
	if set("data-dir") {
		dir = r.Value("data-dir")
	}
	if !filepath.IsAbs(dir) {
		if old.WorkingDirectory == "" {
			return nil, fmt.Errorf("the data dir %s is relative, and where the unit works is not known", dir)
		}
		dir = filepath.Join(old.WorkingDirectory, dir)
	}
	in.Args = append(in.Args, "--data-dir="+dir)
	return resolve(ctx, old, in)
}

// others are variables that are no settings of etcd's: those of Go's own for its
// programs go on to count, and of others it is said that they do not.
func others(variables map[string]string) (kept map[string]string, dropped []string) {
	kept = map[string]string{}
	for name, value := range variables {
		switch {
		case name == "GOMAXPROCS", name == "GOGC", name == "GOMEMLIMIT", name == "GODEBUG":
			kept[name] = value
		case strings.HasPrefix(name, "ETCD_"), value == "":
		default:
			dropped = append(dropped, name+" is no setting of etcd's, and is left out")
		}
	}
	slices.Sort(dropped)
	return kept, dropped
}

// derivable are settings that etcd-node may find by itself, in the order in which it is
// tried without them. Of the state of a cluster it asks the others, and the data.
var derivable = []string{"initial-cluster-state", "advertise-client-urls", "initial-advertise-peer-urls", "listen-client-urls", "listen-peer-urls", "name", "data-dir"}

// shorten leaves out of the env file what comes out the same without it.
func (p *Plan) shorten(ctx context.Context, other map[string]string, resolve Resolve) error {
	keep := slices.Clone(p.Then.Settings)
	now, err := p.resolved(ctx, keep, other, resolve)
	if err != nil {
		return fmt.Errorf("etcd-node does not take the settings of %s: %w", p.Old.Path, err)
	}
	p.Now = now
	for _, name := range derivable {
		without := slices.DeleteFunc(slices.Clone(keep), func(s settings.Setting) bool { return s.Name == name })
		if len(without) == len(keep) {
			continue
		}
		now, err := p.resolved(ctx, without, other, resolve)
		if err != nil || len(differences(p.Then, now)) > 0 {
			continue
		}
		for _, s := range keep {
			if s.Name == name {
				p.Left = append(p.Left, s)
			}
		}
		keep, p.Now = without, now
	}
	p.EnvFile = p.header() + settings.EnvLines(keep, other)
	return nil
}

func (p *Plan) header() string {
	return fmt.Sprintf("# Made by `etcd-node adopt` of what %s has set. Every setting, as a comment: /usr/share/etcd-node/etcd.default\n", shown.Text(p.Old.Path))
}

// resolved is what etcd-node's unit makes of an env file with these settings.
func (p *Plan) resolved(ctx context.Context, list []settings.Setting, other map[string]string, resolve Resolve) (*settings.Resolved, error) {
	text := p.header() + settings.EnvLines(list, other)
	own := p.New
	own.DropIns, own.Environment = nil, slices.Clone(p.New.Environment)
	own.EnvFiles = []unit.EnvFile{{Path: config.DefaultEnvFile}}
	read := os.ReadFile
	if u, ok := preflight.Lookup(p.user(), own.Group, own.Groups...); ok {
		read = preflight.SystemAs(u).ReadFile // etcd's config file is the daemon's to read
	}
	return resolve(ctx, own, config.Input{Unit: own, ReadUnit: true, WorkingDir: own.WorkingDirectory, ReadFile: func(path string) ([]byte, error) {
		if path == config.DefaultEnvFile {
			return []byte(text), nil
		}
		return read(path)
	}})
}

// Differences are the settings in which the member would run otherwise than before;
// none is the proof.
func (p *Plan) Differences() []settings.Change { return differences(p.Then, p.Now) }

// Compared is how many settings are the same.
func (p *Plan) Compared() int { return len(p.Then.Settings) - len(p.Differences()) }

func differences(then, now *settings.Resolved) []settings.Change {
	return slices.DeleteFunc(then.Diff(now), func(c settings.Change) bool {
		switch {
		case c.Name == "initial-cluster-state": // only a start without data reads it, and etcd-node asks the cluster instead
			return true
		case strings.HasSuffix(c.Name, "-urls") || c.Name == "initial-cluster": // lists in any order
			return sameList(c.From, c.To)
		case strings.HasPrefix(c.Name, "ETCD_NODE_"):
			return true
		}
		return false
	})
}

func sameList(a, b string) bool {
	x, y := settings.List(a), settings.List(b)
	slices.Sort(x)
	slices.Sort(y)
	return slices.Equal(x, y)
}
