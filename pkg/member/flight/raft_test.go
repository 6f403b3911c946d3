package flight

import (
	"context"
	"fmt"
	"io"
	"log"
	"strings"
	"testing"
	"time"

	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"
	"go.uber.org/zap/zapcore"

	"github.com/etcd-node/etcd-node/test/poll"
)

// raftLog has raft's lines heard by a tracker.
type raftLog struct {
	*raft.DefaultLogger
	tracker *Tracker
}

func (l raftLog) Infof(format string, args ...any) {
	if c := l.tracker.Hears().Check(zapcore.Entry{Level: zapcore.InfoLevel, Message: fmt.Sprintf(format, args...)}, nil); c != nil {
		c.Write()
	}
}

// Raft still says in these words that its leader changes, and that it ignores a
// notice; and it does ignore it.
func TestRaft(t *testing.T) {
	tracker := New(Options{Timeout: time.Second})
	storage := raft.NewMemoryStorage()
	n := raft.StartNode(&raft.Config{
		ID: 1, ElectionTick: 10, HeartbeatTick: 1, Storage: storage, MaxSizePerMsg: 1 << 20, MaxInflightMsgs: 256,
		CheckQuorum: true, PreVote: true, Logger: raftLog{&raft.DefaultLogger{Logger: log.New(io.Discard, "", 0)}, tracker},
	}, []raft.Peer{{ID: 1}})
	t.Cleanup(n.Stop)
	go func() {
		for rd := range n.Ready() {
			_ = storage.Append(rd.Entries)
			for _, e := range rd.CommittedEntries {
				if e.GetType() == raftpb.EntryConfChange {
					n.ApplyConfChange(&raftpb.ConfChange{Type: raftpb.ConfChangeAddNode.Enum(), NodeId: new(uint64(1))})
				}
			}
			n.Advance()
		}
	}()
	heard := func(what string) {
		t.Helper()
		poll.Eventually(t, func() error {
			if tracker.heardLoss(1).IsZero() {
				return fmt.Errorf("nothing heard of %s", what)
			}
			return nil
		})
	}
	poll.Eventually(t, func() error { _ = n.Campaign(context.Background()); return leads(n, 1) })
	heard("a leader that is elected")
	before := n.Status().HardState.GetTerm()

	if err := n.Step(context.Background(), Notice(1, 1)); err != nil {
		t.Fatal(err)
	}
	poll.Eventually(t, func() error {
		tracker.mu.Lock()
		defer tracker.mu.Unlock()
		if tracker.gate == nil {
			return fmt.Errorf("the notice was not heard")
		}
		return nil
	})
	if after := n.Status(); after.HardState.GetTerm() != before || after.Lead != 1 || after.LeadTransferee != 0 {
		t.Errorf("the notice has changed something: %v", after)
	}

	// Another one leads in a later term.
	if err := n.Step(context.Background(), &raftpb.Message{Type: raftpb.MsgHeartbeat.Enum(), From: new(uint64(2)), To: new(uint64(1)), Term: new(before + 1)}); err != nil {
		t.Fatal(err)
	}
	poll.Eventually(t, func() error { return leads(n, 2) })
	heard("a leader that is replaced")
}

func leads(n raft.Node, id uint64) error {
	if lead := n.Status().Lead; lead != id {
		return fmt.Errorf("%x leads, not %x", lead, id)
	}
	return nil
}

// A notice names its sender as raft prints it.
func TestNotice(t *testing.T) {
	const id = 0x8e9e05c52164694d
	line := fmt.Sprintf("%x [term: %d] ignored a %s message with lower term from %x [term: %d]", 1, 5, Notice(id, 1).GetType(), Notice(id, 1).GetFrom(), Notice(id, 1).GetTerm())
	if by, ok := handover(line); !ok || by != id {
		t.Errorf("%s: %x, %v", strings.TrimSpace(line), by, ok)
	}
}
