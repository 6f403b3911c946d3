package main

import (
	"errors"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/identity"
	"github.com/etcd-node/etcd-node/pkg/status"
	"github.com/etcd-node/etcd-node/pkg/supervisor"
	"github.com/etcd-node/etcd-node/pkg/supervisor/recorder"
)

// flushLimit is how long the end of the daemon waits for the last records
// and the pin to be on the disk.
const flushLimit = 500 * time.Millisecond

// The texts of conditions and warnings.
const (
	unrecorded = "the flight recorder cannot be written"
	unpinned   = "an empty data dir will not be recognised as a lost one"
)

var errNoPinDirectory = errors.New("the unit's StateDirectory= has no second entry, for the pin (such as StateDirectory=etcd etcd-node)")

// kept is what outlives the daemon: records and pin. The pin is nil where the
// unit gives it no directory.
type kept struct {
	log     *zap.Logger
	pins    *identity.Keeper
	pinless bool // systemd started this daemon, and its unit has no directory for the pin

	mu      sync.Mutex // of what follows
	records *recorder.Recorder
	past    recorder.Past
	// early are the records of a daemon that does not yet know where to keep
	// them: beside its data. nil: it knows, or has given up.
	early []recorder.Record
}

// keep opens what outlives the daemon, and records its start. Where the unit has
// no directory for the records, they wait for [kept.open].
func keep(w world, log *zap.Logger) *kept {
	k := &kept{log: log, early: []recorder.Record{}}
	h := given(w)
	if h.logs != "" {
		k.open(h.logs)
	}
	if h.pins != "" {
		k.pins = identity.NewKeeper(identity.Store{Dir: h.pins}, func(err error) {
			log.Warn(unpinned, zap.String("failure", failure.IDCannotRecord), zap.Error(err))
		})
	} else {
		// Run by hand, etcd has no such directory either.
		k.pinless = getenv(w.environ, "NOTIFY_SOCKET") != ""
	}
	return k
}

// open opens the recorder in a directory, unless it is open.
func (k *kept) open(dir string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.early == nil {
		return
	}
	k.records, k.past = recorder.Open(dir, version, k.log)
	for _, r := range k.early {
		r.Time = time.Now() // in the order of the records
		k.records.Add(r)
	}
	k.early = nil
}

// giveUp says that no directory will come: nothing is recorded.
func (k *kept) giveUp() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.early = nil
}

// homeless reports whether the records wait for a directory.
func (k *kept) homeless() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.early != nil
}

// record keeps an event, or has it wait.
func (k *kept) record(r recorder.Record) {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case k.records != nil:
		k.records.Add(r)
	case k.early != nil:
		k.early = append(k.early, r)
	}
}

// lastEnd is how the member ended before this daemon, as far as it is known.
func (k *kept) lastEnd() *status.End {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.past.LastEnd()
}

// notice is about the clock; "" where there is nothing to say.
func (k *kept) notice() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.past.ClockNotice(time.Now())
}

// recorder is the one that is open, or nil.
func (k *kept) recorder() *recorder.Recorder {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.records
}

// hand gives it to a supervisor.
func (k *kept) hand(o *supervisor.Options) {
	o.Record, o.Explains = k.record, k.early == nil
	if k.pins != nil {
		o.Pin = k.pins.Keep
	}
	o.OOMKills, o.LastEnd = recorder.OOMCounter(), k.lastEnd()
}

// conditions are what of this does not work now.
func (k *kept) conditions() (all []status.Condition) {
	say := func(what string, err error) {
		if err != nil {
			all = append(all, status.Condition{ID: failure.IDCannotRecord, Text: what + ": " + err.Error()})
		}
	}
	if records := k.recorder(); records != nil {
		say(unrecorded, records.Retry())
	}
	if k.pins != nil {
		say(unpinned, k.pins.Err())
	}
	if k.pinless {
		say(unpinned, errNoPinDirectory)
	}
	return all
}

// close ends what is still being written.
func (k *kept) close() {
	if k.pins != nil {
		if err := k.pins.Close(flushLimit); err != nil {
			k.log.Warn("the pin is not written", zap.Error(err))
		}
	}
	if records := k.recorder(); records != nil {
		records.Add(recorder.Record{Kind: recorder.Stop})
		if err := records.Close(flushLimit); err != nil {
			k.log.Warn("the flight recorder lacks the last records", zap.Error(err))
		}
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
