// Package unit knows the unit that runs the daemon on this machine: what it lets
// the daemon do, which env files and directories it names, what it starts. The
// unit may hide files from the daemon, or not let it write to directories, that a
// shell finds in order. The file in deploy/systemd alone would not tell: there are
// drop-ins, and other units.
//
// A command asks systemd ([Ask]), and reads the unit's files ([Read]). The daemon
// only reads the files: a hardened service cannot reach systemd's bus. What its
// unit gives it stands in its environment ([Environ]).
package unit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/etcd-node/etcd-node/pkg/config/settings"
	"github.com/etcd-node/etcd-node/pkg/shown"
)

// What deploy/systemd/etcd.service has.
const (
	Name     = "etcd.service"
	User     = "etcd"
	StateDir = "/var/lib/etcd"
	// RuntimeDir is its RuntimeDirectory=.
	RuntimeDir = "/run/etcd"
	// EnvFilePath is its EnvironmentFile=.
	EnvFilePath = "/etc/default/etcd"
)

// Properties are what systemd says of the unit, by their names; nil where
// there is no systemd to ask.
type Properties map[string]string

var asked = []string{
	"Id", "User", "Group", "NeedDaemonReload", "ProtectHome", "ProtectSystem", "PrivateTmp", "WorkingDirectory", "ReadWritePaths", "BindPaths", "BindReadOnlyPaths",
	"StateDirectory", "CacheDirectory", "LogsDirectory", "RuntimeDirectory", environmentFiles,
}

// environmentFiles has a line for each file in systemctl's answer.
const environmentFiles = "EnvironmentFiles"

// Ask asks systemd of a unit. Of one that it does not know it tells the
// defaults, which forbid nothing.
func Ask(ctx context.Context, name string) Properties {
	out, err := exec.CommandContext(ctx, "systemctl", "show", name, "--property="+strings.Join(asked, ",")).Output()
	if err != nil {
		return nil
	}
	return parse(string(out))
}

// parse takes systemctl's answer apart, a line for each property.
func parse(answer string) Properties {
	p := Properties{}
	for line := range strings.Lines(answer) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		if name == environmentFiles {
			path, _, _ := strings.Cut(value, " (") // (ignore_errors=yes)
			value = strings.TrimSpace(p[name] + " " + path)
		}
		p[name] = value
	}
	return p
}

func (p Properties) name() string { return cmp.Or(p["Id"], Name) }

// user is the one with whose rights the daemon runs, and the group where the unit
// names one.
func (p Properties) user() (user, group string) {
	if _, told := p["User"]; !told {
		return User, User
	}
	return cmp.Or(p["User"], "root"), p["Group"]
}

// Outdated says so where systemd has not yet read what stands in the unit's
// files.
func (p Properties) Outdated() []string {
	if p["NeedDaemonReload"] != "yes" {
		return nil
	}
	return []string{p.name() + " has changed since systemd read it: what is said here counts after systemctl daemon-reload"}
}

// OtherEnvFile says so where the unit does not read the env file that a command
// has read.
func (p Properties) OtherEnvFile(read string) []string {
	files := strings.Fields(p[environmentFiles])
	if len(files) == 0 || read == "" || slices.Contains(files, read) {
		return nil
	}
	last := files[len(files)-1] // the last one counts
	return []string{fmt.Sprintf("%s reads %s, and this is what %s says: ETCD_NODE_ENV_FILE=%s etcd-node config shows the daemon's settings",
		p.name(), strings.Join(files, ", "), read, shown.Quoted(last))}
}

// Forbids says what of a configuration the unit does not let the daemon do.
func (p Properties) Forbids(r *settings.Resolved) (list []string) {
	if r.ConfigFile != "" {
		list = append(list, p.file(r.ConfigFile, r.ConfigFile)...)
		list = append(list, p.dir(r.ConfigFile, r.DataDir)...)
		return append(list, p.walDir(r.ConfigFile, r.WALDir)...)
	}
	for _, s := range r.Settings {
		switch {
		case s.Origin == settings.FromDerivation: // the unit's own state directory
		case s.Name == "data-dir":
			list = append(list, p.dir(s.Source, s.Value)...)
		case s.Name == "wal-dir":
			list = append(list, p.walDir(s.Source, s.Value)...)
		case s.Name != "log-outputs":
			for _, path := range s.Paths() {
				list = append(list, p.file(s.Source, path)...)
			}
		}
	}
	return list
}

// file looks at a file that the daemon is to read; where says what names it.
func (p Properties) file(where, path string) []string {
	if path = p.absolute(path); !p.hides(path) {
		return nil
	}
	user, _ := p.user()
	return []string{fmt.Sprintf("%s: %s hides %s from the daemon (ProtectHome=%s): move it to /etc/etcd, where the user %s can read it",
		where, p.name(), path, p["ProtectHome"], user)}
}

// dir looks at a directory that the daemon is to write to.
func (p Properties) dir(where, path string) []string {
	path = p.absolute(path)
	switch {
	case p.hides(path):
		return []string{fmt.Sprintf("%s: %s hides %s from the daemon (ProtectHome=%s): take a directory elsewhere; its own is %s",
			where, p.name(), path, p["ProtectHome"], StateDir)}
	case p.writable(path):
		return nil
	}
	return []string{fmt.Sprintf("%s: %s does not let the daemon write to %s (%s): %s", where, p.name(), path, p.why(), p.allow(path))}
}

// walDir looks at a WAL dir of its own. etcd makes it beside its place and
// renames it: until that is done it is the directory above that counts. That is
// seldom one to give to the daemon, so the way out is a directory inside.
func (p Properties) walDir(where, path string) []string {
	if path == "" {
		return nil
	}
	if files, _ := filepath.Glob(filepath.Join(path, "*.wal")); len(files) > 0 {
		return p.dir(where, path)
	}
	path = p.absolute(path)
	above := filepath.Dir(path)
	if p.hides(above) || p.writable(above) {
		return p.dir(where, above)
	}
	text := fmt.Sprintf("%s: %s does not let the daemon write to %s (%s), where etcd makes the WAL directory before it gives it its name: name a directory inside, %s",
		where, p.name(), above, p.why(), filepath.Join(path, "wal"))
	if !p.writable(path) {
		text += ", then " + p.allow(path)
	}
	return []string{text}
}

// why names what keeps the daemon from writing.
func (p Properties) why() string {
	if p["ProtectSystem"] != "strict" {
		return "ProtectHome=" + p["ProtectHome"]
	}
	return "ProtectSystem=strict"
}

// allow is how the operator lets the daemon write to a directory.
func (p Properties) allow(path string) string {
	first := ""
	if command := p.makes(path); command != "" { // systemd does not start a unit that names it
		first = fmt.Sprintf("make it (%s), then ", command)
	}
	return fmt.Sprintf("%sgive `systemctl edit %s` these lines:\n    [Unit]\n    RequiresMountsFor=%s\n    [Service]\n    ReadWritePaths=%s",
		first, shown.Quoted(strings.TrimSuffix(p.name(), ".service")), word(path), word(path))
}

// hides reports whether the daemon finds nothing at a path.
func (p Properties) hides(path string) bool {
	switch p["ProtectHome"] {
	case "yes", "tmpfs":
		return below(path, "/home", "/root", "/run/user") && !below(path, p.binds()...)
	}
	return false
}

// writable reports whether the unit lets the daemon write below a directory.
func (p Properties) writable(dir string) bool {
	readOnly := p["ProtectSystem"] == "strict" || p["ProtectHome"] == "read-only" && below(dir, "/home", "/root", "/run/user")
	allowed := p.binds()
	for _, path := range words(p["ReadWritePaths"]) {
		allowed = append(allowed, strings.TrimLeft(path, "-+"))
	}
	for property, root := range map[string]string{
		"StateDirectory": "/var/lib", "CacheDirectory": "/var/cache", "LogsDirectory": "/var/log", "RuntimeDirectory": "/run",
	} {
		for _, name := range strings.Fields(p[property]) {
			allowed = append(allowed, filepath.Join(root, name))
		}
	}
	if private := p["PrivateTmp"]; private != "" && private != "no" {
		allowed = append(allowed, "/tmp", "/var/tmp")
	}
	return !readOnly || below(dir, allowed...)
}

// binds are the places of bind mounts, SOURCE:PLACE:OPTIONS. Nobody can write
// to one that is read-only, but the operator who made it knows that.
func (p Properties) binds() (places []string) {
	for _, bind := range strings.Fields(p["BindPaths"] + " " + p["BindReadOnlyPaths"]) {
		parts := strings.Split(strings.TrimPrefix(bind, "-"), ":")
		places = append(places, cmp.Or(parts[min(1, len(parts)-1)], parts[0]))
	}
	return places
}

// absolute is a path as the daemon will take it.
func (p Properties) absolute(path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join("/", strings.TrimLeft(p["WorkingDirectory"], "!-~"), path)
}

// below reports whether a path is one of the directories or inside of one,
// as it is written or where its links lead.
func below(path string, dirs ...string) bool {
	for _, dir := range dirs {
		for _, pair := range [][2]string{{path, dir}, {followed(path), followed(dir)}} {
			if rel, err := filepath.Rel(pair[1], pair[0]); err == nil && filepath.IsLocal(rel) {
				return true
			}
		}
	}
	return false
}

// followed is a path without links, as far as it is there.
func followed(path string) string {
	if p, err := filepath.EvalSymlinks(path); err == nil || path == filepath.Dir(path) {
		return cmp.Or(p, path)
	}
	return filepath.Join(followed(filepath.Dir(path)), filepath.Base(path))
}

// Needs are the directories of a configuration that the unit does not let the daemon
// write to, and the commands that make those which are not there. Of a WAL directory
// that is not there yet it is the one above, where etcd makes it.
func (p Properties) Needs(r *settings.Resolved) (dirs, first []string) {
	wal := r.WALDir
	if files, _ := filepath.Glob(filepath.Join(wal, "*.wal")); wal != "" && len(files) == 0 {
		wal = filepath.Dir(p.absolute(wal))
	}
	for _, dir := range []string{r.DataDir, wal} {
		if dir = p.absolute(dir); dir == "/" || p.writable(dir) || below(dir, dirs...) {
			continue
		}
		dirs = append(dirs, dir)
		if command := p.makes(dir); command != "" {
			first = append(first, command)
		}
	}
	return dirs, first
}

// makes is the command that makes a directory which is not there; "" where it is.
func (p Properties) makes(path string) string {
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	user, group := p.user()
	owner := "-o " + shown.Quoted(user)
	if group != "" {
		owner += " -g " + shown.Quoted(group)
	}
	return fmt.Sprintf("install -d %s -m 0700 %s", owner, shown.Quoted(path))
}

// Reach are the lines of a drop-in with which a unit waits for directories elsewhere to
// be mounted, and may write to them.
func Reach(dirs []string) string {
	var list []string
	for _, dir := range dirs {
		list = append(list, word(dir))
	}
	all := strings.Join(list, " ")
	return "[Unit]\nRequiresMountsFor=" + all + "\n\n[Service]\nReadWritePaths=" + all + "\n"
}
