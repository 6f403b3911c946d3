package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/etcd-node/etcd-node/pkg/config"
	"github.com/etcd-node/etcd-node/pkg/config/unit"
	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/shown"
)

// self is this program.
const self = "/proc/self/exe"

// unitVariable names the unit that commands are about, where it is another than
// etcd.service: an instance of the template, or an operator's own.
const unitVariable = "ETCD_NODE_UNIT"

// unitName is that unit.
func unitName(w world) string {
	name := cmp.Or(getenv(w.environ, unitVariable), unit.Name)
	if !strings.HasSuffix(name, ".service") {
		name += ".service"
	}
	return name
}

// service is that unit as a word of a command.
func service(w world) string { return shown.Quoted(strings.TrimSuffix(unitName(w), ".service")) }

// unitValues are what commands that are printed need to know of it.
func unitValues(w world) failure.Values {
	v := failure.Values{}
	if unitName(w) != unit.Name {
		v["unit"] = strings.TrimSuffix(unitName(w), ".service")
	}
	return v
}

// theUnit is what its files say; ok is false where this machine has no such unit.
func theUnit(w world) (u unit.File, ok bool) { return unit.Read(unitName(w)) }

// ofUnit gives commands the directories of the unit that ETCD_NODE_UNIT names.
func ofUnit(w world) (world, error) {
	if getenv(w.environ, unitVariable) == "" {
		return w, nil
	}
	u, ok := theUnit(w)
	if !ok && len(u.Unknown) > 0 {
		return w, fmt.Errorf("%s: %s", unitVariable, strings.Join(u.Unknown, ", "))
	}
	if !ok {
		return w, fmt.Errorf("%s: there is no unit %s (systemctl list-unit-files 'etcd*')", unitVariable, unitName(w))
	}
	w.environ = slices.Clone(w.environ)
	for name, dirs := range map[string][]string{
		"STATE_DIRECTORY": u.StateDirectory, "LOGS_DIRECTORY": u.LogsDirectory, "RUNTIME_DIRECTORY": u.RuntimeDirectory,
	} {
		if getenv(w.environ, name) == "" && len(dirs) > 0 {
			w.environ = append(w.environ, name+"="+strings.Join(dirs, ":"))
		}
	}
	return w, nil
}

// written is what the operator wrote, for a command: the shell's environment,
// and what systemd would read for the daemon.
func written(w world) config.Input {
	in := config.Input{Environ: w.environ, EnvFile: config.EnvFile(), Pinned: homeOf(w).store().DataDir()}
	u, ok := theUnit(w)
	in.Unit.Unknown = u.Unknown
	if ok && in.EnvFile != "" && getenv(w.environ, "ETCD_NODE_ENV_FILE") == "" {
		in.EnvFile, in.Unit, in.ReadUnit = "", u, true
	}
	if ok {
		in.WorkingDir = u.WorkingDirectory
	}
	if getenv(w.environ, "STATE_DIRECTORY") != "" {
		return in
	}
	dirs := u.StateDirectory
	if !ok { // not installed, or by hand; but this machine may be set up
		_, err1 := os.Stat(config.DefaultEnvFile)
		_, err2 := os.Stat(stateDir)
		if err1 == nil || err2 == nil {
			dirs = []string{stateDir}
		}
	}
	if len(dirs) > 0 {
		in.Environ = append(slices.Clip(w.environ), "STATE_DIRECTORY="+strings.Join(dirs, ":"))
	}
	return in
}

// ownUnit is the unit that has started this daemon; its zero value where none
// has, or where its files cannot be found.
func ownUnit(w world) unit.File {
	if getenv(w.environ, "NOTIFY_SOCKET") == "" && !config.OfSystemd(w.environ) {
		return unit.File{}
	}
	name := unit.Own()
	if name == "" {
		return unit.File{}
	}
	u, _ := unit.Read(name)
	return u
}

// otherProgram says so where the unit does not run this program. A wrapper may: the
// daemon that answers tells.
func otherProgram(ctx context.Context, w world) []string {
	u, _ := theUnit(w)
	notices := u.OtherProgram(self)
	if len(notices) == 0 {
		return nil
	}
	st, _, err := searchUnit(ctx, w).ask(ctx)
	exe := fmt.Sprintf("/proc/%d/exe", st.PID)
	if _, hidden := os.Stat(exe); err == nil && (same(exe, self) || errors.Is(hidden, fs.ErrPermission)) { // hidden: it is an etcd-node at least
		return nil
	}
	return notices
}

func printNotices(out io.Writer, notices []string) {
	for _, n := range notices {
		fmt.Fprintln(out, "etcd-node: notice:", n)
	}
}
