package election

import (
	"strconv"
	"strings"
	"sync"
	"time"

	"go.etcd.io/raft/v3"
	"go.uber.org/zap/zapcore"
)

// What raft's transport logs about its streams. TestRaft fails when it changes.
const (
	msgEstablished = "established TCP streaming connection with remote peer"
	msgLost        = "lost TCP streaming connection with remote peer"
	fieldReader    = "stream-reader-type" // we dialed and read
	fieldWriter    = "stream-writer-type" // the peer dialed and we write
	fieldPeer      = "remote-peer-id"
)

// writerProbed is the stream, of the two that a peer opens to us, to which
// knocks go.
const writerProbed = "stream Message"

// voteMessages are what raft logs about requests for votes, before the other
// member's ID and the rest of the message. Should they change, elections take a
// turn longer at times, and a leader that is back before anyone noticed costs
// the election timeout again. TestRaft and TestVotesHeard notice.
var voteMessages = map[string]func(p *peer, rest string){
	" rejected MsgPreVote from ": func(p *peer, _ string) { p.rejected = time.Now() },
	" ignored MsgPreVote from ":  func(p *peer, _ string) { p.ignored = time.Now() },
	" cast MsgPreVote for ":      func(p *peer, _ string) { p.backed = time.Now() },
	" received MsgVoteResp rejection from ": func(p *peer, rest string) {
		if term, err := strconv.ParseUint(strings.TrimPrefix(rest, "at term "), 10, 64); err == nil {
			p.denied = term
		}
	},
}

// Streams is a zap core that learns from etcd's log, whatever its level, which
// of raft's streams stand and how requests for votes were answered. It writes
// nothing. It is safe for concurrent use.
type Streams struct{ state *streamsState }

type streamsState struct {
	mu    sync.Mutex
	peers map[uint64]*peer
	moved chan struct{} // closed at the next change
	risen chan struct{} // closed when the next stream comes
}

// peer is what the log says about one other member.
type peer struct {
	readers   map[string]bool // type → that stream which we opened stands; only for Write
	heard     bool            // one of them does, and raft hears the peer
	dialled   bool            // the stream that the peer opened to us stands
	abandoned bool            // it stood, and is lost

	rejected time.Time // when we last refused it our pre-vote, because our log is longer
	ignored  time.Time // when we last ignored its request, because we heard a leader
	backed   time.Time // when we last granted it our pre-vote
	denied   uint64    // the last term in which it refused us its vote
}

// NewStreams returns a listener that has heard nothing yet.
func NewStreams() Streams {
	return Streams{&streamsState{peers: map[uint64]*peer{}, moved: make(chan struct{}), risen: make(chan struct{})}}
}

// of returns what is known of a peer at this moment.
func (s Streams) of(id uint64) peer {
	s.state.mu.Lock()
	defer s.state.mu.Unlock()
	return *s.state.peer(id)
}

// changed is closed when any stream comes or goes, or a request is answered.
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

// Dialled reports whether a stream stands that this peer has opened to us: it
// finds us where the cluster knows us.
func (s Streams) Dialled(id uint64) bool { return s.of(id).dialled }

// Enabled is independent of etcd's log level.
func (s Streams) Enabled(l zapcore.Level) bool { return l >= zapcore.InfoLevel }

// With returns s: what it looks for stands in the messages themselves.
func (s Streams) With([]zapcore.Field) zapcore.Core { return s }

// Check adds s where a message is about a stream or a vote.
func (s Streams) Check(e zapcore.Entry, c *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if e.Message == msgEstablished || e.Message == msgLost {
		return c.AddCore(e, s)
	}
	for text := range voteMessages {
		if strings.Contains(e.Message, text) {
			return c.AddCore(e, s)
		}
	}
	return c
}

// Write hears one message.
func (s Streams) Write(e zapcore.Entry, fields []zapcore.Field) error {
	s.state.mu.Lock()
	defer s.state.mu.Unlock()
	defer func() {
		close(s.state.moved)
		s.state.moved = make(chan struct{})
	}()
	for text, note := range voteMessages {
		if _, rest, ok := strings.Cut(e.Message, text); ok {
			id, rest, _ := strings.Cut(rest, " ")
			note(s.state.named(id), rest)
			return nil
		}
	}
	var id, reader, writer string
	for _, f := range fields {
		switch f.Key {
		case fieldPeer:
			id = f.String
		case fieldReader:
			reader = f.String
		case fieldWriter:
			writer = f.String
		}
	}
	p, up := s.state.named(id), e.Message == msgEstablished
	switch {
	case reader != "":
		if up {
			p.readers[reader] = true
		} else {
			delete(p.readers, reader)
		}
		p.heard = len(p.readers) > 0
	case writer == writerProbed:
		p.dialled, p.abandoned = up, !up
	}
	if up {
		close(s.state.risen)
		s.state.risen = make(chan struct{})
	}
	return nil
}

// Sync does nothing.
func (s Streams) Sync() error { return nil }

// named is the peer whose ID etcd prints so.
func (s *streamsState) named(id string) *peer {
	n, err := strconv.ParseUint(id, 16, 64)
	if err != nil {
		n = raft.None // about nobody
	}
	return s.peer(n)
}

func (s *streamsState) peer(id uint64) *peer {
	p := s.peers[id]
	if p == nil {
		p = &peer{readers: map[string]bool{}}
		s.peers[id] = p
	}
	return p
}
