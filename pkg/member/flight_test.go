package member

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"go.etcd.io/etcd/client/pkg/v3/types"
	"go.etcd.io/etcd/server/v3/etcdserver/api/rafthttp"
	"go.etcd.io/raft/v3/raftpb"

	"github.com/etcd-node/etcd-node/pkg/member/peers"
)

// A handover is told to the other voting members, and the answers of those are
// waited for that raft is connected to; an answer goes to the leader alone.
func TestNotices(t *testing.T) {
	var mu sync.Mutex
	got := map[uint64][]*raftpb.Message{}
	o := twoMembers()
	for id := types.ID(2); id <= 4; id++ {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			m := &raftpb.Message{}
			if err := proto.Unmarshal(body, m); err != nil || r.URL.Path != rafthttp.RaftPrefix {
				t.Errorf("%s: %v", r.URL, err)
			}
			mu.Lock()
			got[uint64(id)] = append(got[uint64(id)], m)
			mu.Unlock()
			w.WriteHeader(http.StatusNoContent)
		}))
		t.Cleanup(s.Close)
		x := *o.members[1]
		x.ID, x.PeerURLs, x.IsLearner = id, []string{s.URL}, id == 4
		o.members = append(o.members[:id-1], &x)
	}
	m := newTestMember()
	s := served{member: m}
	if told := s.Tell(t.Context()); told != nil {
		t.Errorf("before it can ask anybody it has told %v", told)
	}
	m.asks.Store(peers.NewClient(nil, nil))
	m.observer.last.Store(o)
	for _, id := range []types.ID{2, 4} { // 3 is not connected
		m.heard.connected[id.String()] = time.Now()
	}
	if told := s.Tell(t.Context()); !slices.Equal(told, []uint64{2}) {
		t.Errorf("it waits for %v", told)
	}
	s.Answer(t.Context(), 2)
	s.Answer(t.Context(), 9)
	mu.Lock()
	defer mu.Unlock()
	if len(got[2]) != 2 || len(got[4]) != 0 {
		t.Errorf("it has told %v", got)
	}
	for _, m := range got[2] {
		if m.GetType() != raftpb.MsgTransferLeader || m.GetTerm() != 1 || m.GetFrom() != 1 || m.GetTo() != 2 {
			t.Errorf("%v", m)
		}
	}
}
