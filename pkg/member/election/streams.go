package election

import (
	"strconv"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap/zapcore"
)

// What raft's transport logs about its streams. TestStreamMessages provokes
// each with the real etcd.
const (
	msgEstablished = "established TCP streaming connection with remote peer"
	msgLost        = "lost TCP streaming connection with remote peer"
	fieldReader    = "stream-reader-type" // we dialed and read
	fieldWriter    = "stream-writer-type" // the peer dialed and we write
	fieldPeer      = "remote-peer-id"
)

// What raft logs, before a member ID, when it refuses a pre-vote because its own
// log is longer, and when it ignores one because it heard a leader. Should they
// change, elections take a [stagger] longer at times, and a leader that is back
// before anyone noticed costs the election timeout again. TestRaft notices.
const (
	msgRejected = " rejected MsgPreVote from "
	msgIgnored  = " ignored MsgPreVote from "
	// What it logs when another refuses it a vote, before "ID at term N".
	msgDenied = " received MsgVoteResp rejection from "
	// What it logs when another grants it a pre-vote, before it acts on that.
	msgGranted = " received MsgPreVoteResp from "
)

// writerProbed is the stream, of the two that a peer opens to us, to which
// knocks go.
const writerProbed = "stream Message"

// Streams is a zap core that knows raft's streams from etcd's log, whatever
// its level. It writes nothing. It is safe for concurrent use.
type Streams struct{ state *streamsState }

type streamsState struct {
	mu    sync.Mutex
	peers map[string]*peerStreams // by hexadecimal member ID
	moved chan struct{}           // closed at the next change
	risen chan struct{}           // closed when the next stream comes
	// rejected is when raft here last refused its pre-vote to a member.
	rejected map[string]time.Time
	// ignored is when it last ignored one, because it hears a leader.
	ignored map[string]time.Time
	// granted is when a peer last granted us its pre-vote.
	granted map[string]time.Time
	// votes are the terms in which a peer last refused us its vote.
	votes map[string]uint64
}

type peerStreams struct {
	readers map[string]bool // stream type → established
	writer  bool
	wrote   bool // writer was established once
}

// NewStreams returns a listener that has heard nothing yet.
func NewStreams() Streams {
	return Streams{&streamsState{
		peers: map[string]*peerStreams{}, rejected: map[string]time.Time{}, ignored: map[string]time.Time{}, votes: map[string]uint64{}, granted: map[string]time.Time{},
		moved: make(chan struct{}), risen: make(chan struct{}),
	}}
}

// hears reports whether raft can hear the peer over a stream.
func (s Streams) hears(peer string) bool {
	s.state.mu.Lock()
	defer s.state.mu.Unlock()
	if p := s.state.peers[peer]; p != nil {
		for _, up := range p.readers {
			if up {
				return true
			}
		}
	}
	return false
}

// abandoned reports whether the stream that the peer opened to us was there
// and is lost.
func (s Streams) abandoned(peer string) bool {
	s.state.mu.Lock()
	defer s.state.mu.Unlock()
	p := s.state.peers[peer]
	return p != nil && p.wrote && !p.writer
}

// refused reports whether this member has refused its pre-vote to the peer
// since then.
func (s Streams) refused(peer string, since time.Time) bool {
	s.state.mu.Lock()
	defer s.state.mu.Unlock()
	return s.state.rejected[peer].After(since)
}

// asked reports whether the peer has asked for a pre-vote since then, and was
// ignored.
func (s Streams) asked(peer string, since time.Time) bool {
	s.state.mu.Lock()
	defer s.state.mu.Unlock()
	return s.state.ignored[peer].After(since)
}

// agreed reports whether the peer has granted this member its pre-vote since then.
func (s Streams) agreed(peer string, since time.Time) bool {
	s.state.mu.Lock()
	defer s.state.mu.Unlock()
	return !s.state.granted[peer].Before(since)
}

// denied reports whether the peer has refused this member its vote in a term.
func (s Streams) denied(peer string, term uint64) bool {
	s.state.mu.Lock()
	defer s.state.mu.Unlock()
	at, ok := s.state.votes[peer]
	return ok && at == term
}

// changed is closed when any stream comes or goes, or a vote is not granted.
func (s Streams) changed() <-chan struct{} {
	s.state.mu.Lock()
	defer s.state.mu.Unlock()
	return s.state.moved
}

// Established is closed when the next stream is established, with any peer.
func (s Streams) Established() <-chan struct{} {
	s.state.mu.Lock()
	defer s.state.mu.Unlock()
	return s.state.risen
}

// Enabled is independent of etcd's log level.
func (s Streams) Enabled(l zapcore.Level) bool { return l >= zapcore.InfoLevel }

// With returns s: what it looks for stands in the lines themselves.
func (s Streams) With([]zapcore.Field) zapcore.Core { return s }

// Check adds s where the line is about a stream or a vote.
func (s Streams) Check(e zapcore.Entry, c *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	switch {
	case e.Message == msgEstablished, e.Message == msgLost,
		strings.Contains(e.Message, msgRejected), strings.Contains(e.Message, msgIgnored), strings.Contains(e.Message, msgDenied),
		strings.Contains(e.Message, msgGranted):
		return c.AddCore(e, s)
	}
	return c
}

// Write hears one line.
func (s Streams) Write(e zapcore.Entry, fields []zapcore.Field) error {
	s.state.mu.Lock()
	defer s.state.mu.Unlock()
	defer func() {
		close(s.state.moved)
		s.state.moved = make(chan struct{})
	}()
	for text, when := range map[string]map[string]time.Time{msgRejected: s.state.rejected, msgIgnored: s.state.ignored, msgGranted: s.state.granted} {
		if _, rest, ok := strings.Cut(e.Message, text); ok {
			id, _, _ := strings.Cut(rest, " ")
			when[id] = time.Now()
			return nil
		}
	}
	if _, rest, ok := strings.Cut(e.Message, msgDenied); ok {
		id, text, _ := strings.Cut(rest, " at term ")
		if term, err := strconv.ParseUint(text, 10, 64); err == nil {
			s.state.votes[id] = term
		}
		return nil
	}
	var peer, reader, writer string
	for _, f := range fields {
		switch f.Key {
		case fieldPeer:
			peer = f.String
		case fieldReader:
			reader = f.String
		case fieldWriter:
			writer = f.String
		}
	}
	up := e.Message == msgEstablished
	if up {
		close(s.state.risen)
		s.state.risen = make(chan struct{})
	}
	p := s.state.peers[peer]
	if p == nil {
		p = &peerStreams{readers: map[string]bool{}}
		s.state.peers[peer] = p
	}
	switch {
	case reader != "":
		p.readers[reader] = up
	case writer == writerProbed:
		p.writer = up
		p.wrote = p.wrote || up
	}
	return nil
}

// Sync does nothing.
func (s Streams) Sync() error { return nil }
