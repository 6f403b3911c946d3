package election

import (
	"testing"
	"time"

	"go.etcd.io/raft/v3/raftpb"
)

// What raft logs when it refuses its own pre-vote to a member whose log is
// shorter.
func TestRefusalHeard(t *testing.T) {
	s := NewStreams()
	r := candidate(t, s, true)
	begun := time.Now()
	err := r.Step(&raftpb.Message{Type: raftpb.MsgPreVote.Enum(), From: new(uint64(11)), To: new(uint64(10)), Term: new(uint64(8)), LogTerm: new(uint64(0)), Index: new(uint64(0))})
	if err != nil {
		t.Fatal(err)
	}
	if b, c := s.of(11), s.of(12); b.rejected.Before(begun) || !c.rejected.IsZero() {
		t.Errorf("b: %+v, c: %+v", b, c)
	}
}
