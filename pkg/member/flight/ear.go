package flight

import (
	"strconv"
	"strings"
	"time"

	"go.etcd.io/raft/v3/raftpb"
	"go.uber.org/zap/zapcore"
)

// What raft logs, at info, at the very moment when its leader changes, between
// its own ID and the others'. What is proposed after the first of these goes to
// the next leader.
var leaderMessages = []string{" lost leader ", " changed leader from ", " elected leader "}

// A leader that hands over sends its followers a message that raft ignores, of the
// kind that begins a transfer, and of term 1, in which no leader ever is: see
// [Notice]. They answer with the same. This is what raft logs of it, around the
// sender's ID.
const toldMessage, toldTerm = " ignored a MsgTransferLeader message with lower term from ", " [term: 1]"

// What etcd logs once it has put a leader's snapshot in the place of its database,
// and the field with the term of the last entry that this one contains.
const restoredMessage, restoredTerm = "applied snapshot", "incoming-leader-snapshot-term"

// Notice is the message by which a leader tells a follower that it hands over, and
// by which that one answers that nothing of its own is under way.
func Notice(from, to uint64) *raftpb.Message {
	return &raftpb.Message{Type: raftpb.MsgTransferLeader.Enum(), From: &from, To: &to, Term: new(uint64(1))}
}

// handover is the member that hands over the leadership, if a message says so.
func handover(message string) (by uint64, ok bool) {
	_, rest, found := strings.Cut(message, toldMessage)
	id, ends := strings.CutSuffix(rest, toldTerm)
	if !found || !ends {
		return 0, false
	}
	by, err := strconv.ParseUint(id, 16, 64)
	return by, err == nil
}

// ear is a zap core that hears, whatever etcd's log level, when raft loses its
// leader. It writes nothing.
type ear struct{ t *Tracker }

// Hears returns the core that must listen to etcd's log.
func (t *Tracker) Hears() zapcore.Core { return ear{t} }

// Enabled is independent of etcd's log level.
func (e ear) Enabled(l zapcore.Level) bool { return l >= zapcore.InfoLevel }

// With returns e: what it looks for stands in the messages themselves.
func (e ear) With([]zapcore.Field) zapcore.Core { return e }

// Check adds e where a message is about raft's leader.
func (e ear) Check(entry zapcore.Entry, c *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if _, ok := handover(entry.Message); ok || entry.Message == restoredMessage {
		return c.AddCore(entry, e)
	}
	if strings.HasPrefix(entry.Message, "raft.node: ") {
		for _, text := range leaderMessages {
			if strings.Contains(entry.Message, text) {
				return c.AddCore(entry, e)
			}
		}
	}
	return c
}

// Write notes the moment. It is called by raft's own goroutine, and by the one
// that applies.
func (e ear) Write(entry zapcore.Entry, fields []zapcore.Field) error {
	if by, ok := handover(entry.Message); ok {
		e.t.told(by)
		return nil
	}
	if entry.Message == restoredMessage {
		for _, f := range fields {
			if f.Key == restoredTerm {
				e.t.restoredTo(uint64(f.Integer))
			}
		}
		return nil
	}
	e.t.mu.Lock()
	if e.t.lostAt.IsZero() {
		e.t.lostAt = time.Now()
	}
	e.t.mu.Unlock()
	e.t.Look()
	return nil
}

// Sync does nothing.
func (e ear) Sync() error { return nil }

// heardLoss is when the log first spoke of a change since the last call, and
// notes who leads now.
func (t *Tracker) heardLoss(leader uint64) time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	at := t.lostAt
	if !at.IsZero() || t.following != leader {
		t.since = time.Now()
	}
	t.lostAt, t.following = time.Time{}, leader
	return at
}

// restoredTo notes that this member has a snapshot whose last entry is of a term.
func (t *Tracker) restoredTo(term uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.restored = max(t.restored, term)
}

func (t *Tracker) restoredTerm() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.restored
}
