package member

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	logged "go.uber.org/zap/zaptest/observer"

	"github.com/etcd-node/etcd-node/pkg/failure"
)

// listening is a logger with a tap alone, what the tap hears, and what it tells.
func listening(t *testing.T) (log *zap.Logger, h *heard, changes *int, doomed *[]*failure.Failure) {
	t.Helper()
	changes, doomed = new(int), new([]*failure.Failure)
	tap := newTap(func() { *changes++ }, func(f *failure.Failure) { *doomed = append(*doomed, f) })
	// The process must not end here: a goroutine does, after all cores have
	// written the line.
	return zap.New(tap, zap.WithFatalHook(zapcore.WriteThenGoexit)), tap.heard, changes, doomed
}

func TestTapPeers(t *testing.T) {
	log, h, changes, _ := listening(t)
	before := time.Now()
	log.Info(msgPeerActive, zap.String("peer-id", "b"))
	log.With(zap.String("peer-id", "c")).Info(msgPeerActive) // a clone's own field
	for _, id := range []string{"b", "c"} {
		if since, ok := h.connectedSince(id); !ok || since.Before(before) {
			t.Errorf("%s is connected: %v, since %v", id, ok, since)
		}
	}
	if _, ok := h.connectedSince("a"); ok {
		t.Error("a member of which nothing was said is connected")
	}
	log.Warn(msgPeerInactive, zap.String("peer-id", "b"), zap.Error(errors.New("EOF")))
	if _, ok := h.connectedSince("b"); ok {
		t.Error("b is still connected")
	}
	if *changes != 3 {
		t.Errorf("%d changes were told", *changes)
	}
	log.Info("something else", zap.String("peer-id", "d"))
	if _, ok := h.connectedSince("d"); ok || *changes != 3 {
		t.Error("another line was heard")
	}
}

// The fields of one clone are not those of the next, although both come from
// the same one.
func TestTapClones(t *testing.T) {
	log, h, _, _ := listening(t)
	from := log
	for n := range 3 { // leaves room for a fourth field, in the same array
		from = from.With(zap.Int("n", n))
	}
	b, c := from.With(zap.String("peer-id", "b")), from.With(zap.String("peer-id", "c"))
	b.Info(msgPeerActive)
	if _, ok := h.connectedSince("b"); !ok {
		t.Error("b is not connected")
	}
	c.Warn(msgPeerInactive)
	if _, ok := h.connectedSince("b"); !ok {
		t.Error("what was said of c was heard of b")
	}
}

func TestTapServerError(t *testing.T) {
	log, h, _, doomed := listening(t)
	log.Warn(msgServerError, zap.Error(errors.New("something that the catalogue does not know")))
	if f := h.whyEnded(); f != nil {
		t.Errorf("the server ended because of %v", f)
	}
	log.Warn(msgServerError, zap.Error(errors.New("the member has been permanently removed from the cluster")))
	if f := h.whyEnded(); f == nil || f.ID != failure.IDRemoved {
		t.Errorf("the server ended because of %v", f)
	}
	if len(*doomed) != 0 {
		t.Errorf("the process was said to end: %v", *doomed)
	}
}

func TestTapSlowOpen(t *testing.T) {
	log, h, changes, _ := listening(t)
	if h.opensSlowly() {
		t.Error("slow before it said so")
	}
	log.Info(msgSlowOpen, zap.String("path", "/var/lib/etcd/member/snap/db"))
	if !h.opensSlowly() || *changes != 1 {
		t.Error("not heard")
	}
}

// Fatal and Panic are the last that etcd says: the supervisor has to hear them
// before the process ends.
func TestTapHearsTheEndBefore(t *testing.T) {
	for _, tc := range []struct {
		name string
		say  func(*zap.Logger)
		id   string
		text string
	}{
		{"fatal, known", func(l *zap.Logger) { l.Fatal("failed to save", zap.Error(errors.New("no space left on device"))) }, failure.IDDiskFull, ""},
		{"panic, known", func(l *zap.Logger) { l.Panic("failed to save", zap.Error(errors.New("no space left on device"))) }, failure.IDDiskFull, ""},
		{"unknown", func(l *zap.Logger) { l.Fatal("we are all doomed", zap.Error(errors.New("really"))) }, failure.IDEnded, "etcd ended its process: we are all doomed: really"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			log, _, _, doomed := listening(t)
			ended, wentOn := make(chan struct{}), false
			go func() {
				defer close(ended)
				defer func() { _ = recover() }()
				tc.say(log.With(zap.String("local-member-id", "a")))
				wentOn = true
			}()
			<-ended
			if wentOn {
				t.Fatal("the line did not end its goroutine")
			}
			if len(*doomed) != 1 || (*doomed)[0].ID != tc.id || tc.text != "" && (*doomed)[0].Error() != tc.text {
				t.Errorf("heard %+v", *doomed)
			}
		})
	}
}

// The errors with which etcd's listeners comment a stop are kept back, once a
// stop was asked for, and a second last line; clones too keep them back, and
// nothing else.
func TestStopFilter(t *testing.T) {
	core, written := logged.New(zapcore.InfoLevel)
	var stopping, closed atomic.Bool
	log := zap.New(stopFilter{core, &stopping, &closed}).With(zap.String("a", "b"))
	log.Error(msgServeEnded)
	stopping.Store(true)
	log.Error(msgServeEnded)
	log.Error("another")
	log.Info(msgClosed)
	log.Info(msgClosed)
	if got := written.All(); len(got) != 3 || got[0].Message != msgServeEnded || got[1].Message != "another" || got[2].Message != msgClosed {
		t.Errorf("written: %v", got)
	}
}

// A panic that etcd catches in one of its jobs, and passes on, has its reason in
// another field than an error.
func TestTapJob(t *testing.T) {
	for _, reason := range []any{"unmarshal should never fail (proto: cannot parse invalid wire-format data)", errors.New("assertion failed: Page expected to be: 3")} {
		log, _, _, doomed := listening(t)
		func() {
			defer func() { _ = recover() }()
			log.Panic("execute job failed", zap.String("job", "server_applyAll"), zap.Any("panic", reason))
		}()
		if len(*doomed) != 1 || (*doomed)[0].ID != failure.IDDamaged {
			t.Errorf("%v: %+v", reason, *doomed)
		}
	}
}
