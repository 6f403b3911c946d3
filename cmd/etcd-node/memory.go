package main

import (
	"fmt"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/identity"
	"github.com/etcd-node/etcd-node/pkg/pipe"
	"github.com/etcd-node/etcd-node/pkg/recorder"
	"github.com/etcd-node/etcd-node/pkg/status"
)

const (
	// pinDir is the second of the unit's StateDirectory=: the first is the data
	// directory, which may be a mount.
	pinDir = "/var/lib/etcd-node"
	// logsDir is its LogsDirectory=.
	logsDir = "/var/log/etcd-node"
	// flushLimit is how long the end of the daemon waits for the recorder's
	// last lines to be on the disk.
	flushLimit = 500 * time.Millisecond
)

// memory is what the daemon leaves behind and finds again: the flight recorder
// and the pin. Where the unit gives no directory for one, it is not kept.
type memory struct {
	log     *zap.Logger
	dir     string // of the recorder
	keeps   *recorder.Recorder
	pins    *identity.Store
	cgroup  string
	counted bool
}

func remember(w world, log *zap.Logger) *memory {
	m := &memory{log: log}
	if dir := nth(getenv(w.environ, "LOGS_DIRECTORY"), 0); dir != "" {
		m.dir, m.keeps = dir, recorder.New(dir)
		m.record(recorder.Record{Kind: recorder.Start, Version: version, Boot: recorder.BootID()})
	}
	if dir := nth(getenv(w.environ, "STATE_DIRECTORY"), 1); dir != "" {
		m.pins = &identity.Store{Dir: dir}
	}
	m.cgroup, m.counted = recorder.Cgroup()
	return m
}

func (m *memory) record(r recorder.Record) {
	if m.keeps == nil {
		return
	}
	if err := m.keeps.Add(r); err != nil {
		m.log.Warn("the flight recorder cannot be written", zap.String("failure", failure.IDCannotRecord), zap.Error(err))
	}
}

// pin remembers who lives here. The loop that calls it must not wait for the
// disk.
func (m *memory) pin(p identity.Pin) {
	if m.pins == nil {
		return
	}
	go func() {
		if err := m.pins.Save(p); err != nil {
			m.log.Warn("an empty data dir will not be recognised as a lost one", zap.String("failure", failure.IDCannotRecord), zap.Error(err))
		}
	}()
}

// guard is what the member has to know, and what the operator should.
func (m *memory) guard(reserve int64) (g pipe.Guard, notices []string) {
	g.Reserve = reserve
	if m.pins != nil {
		switch pin, ok, err := m.pins.Load(); {
		case err != nil:
			g.Damage = err.Error()
			notices = append(notices, err.Error()+"; it is written anew when the member serves")
		case ok:
			g.Pin = &pin
		}
	}
	if m.keeps != nil {
		if last, back := recorder.ClockBack(m.dir, time.Now()); back {
			notices = append(notices, fmt.Sprintf("the clock is behind: the last record here is of %s; certificates and leases depend on it (timedatectl)",
				last.Format(time.DateTime)))
		}
	}
	return g, notices
}

// lastEnd is how the member ended under an earlier supervisor.
func (m *memory) lastEnd() *status.End {
	if m.keeps == nil {
		return nil
	}
	r, ok := recorder.LastEnd(m.dir)
	if !ok {
		return nil
	}
	return &status.End{Time: r.Time, ID: r.End.ID, Cause: r.End.Cause}
}

func (m *memory) oomKills() (uint64, bool) {
	if !m.counted {
		return 0, false
	}
	return recorder.OOMKills(m.cgroup)
}

func (m *memory) close() {
	if m.keeps == nil {
		return
	}
	m.record(recorder.Record{Kind: recorder.Stop})
	if err := m.keeps.Close(flushLimit); err != nil {
		m.log.Warn("the flight recorder lacks the last records", zap.Error(err))
	}
}

// nth is one entry of one of systemd's lists of directories; "" where it ends
// before.
func nth(list string, n int) string {
	if dirs := strings.Split(list, ":"); n < len(dirs) {
		return dirs[n]
	}
	return ""
}
