package recorder

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/status"
)

// Past is what earlier supervisors have left in a directory.
type Past struct {
	Last Record // the newest that can be read; zero without one
	// End is the record of the member's last end; its End is nil where no end is
	// on record.
	End Record
	// Over is when the member served again after that; zero: it did not.
	Over time.Time
	// State is the last of the last supervisor's; "" where it did not begin.
	State status.State
	// Boot is the last supervisor's, see [BootID]; "" where that is not on
	// record.
	Boot string
}

// Look reads a directory's past. It holds a record or two at a time.
func Look(dir string) (p Past) {
	_ = each(dir, func(r Record) { // what cannot be read is not known
		p.Last = r
		if r.Kind == Start || r.Boot != "" {
			p.Boot = r.Boot
		}
		if r.Kind == State || r.Kind == Start { // the latter has none
			p.State = r.State
		}
		switch {
		case r.Kind == Ended && r.End != nil:
			p.End, p.Over = r, time.Time{}
		case r.Kind == State && r.State == status.Serving && p.Over.IsZero() && p.End.End != nil:
			p.Over = r.Time
		}
	})
	return p
}

// LastEnd is how the member ended last; nil where that is not on record.
func (p Past) LastEnd() *status.End {
	e := p.End.End
	if e == nil {
		return nil
	}
	return &status.End{Time: p.End.Time, ID: e.ID, Cause: e.Cause, Values: e.Values, Over: p.Over}
}

// ClockBack reports whether now is before the last record: the machine's clock
// was set back, or has not been set since it was switched on. Then times
// cannot be compared with recorded ones.
func (p Past) ClockBack(now time.Time) bool { return now.Before(p.Last.Time) }

// ClockNotice tells the operator of a clock that is behind; "" where it is not.
func (p Past) ClockNotice(now time.Time) string {
	if !p.ClockBack(now) {
		return ""
	}
	return fmt.Sprintf("the clock is behind: the last record here is of %s; TLS certificates depend on it (etcd-node explain %s)",
		p.Last.Time.Format(time.DateTime), failure.IDClockBack)
}

// CutOff reports whether the last supervisor ended without a word.
func (p Past) CutOff() bool { return p.Last.Seq > 0 && p.Last.Kind != Stop }

// Told reports whether the last supervisor has ended because it was told to.
func (p Past) Told() bool { return p.Last.Kind == Stop && p.State == status.Stopped }

// cutOffEnd says how a supervisor ended that was cut off, as seen from a boot
// of the machine.
func (p Past) cutOffEnd(boot string) *End {
	id := failure.IDDaemonKilled
	if p.Boot != "" && p.Boot != boot {
		id = failure.IDMachineDown
	}
	f := failure.New(id, "the last record is of "+p.Last.Time.Local().Format(time.DateTime))
	return &End{ID: f.ID, Class: f.Class, Cause: f.Error(), Status: -1}
}

// BootID names this boot of the machine, "" where the kernel does not tell: a
// start under another ID than the one before follows a reboot.
func BootID() string {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(id))
}
