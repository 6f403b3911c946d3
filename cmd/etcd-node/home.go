package main

import (
	"cmp"

	"github.com/etcd-node/etcd-node/pkg/config"
	"github.com/etcd-node/etcd-node/pkg/config/unit"
	"github.com/etcd-node/etcd-node/pkg/identity"
)

// What deploy/systemd/etcd.service has.
const (
	// runtimeDir is its RuntimeDirectory=.
	runtimeDir = "/run/etcd"
	// logsDir is its LogsDirectory=.
	logsDir = "/var/log/etcd-node"
	// stateDir is the first of its StateDirectory=.
	stateDir = unit.StateDir
	// pinDir is the second: the first is the data directory, which may be a mount.
	pinDir = "/var/lib/etcd-node"
)

// home are the directories of one unit. "" is one that the unit does not have;
// that of another unit never takes its place: its pin guards another member, and
// its socket and records tell of another one.
type home struct{ data, pins, logs, run string }

// given are the directories that the environment names: systemd gives them to a
// daemon and to its helpers, and [ofUnit] to a command.
func given(w world) (h home) {
	h.data, h.pins = config.StateDirs(getenv(w.environ, "STATE_DIRECTORY"))
	h.logs, h.run = nth(getenv(w.environ, "LOGS_DIRECTORY"), 0), nth(getenv(w.environ, "RUNTIME_DIRECTORY"), 0)
	return h
}

// homeOf is the home of the unit that a command is about. A command that is run by
// hand is about etcd.service.
func homeOf(w world) home {
	h := given(w)
	if unitName(w) == unit.Name {
		h = home{cmp.Or(h.data, stateDir), cmp.Or(h.pins, pinDir), cmp.Or(h.logs, logsDir), cmp.Or(h.run, runtimeDir)}
	}
	return h
}

// store is where the unit's pin is.
func (h home) store() identity.Store { return identity.Store{Dir: h.pins} }
