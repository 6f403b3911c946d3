package member

import (
	"sync"
	"time"

	"go.uber.org/zap/zapcore"

	"github.com/etcd-node/etcd-node/pkg/failure"
)

// The lines of etcd's log that the tap listens for. TestEtcdText fails if etcd
// rewords one.
const (
	msgPeerActive   = "peer became active"
	msgPeerInactive = "peer became inactive (message send to peer failed)"
	msgServerError  = "server error"
	msgSlowOpen     = "db file is flocked by another process, or taking too long"
	msgSnapshot     = "applied snapshot"
)

// tap is a zap core that listens to etcd's log, whatever its level: it hears
// which peers raft is connected to, and why etcd is about to end the process.
// It writes nothing.
type tap struct {
	fields []zapcore.Field
	heard  *heard // by all clones together
}

// heard is what the tap has heard. It is safe for concurrent use.
type heard struct {
	doomed   func(*failure.Failure) // called by the goroutine that logs, before it ends the process
	changed  func()
	snapshot chan struct{} // receives after etcd has installed a snapshot of the leader

	mu         sync.Mutex
	connected  map[string]time.Time // peer ID → since when raft is connected to it
	parted     map[string]time.Time // peer ID → when raft's connection to it ended last
	ended      *failure.Failure
	openIsSlow bool
}

func newTap(changed func(), doomed func(*failure.Failure)) tap {
	return tap{heard: &heard{
		changed: changed, doomed: doomed, snapshot: make(chan struct{}, 1),
		connected: map[string]time.Time{}, parted: map[string]time.Time{},
	}}
}

// Enabled is independent of etcd's log level.
func (t tap) Enabled(l zapcore.Level) bool { return l >= zapcore.InfoLevel }

// With returns a clone that shares what has been heard.
func (t tap) With(fields []zapcore.Field) zapcore.Core {
	t.fields = append(t.fields[:len(t.fields):len(t.fields)], fields...)
	return t
}

// Check adds the tap to the lines that it listens for.
func (t tap) Check(e zapcore.Entry, c *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if e.Level >= zapcore.PanicLevel {
		return c.AddCore(e, t)
	}
	switch e.Message {
	case msgPeerActive, msgPeerInactive, msgServerError, msgSlowOpen, msgSnapshot:
		return c.AddCore(e, t)
	}
	return c
}

// Write hears one line. For Fatal and Panic it runs before the process ends.
func (t tap) Write(e zapcore.Entry, fields []zapcore.Field) error {
	enc := zapcore.NewMapObjectEncoder()
	for _, f := range t.fields {
		f.AddTo(enc)
	}
	for _, f := range fields {
		f.AddTo(enc)
	}
	text := e.Message
	if err, ok := enc.Fields["error"].(string); ok {
		text += ": " + err
	}
	if p, ok := enc.Fields["panic"].(string); ok { // of a job that etcd has caught
		text += ": " + p
	}
	if e.Level >= zapcore.PanicLevel {
		f := failure.FromText(text)
		if f == nil {
			f = failure.New(failure.IDEnded, text)
			f.Cause = "etcd ended its process"
		}
		t.heard.doomed(f)
		return nil
	}
	peer, _ := enc.Fields["peer-id"].(string)
	t.heard.line(e, peer, text)
	t.heard.changed()
	return nil
}

// Sync does nothing.
func (t tap) Sync() error { return nil }

func (h *heard) line(e zapcore.Entry, peer, text string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch e.Message {
	case msgPeerActive:
		h.connected[peer] = e.Time
	case msgPeerInactive:
		delete(h.connected, peer)
		h.parted[peer] = e.Time
	case msgServerError:
		if f := failure.FromText(text); f != nil {
			h.ended = f
		}
	case msgSlowOpen:
		h.openIsSlow = true
	case msgSnapshot:
		signal(h.snapshot)
	}
}

// connectedSince is since when raft is connected to a peer; ok is false if it
// is not.
func (h *heard) connectedSince(peer string) (since time.Time, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	since, ok = h.connected[peer]
	return since, ok
}

// partedAt is when raft's connection to a peer ended last; the zero time if none
// has.
func (h *heard) partedAt(peer string) time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.parted[peer]
}

// whyEnded is why the server stops by itself; nil if the log has not said.
func (h *heard) whyEnded() *failure.Failure {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.ended
}

// opensSlowly reports whether etcd has complained that opening the database
// takes long.
func (h *heard) opensSlowly() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.openIsSlow
}
