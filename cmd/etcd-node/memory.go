package main

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/identity"
	"github.com/etcd-node/etcd-node/pkg/pipe"
	"github.com/etcd-node/etcd-node/pkg/status"
	"github.com/etcd-node/etcd-node/pkg/supervisor/recorder"
)

const (
	// pinDir is the second of the unit's StateDirectory=: the first is the data
	// directory, which may be a mount.
	pinDir = "/var/lib/etcd-node"
	// logsDir is its LogsDirectory=.
	logsDir = "/var/log/etcd-node"
	// lookLimit bounds what the boot waits for what is remembered: a megabyte
	// or two, in the page cache or nearly so.
	lookLimit = time.Second
	// flushLimit is how long the end of the daemon waits for the last records
	// and the pin to be on the disk.
	flushLimit = 500 * time.Millisecond
	// pinAgain is when a pin is written again that could not be.
	pinAgain = 10 * time.Second
)

// memory is what the daemon leaves behind and finds again: the flight recorder
// and the pin. Where the unit gives no directory for one, it is not kept.
type memory struct {
	log      *zap.Logger
	keeps    *recorder.Recorder
	pins     *identity.Store
	pinned   chan identity.Pin      // to the one who writes it
	written  chan struct{}          // closed when that one has ended
	unpinned atomic.Pointer[string] // why the pin cannot be written; nil: it is
	cgroup   string
	counted  bool
	found    found
}

// found is what an earlier daemon left.
type found struct {
	end    *status.End
	cutOff *recorder.End // of the daemon itself, if it ended without a word
	notice string        // about the clock
}

func remember(w world, log *zap.Logger) *memory {
	m := &memory{log: log}
	if dir := nth(getenv(w.environ, "LOGS_DIRECTORY"), 0); dir != "" {
		m.keeps = recorder.New(dir)
		// Before the first record, which has the time of a clock that may be wrong.
		looked := make(chan found, 1)
		go func() { looked <- look(dir) }()
		select {
		case m.found = <-looked:
		case <-time.After(lookLimit):
			log.Warn("what the flight recorder knows could not be read in time", zap.String("directory", dir))
		}
		if m.found.cutOff != nil {
			m.record(recorder.Record{Kind: recorder.Ended, End: m.found.cutOff})
		}
		m.record(recorder.Record{Kind: recorder.Start, Version: version, Boot: recorder.BootID()})
	}
	if dir := nth(getenv(w.environ, "STATE_DIRECTORY"), 1); dir != "" {
		m.pins = &identity.Store{Dir: dir}
		m.pinned, m.written = make(chan identity.Pin, 1), make(chan struct{})
		go m.writePins()
	}
	m.cgroup, m.counted = recorder.Cgroup()
	return m
}

func look(dir string) (f found) {
	past := recorder.Look(dir)
	f.end = lastEnd(past)
	if past.CutOff() {
		id := failure.IDDaemonKilled
		if past.Boot != "" && past.Boot != recorder.BootID() {
			id = failure.IDMachineDown
		}
		why := failure.New(id, "the last record is of "+past.Last.Time.Local().Format(time.DateTime))
		f.cutOff = &recorder.End{ID: why.ID, Class: why.Class, Cause: why.Error(), Status: -1}
		f.end = &status.End{Time: time.Now(), ID: why.ID, Cause: why.Error()}
	}
	if past.ClockBack(time.Now()) {
		f.notice = fmt.Sprintf("the clock is behind: the last record here is of %s; TLS certificates depend on it (etcd-node explain %s)",
			past.Last.Time.Format(time.DateTime), failure.IDClockBack)
	}
	return f
}

// lastEnd is how the member ended last; nil where that is not on record.
func lastEnd(p recorder.Past) *status.End {
	if p.End.End == nil {
		return nil
	}
	return &status.End{Time: p.End.Time, ID: p.End.End.ID, Cause: p.End.End.Cause, Values: p.End.End.Values, Over: p.Over}
}

// recorder is for the supervisor; nil where nothing is kept.
func (m *memory) recorder() func(recorder.Record) {
	if m.keeps == nil {
		return nil
	}
	return m.record
}

func (m *memory) record(r recorder.Record) {
	if m.keeps == nil {
		return
	}
	if err := m.keeps.Add(r); err != nil {
		m.log.Warn(unwritten, zap.String("failure", failure.IDCannotRecord), zap.Error(err))
	}
}

const (
	unwritten = "the flight recorder cannot be written"
	unpinned  = "an empty data dir will not be recognised as a lost one"
)

// conditions are what of all this does not work now.
func (m *memory) conditions() (all []status.Condition) {
	say := func(what, why string) {
		all = append(all, status.Condition{ID: failure.IDCannotRecord, Text: what + ": " + why})
	}
	if m.keeps != nil {
		if err := m.keeps.Retry(); err != nil {
			say(unwritten, err.Error())
		}
	}
	if why := m.unpinned.Load(); why != nil {
		say(unpinned, *why)
	}
	return all
}

// pin remembers who lives here. It does not wait for the disk.
func (m *memory) pin(p identity.Pin) {
	if m.pins == nil {
		return
	}
	for { // the latest wins
		select {
		case m.pinned <- p:
			return
		default:
		}
		select {
		case <-m.pinned:
		default:
		}
	}
}

// writePins writes pins until pinned is closed, and those again that could not
// be written.
func (m *memory) writePins() {
	defer close(m.written)
	var again <-chan time.Time
	for p, open := <-m.pinned; open; {
		err := m.pins.Save(p)
		if err != nil && again == nil {
			m.log.Warn(unpinned, zap.String("failure", failure.IDCannotRecord), zap.Error(err))
		}
		again = nil
		m.unpinned.Store(nil)
		if err != nil {
			again = time.After(pinAgain)
			m.unpinned.Store(new(err.Error()))
		}
		select {
		case p, open = <-m.pinned:
		case <-again:
		}
	}
}

// guard is what the member has to know, and what the operator should.
func (m *memory) guard(reserve int64) (g pipe.Guard, notices []string) {
	g.Reserve = reserve
	if m.found.notice != "" {
		notices = append(notices, m.found.notice)
	}
	if m.pins == nil {
		return g, notices
	}
	switch pin, ok, err := m.pins.Load(); {
	case errors.Is(err, identity.ErrDamaged):
		g.Damage = err.Error()
		notices = append(notices, err.Error()+"; it is written anew when the member serves")
	case err != nil:
		g.Unreadable = err.Error()
		notices = append(notices, err.Error())
	case ok:
		g.Pin = &pin
	}
	return g, notices
}

func (m *memory) oomKills() (uint64, bool) {
	if !m.counted {
		return 0, false
	}
	return recorder.OOMKills(m.cgroup)
}

// close ends what is still being written.
func (m *memory) close() {
	if m.pins != nil {
		close(m.pinned)
		select {
		case <-m.written:
		case <-time.After(flushLimit):
			m.log.Warn("the pin is not written yet: its disk does not answer", zap.String("path", m.pins.Path()))
		}
	}
	if m.keeps == nil {
		return
	}
	m.record(recorder.Record{Kind: recorder.Stop})
	if err := m.keeps.Close(flushLimit); err != nil {
		m.log.Warn("the flight recorder lacks the last records", zap.Error(err))
	}
}

// recordRefusal keeps that the daemon did not even begin.
func recordRefusal(w world, f *failure.Failure) {
	dir := nth(getenv(w.environ, "LOGS_DIRECTORY"), 0)
	if dir == "" {
		return
	}
	r := recorder.New(dir)
	for _, rec := range []recorder.Record{
		{Kind: recorder.Start, Version: version, Boot: recorder.BootID()},
		{Kind: recorder.Ended, End: &recorder.End{ID: f.ID, Class: f.Class, Cause: f.Error(), Status: f.Exit}},
		{Kind: recorder.Stop},
	} {
		if err := r.Add(rec); err != nil {
			return // stderr and systemd have the reason
		}
	}
	_ = r.Close(flushLimit) // the same
}

// nth is one entry of one of systemd's lists of directories; "" where it ends
// before.
func nth(list string, n int) string {
	if dirs := strings.Split(list, ":"); n < len(dirs) {
		return dirs[n]
	}
	return ""
}
