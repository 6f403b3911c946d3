package member

import (
	"context"
	"math/rand/v2"
	"time"

	"go.uber.org/zap"
	"google.golang.org/protobuf/proto"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/server/v3/etcdserver"
	"go.etcd.io/raft/v3/raftpb"
)

const (
	// resumeAfter is how long a snapshot's index may stay above the applied one.
	// Where clients write, the next entry comes sooner.
	resumeAfter = 100 * time.Millisecond
	// resumeAgain is the pause before another try: a proposal is lost where the
	// leader changes.
	resumeAgain = time.Second
)

// resume makes a member usable that the leader has sent a snapshot, until ctx ends.
//
// etcd notes how far it has applied with each entry, and not with a snapshot
// (server.go, apply and applySnapshot; 3.7.3). A member that was more than 5,000
// entries behind still seems so when it has the snapshot: it refuses whatever would
// be a proposal with "etcdserver: too many requests", while its health is good. The
// next entry ends it. In a cluster that nobody writes to there is none, so this
// member proposes one, past that check, which [etcdserver.EtcdServer.Process] does
// not make.
func (m *member) resume(ctx context.Context, s *etcdserver.EtcdServer) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-m.heard.snapshot:
		}
		for said, pause := false, resumeAfter; ; pause = resumeAgain {
			before := s.AppliedIndex()
			select {
			case <-ctx.Done():
				return
			case <-time.After(pause):
			}
			if s.AppliedIndex() != before || before >= s.CommittedIndex() {
				break
			}
			if !said { // once: without a leader it is tried for as long as there is none
				said = true
				m.log.Info("proposing an entry that changes nothing: after a snapshot etcd refuses writes until there is one; nothing is to be done",
					zap.Uint64("applied", before), zap.Uint64("committed", s.CommittedIndex()))
			}
			if err := proposeNothing(ctx, s); err != nil {
				m.log.Debug("raft has not taken it; trying again", zap.Error(err))
			}
		}
	}
}

// proposeNothing proposes an entry that changes nothing: a read of one key. No member
// of any version carries it out, because nobody waits for its answer (apply.go,
// noSideEffect). An entry without data, as a new leader has it, would extend all
// leases.
func proposeNothing(ctx context.Context, s *etcdserver.EtcdServer) error {
	data, err := proto.Marshal(&etcdserverpb.InternalRaftRequest{
		Header: &etcdserverpb.RequestHeader{ID: rand.Uint64()},
		Range:  &etcdserverpb.RangeRequest{Key: []byte{0}, CountOnly: true},
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, resumeAgain) // without a leader raft takes nothing
	defer cancel()
	self := uint64(s.MemberID())
	return s.Process(ctx, &raftpb.Message{
		Type: raftpb.MsgProp.Enum(), To: &self, From: &self, Entries: []*raftpb.Entry{{Data: data}},
	})
}
