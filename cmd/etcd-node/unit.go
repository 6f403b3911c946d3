package main

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

	"github.com/etcd-node/etcd-node/pkg/config"
)

// unit is what systemd says of etcd.service, by property: it may hide files
// from the daemon, or have it not write to directories, that a shell on this
// machine finds in order. The file in deploy/systemd alone would not tell:
// there are drop-ins, and other units. nil where there is no systemd to ask.
type unit map[string]string

const unitName = "etcd.service"

var unitProperties = []string{
	"ProtectHome", "ProtectSystem", "PrivateTmp", "WorkingDirectory", "ReadWritePaths", "BindPaths", "BindReadOnlyPaths",
	"StateDirectory", "CacheDirectory", "LogsDirectory", "RuntimeDirectory",
}

// askUnit asks systemd. Of a unit that it does not know it tells the defaults,
// which forbid nothing.
func askUnit(ctx context.Context) unit {
	ctx, cancel := context.WithTimeout(ctx, commandWait)
	defer cancel()
	out, err := exec.CommandContext(ctx, "systemctl", "show", unitName, "--property="+strings.Join(unitProperties, ",")).Output()
	if err != nil {
		return nil
	}
	return parseUnit(string(out))
}

// parseUnit takes systemctl's answer apart, a line for each property.
func parseUnit(answer string) unit {
	u := unit{}
	for line := range strings.Lines(answer) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		u[name] = value
	}
	return u
}

// notices say what of a configuration the unit does not let the daemon do.
func (u unit) notices(r *config.Resolved) (list []string) {
	if r.ConfigFile != "" {
		list = append(list, u.file(r.ConfigFile, r.ConfigFile)...)
		list = append(list, u.dir(r.ConfigFile, r.DataDir)...)
		return append(list, u.walDir(r.ConfigFile, r.WALDir)...)
	}
	for _, s := range r.Settings {
		switch {
		case s.Origin == config.FromDerivation: // the unit's own state directory
		case s.Name == "data-dir":
			list = append(list, u.dir(s.Source, s.Value)...)
		case s.Name == "wal-dir":
			list = append(list, u.walDir(s.Source, s.Value)...)
		case strings.HasSuffix(s.Name, "-file"), slices.Contains([]string{"discovery-cacert", "discovery-cert", "discovery-key"}, s.Name):
			list = append(list, u.file(s.Source, s.Value)...)
		}
	}
	return list
}

// file looks at a file that the daemon is to read; where says what names it.
func (u unit) file(where, path string) []string {
	if path = u.absolute(path); !u.hides(path) {
		return nil
	}
	return []string{fmt.Sprintf("%s: %s hides %s from the daemon (ProtectHome=%s): move it to /etc/etcd, where the user %s can read it",
		where, unitName, path, u["ProtectHome"], serviceUser)}
}

// dir looks at a directory that the daemon is to write to.
func (u unit) dir(where, path string) []string {
	path = u.absolute(path)
	switch {
	case u.hides(path):
		return []string{fmt.Sprintf("%s: %s hides %s from the daemon (ProtectHome=%s): take a directory elsewhere; its own is %s",
			where, unitName, path, u["ProtectHome"], stateDir)}
	case u.writable(path):
		return nil
	}
	why, first := "ProtectSystem=strict", ""
	if u["ProtectSystem"] != "strict" {
		why = "ProtectHome=" + u["ProtectHome"]
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) { // systemd does not start a unit that names it
		first = fmt.Sprintf("make it (install -d -o %s -g %s -m 0700 %s), then ", serviceUser, serviceUser, path)
	}
	return []string{fmt.Sprintf("%s: %s does not let the daemon write to %s (%s): %sgive `systemctl edit etcd` these lines:\n"+
		"    [Unit]\n    RequiresMountsFor=%s\n    [Service]\n    ReadWritePaths=%s", where, unitName, path, why, first, path, path)}
}

// walDir looks at a WAL dir of its own. etcd makes it beside its place and
// renames it: until that is done it is the directory above that counts.
func (u unit) walDir(where, path string) []string {
	if path == "" {
		return nil
	}
	if files, _ := filepath.Glob(filepath.Join(path, "*.wal")); len(files) == 0 {
		path = filepath.Dir(filepath.Clean(path))
	}
	return u.dir(where, path)
}

// hides reports whether the daemon finds nothing at a path.
func (u unit) hides(path string) bool {
	switch u["ProtectHome"] {
	case "yes", "tmpfs":
		return below(path, "/home", "/root", "/run/user") && !below(path, u.binds()...)
	}
	return false
}

// writable reports whether the unit lets the daemon write below a directory.
func (u unit) writable(dir string) bool {
	readOnly := u["ProtectSystem"] == "strict" || u["ProtectHome"] == "read-only" && below(dir, "/home", "/root", "/run/user")
	allowed := u.binds()
	for _, path := range strings.Fields(u["ReadWritePaths"]) {
		allowed = append(allowed, strings.TrimLeft(path, "-+"))
	}
	for property, root := range map[string]string{
		"StateDirectory": "/var/lib", "CacheDirectory": "/var/cache", "LogsDirectory": "/var/log", "RuntimeDirectory": "/run",
	} {
		for _, name := range strings.Fields(u[property]) {
			allowed = append(allowed, filepath.Join(root, name))
		}
	}
	if private := u["PrivateTmp"]; private != "" && private != "no" {
		allowed = append(allowed, "/tmp", "/var/tmp")
	}
	return !readOnly || below(dir, allowed...)
}

// binds are the places of bind mounts, SOURCE:PLACE:OPTIONS. One that is
// read-only is none to write to, but who has made it knows of the matter.
func (u unit) binds() (places []string) {
	for _, bind := range strings.Fields(u["BindPaths"] + " " + u["BindReadOnlyPaths"]) {
		parts := strings.Split(strings.TrimPrefix(bind, "-"), ":")
		places = append(places, cmp.Or(parts[min(1, len(parts)-1)], parts[0]))
	}
	return places
}

// absolute is a path as the daemon will take it.
func (u unit) absolute(path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join("/", strings.TrimLeft(u["WorkingDirectory"], "!-~"), path)
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
