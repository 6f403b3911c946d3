package main

import (
	"errors"
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
	records *recorder.Recorder
}

// keep opens what outlives the daemon, and records its start. Where the unit has
// no directory for the records, they wait for one beside the data.
func keep(w world, log *zap.Logger) *kept {
	k := &kept{log: log, records: recorder.New("", log)}
	h := w.environ.Home()
	if h.Logs != "" {
		k.records.Open(h.Logs, version)
	}
	if h.Pins != "" {
		k.pins = identity.NewKeeper(identity.Store{Dir: h.Pins}, func(err error) {
			log.Warn(unpinned, zap.String("failure", failure.IDCannotRecord), zap.Error(err))
		})
	} else {
		// Run by hand, etcd has no such directory either.
		k.pinless = w.environ.Get("NOTIFY_SOCKET") != ""
	}
	return k
}

// lastEnd is how the member ended before this daemon, as far as it is known.
func (k *kept) lastEnd() *status.End { return k.records.Past().LastEnd() }

// notice is about the clock; "" where there is nothing to say.
func (k *kept) notice() string { return k.records.Past().ClockNotice(time.Now()) }

// hand gives it to a supervisor.
func (k *kept) hand(o *supervisor.Options) {
	o.Record, o.Explains = k.records.Add, !k.records.Homeless()
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
	say(unrecorded, k.records.Retry())
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
	k.records.Add(recorder.Record{Kind: recorder.Stop})
	if err := k.records.Close(flushLimit); err != nil {
		k.log.Warn("the flight recorder lacks the last records", zap.Error(err))
	}
}
