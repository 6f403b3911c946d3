package main

import (
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

// service is that unit as a word of a command.
func service(w world) string { return shown.Quoted(strings.TrimSuffix(w.environ.Unit(), ".service")) }

// unitValues are what commands that are printed need to know of it.
func unitValues(w world) failure.Values {
	v := failure.Values{}
	if w.environ.Unit() != unit.Name {
		v["unit"] = strings.TrimSuffix(w.environ.Unit(), ".service")
	}
	return v
}

// theUnit is what its files say; ok is false where this machine has no such unit.
func theUnit(w world) (u unit.File, ok bool) { return unit.Read(w.environ.Unit()) }

// ofUnit gives commands the directories of the unit that ETCD_NODE_UNIT names.
func ofUnit(w world) (world, error) {
	if w.environ.Get(unit.Variable) == "" {
		return w, nil
	}
	u, ok := theUnit(w)
	if !ok && len(u.Unknown) > 0 {
		return w, fmt.Errorf("%s: %s", unit.Variable, strings.Join(u.Unknown, ", "))
	}
	if !ok {
		return w, fmt.Errorf("%s: there is no unit %s (systemctl list-unit-files 'etcd*')", unit.Variable, w.environ.Unit())
	}
	w.environ = u.Give(w.environ)
	return w, nil
}

// written is what the operator wrote, for a command: the shell's environment,
// and what systemd would read for the daemon.
func written(w world) config.Input {
	in := config.Input{Environ: w.environ, EnvFile: config.EnvFile(), Pinned: pins(homeOf(w)).DataDir()}
	u, ok := theUnit(w)
	in.Unit.Unknown = u.Unknown
	if ok && in.EnvFile != "" && w.environ.Get("ETCD_NODE_ENV_FILE") == "" {
		in.EnvFile, in.Unit, in.ReadUnit = "", u, true
	}
	if ok {
		in.WorkingDir = u.WorkingDirectory
	}
	if w.environ.Get("STATE_DIRECTORY") != "" {
		return in
	}
	dirs := u.StateDirectory
	if !ok { // not installed, or by hand; but this machine may be set up
		_, err1 := os.Stat(config.DefaultEnvFile)
		_, err2 := os.Stat(unit.StateDir)
		if err1 == nil || err2 == nil {
			dirs = []string{unit.StateDir}
		}
	}
	if len(dirs) > 0 {
		in.Environ = append(slices.Clip(w.environ), "STATE_DIRECTORY="+strings.Join(dirs, ":"))
	}
	return in
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
