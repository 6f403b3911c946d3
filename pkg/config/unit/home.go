package unit

import (
	"cmp"
	"path/filepath"
	"slices"
	"strings"
)

// Home are the directories of one unit. "" is one that the unit does not have;
// that of another unit never takes its place: its pin guards another member, and
// its socket and records tell of another one.
type Home struct{ Data, Pins, Logs, Run string }

// standard is the home that deploy/systemd/etcd.service has. The data directory
// may be a mount, so the pin is in another one.
var standard = Home{Data: StateDir, Pins: "/var/lib/etcd-node", Logs: "/var/log/etcd-node", Run: RuntimeDir}

// Home are the directories that the environment names: systemd gives them to a
// daemon and to its helpers, and [File.Give] to a command.
func (e Environ) Home() (h Home) {
	h.Data, h.Pins = StateDirs(e.Get("STATE_DIRECTORY"))
	h.Logs, _, _ = strings.Cut(e.Get("LOGS_DIRECTORY"), ":")
	h.Run, _, _ = strings.Cut(e.Get("RUNTIME_DIRECTORY"), ":")
	return h
}

// HomeOfUnit is the home of the unit that a command is about. A command that is
// run by hand is about etcd.service.
func (e Environ) HomeOfUnit() Home {
	h := e.Home()
	if e.Unit() == Name {
		h = Home{cmp.Or(h.Data, standard.Data), cmp.Or(h.Pins, standard.Pins), cmp.Or(h.Logs, standard.Logs), cmp.Or(h.Run, standard.Run)}
	}
	return h
}

// Give adds the unit's directories to an environment, except where it names some.
func (u File) Give(e Environ) Environ {
	e = slices.Clone(e)
	for name, dirs := range map[string][]string{
		"STATE_DIRECTORY": u.StateDirectory, "LOGS_DIRECTORY": u.LogsDirectory, "RUNTIME_DIRECTORY": u.RuntimeDirectory,
	} {
		if e.Get(name) == "" && len(dirs) > 0 {
			e = append(e, name+"="+strings.Join(dirs, ":"))
		}
	}
	return e
}

// StateDirs tells the data directory from the pin's in a unit's STATE_DIRECTORY:
// what is called etcd-node, or etcd-node@NAME, is for the pin, and the first of
// the others for the data. Where none is called so, the first is for the data and
// the second for the pin. The order alone would not tell: systemd sorts the
// directories that the unit names.
func StateDirs(list string) (data, pin string) {
	dirs := filepath.SplitList(list)
	named := slices.IndexFunc(dirs, func(dir string) bool {
		name, _, _ := strings.Cut(filepath.Base(dir), "@")
		return name == "etcd-node"
	})
	switch {
	case len(dirs) == 0:
		return "", ""
	case len(dirs) == 1:
		return dirs[0], ""
	case named == 0:
		return dirs[1], dirs[0]
	case named > 0:
		return dirs[0], dirs[named]
	}
	return dirs[0], dirs[1]
}
