package member

import (
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap/zapcore"

	"github.com/etcd-node/etcd-node/pkg/failure"
)

// What etcd logs and we listen for. The tests in cmd/etcd-node depend on each:
// TestThreeMembers, TestRemovedMember, TestDatabaseLocked.
const (
	msgPeerActive   = "peer became active"
	msgPeerInactive = "peer became inactive (message send to peer failed)"
	msgServerError  = "server error"
	msgSlowOpen     = "db file is flocked by another process, or taking too long"
)

// tap is a zap core that listens to etcd's log, whatever its level: it knows
// which peers raft is connected to, and it hears why etcd is about to end the
// process, before it does.
type tap struct {
	fields []zapcore.Field
	state  *tapState // shared by all clones
}

type tapState struct {
	fatal func(*failure.Failure) // called from the logging goroutine, once the process is doomed
	wake  func()                // something changed

	mu       sync.Mutex
	active   map[string]time.Time // peer ID → since when
	ended    *failure.Failure     // why the server stops by itself
	slowOpen bool
}

func newTap(wake func(), fatal func(*failure.Failure)) tap {
	return tap{state: &tapState{wake: wake, fatal: fatal, active: map[string]time.Time{}}}
}

// Enabled is independent of etcd's log level.
func (t tap) Enabled(l zapcore.Level) bool { return l >= zapcore.InfoLevel }

func (t tap) With(fields []zapcore.Field) zapcore.Core {
	t.fields = append(t.fields[:len(t.fields):len(t.fields)], fields...)
	return t
}

func (t tap) Check(e zapcore.Entry, c *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if e.Level >= zapcore.PanicLevel {
		return c.AddCore(e, t)
	}
	switch e.Message {
	case msgPeerActive, msgPeerInactive, msgServerError, msgSlowOpen:
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

	s := t.state
	if e.Level >= zapcore.PanicLevel {
		f := failure.FromText(text)
		if f == nil {
			f = failure.New(failure.IDEnded, text)
			f.Cause = "etcd ended its process"
		}
		s.fatal(f)
		return nil
	}
	s.mu.Lock()
	peer, _ := enc.Fields["peer-id"].(string)
	switch e.Message {
	case msgPeerActive:
		s.active[peer] = e.Time
	case msgPeerInactive:
		delete(s.active, peer)
	case msgServerError:
		if f := failure.FromText(text); f != nil {
			s.ended = f
		}
	case msgSlowOpen:
		s.slowOpen = true
	}
	s.mu.Unlock()
	s.wake()
	return nil
}

func (t tap) Sync() error { return nil }

// activeSince reports since when raft is connected to a peer.
func (s *tapState) activeSince(peer string) (time.Time, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	since, ok := s.active[peer]
	return since, ok
}

// why is the reason the log gave for the server's stop by itself; nil: it gave none.
func (s *tapState) why() *failure.Failure {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ended
}

func (s *tapState) opensSlowly() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.slowOpen
}

// calm passes a core's lines on, except for the errors with which etcd's
// listeners comment a stop that was asked for.
type calm struct {
	zapcore.Core
	stopping *atomic.Bool
}

const msgServeEnded = "setting up serving from embedded etcd failed."

func (c calm) With(fields []zapcore.Field) zapcore.Core {
	return calm{c.Core.With(fields), c.stopping}
}

func (c calm) Check(e zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if e.Message == msgServeEnded && c.stopping.Load() {
		return checked
	}
	return c.Core.Check(e, checked)
}
