package supervisor

import (
	"cmp"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/etcd-node/etcd-node/pkg/failure"
)

const (
	// defaultHangLimit is for how long the member may be silent. It beats once
	// a second, and starvation of a loaded machine stays well below ten.
	defaultHangLimit = 10 * time.Second
	// dumpLimit is how long a hanging member may take to write down what its
	// goroutines do: it is a few milliseconds where it can run at all.
	dumpLimit = 3 * time.Second
	// lateTick is between two ticks only if the machine or this process was
	// paused, and the member with it.
	lateTick = 3 * tickInterval
)

// hangWatch counts how long the member has been silent, in ticks of the loop's
// own clock: a pause that stops both processes must not look like a hang.
type hangWatch struct {
	limit    int // in ticks
	silent   int // ticks since the member was last heard
	lastTick time.Time
}

func newHangWatch(limit time.Duration) hangWatch {
	return hangWatch{limit: int(cmp.Or(limit, defaultHangLimit) / tickInterval)}
}

// heard says that the member is alive, or is a new one.
func (w *hangWatch) heard() { w.silent = 0 }

// tick counts one tick, and reports once that a member that should beat has
// been silent for too long.
func (w *hangWatch) tick(now time.Time, shouldBeat bool) (hangs bool) {
	late := now.Sub(w.lastTick) > lateTick
	w.lastTick = now
	if !shouldBeat {
		return false
	}
	w.silent++
	if late {
		w.silent = 0
	}
	return w.silent == w.limit
}

// noteworthy is how long a member that beats once a second is silent before the status
// says so: a starved machine makes it late by one.
const noteworthy = 3

// silence is for how many seconds the member has been silent, if that is noteworthy.
func (w *hangWatch) silence() int {
	if w.silent < noteworthy {
		return 0
	}
	return int((time.Duration(w.silent) * tickInterval).Seconds())
}

// onHang asks a member that hangs what its goroutines do, which ends it. One
// that does not even do that is killed.
func (s *Supervisor) onHang() {
	s.opts.Log.Warn(fmt.Sprintf("the member has not been heard for %s: asking what its goroutines do, then killing it", time.Duration(s.hang.limit)*tickInterval), zap.Int("pid", s.child.PID))
	s.child.reason = failure.New(failure.IDHang, "")
	s.child.Quit()
	s.child.deadline = time.After(dumpLimit)
}
