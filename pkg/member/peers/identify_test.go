package peers

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"testing"

	"go.etcd.io/etcd/server/v3/embed"
	"go.uber.org/zap"

	"github.com/etcd-node/etcd-node/test/loopback"
)

// A real member answers for itself and for nobody else, and the question changes
// nothing in it. It is a follower, which a MsgHup of its own would make a candidate:
// a leader ignores it.
func TestIs(t *testing.T) {
	dir := t.TempDir()
	members := []loopback.Member{loopback.New("a", filepath.Join(dir, "a")), loopback.New("b", filepath.Join(dir, "b")), loopback.New("c", filepath.Join(dir, "c"))}
	loopback.Unite(&members[0], &members[1], &members[2])
	all := make([]*embed.Etcd, len(members))
	for i := range members {
		cfg := members[i].Config()
		cfg.ZapLoggerBuilder = embed.NewZapLoggerBuilder(zap.NewNop())
		e, err := embed.StartEtcd(cfg)
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		all[i] = e
	}
	for _, e := range all {
		<-e.Server.ReadyNotify()
	}
	i := slices.IndexFunc(all, func(e *embed.Etcd) bool { return e.Server.Leader() != e.Server.MemberID() })
	m, e := members[i], all[i]
	cluster, id := e.Server.Cluster().ID().String(), uint64(e.Server.MemberID())
	term, leader := e.Server.Term(), e.Server.Leader()
	c := NewClient(nil, nil)
	for _, tc := range []struct {
		url, cluster string
		id           uint64
		want         bool
	}{
		{m.Peer, cluster, id, true},
		{m.Peer + "/", cluster, id, true},
		{m.Peer, cluster, uint64(leader), false},
		{m.Peer, cluster, id + 1, false},
		{m.Peer, "1", id, false},
		{m.Client, cluster, id, false},
		{"http://" + loopback.Address(), cluster, id, false},
	} {
		if got := c.Is(t.Context(), tc.url, tc.cluster, tc.id); got != tc.want {
			t.Errorf("%+v: %v", tc, got)
		}
	}
	// What is proposed now, through the follower, is applied after a MsgHup would
	// have been.
	if err := e.Server.LinearizableReadNotify(t.Context()); err != nil {
		t.Fatal(err)
	}
	if now := fmt.Sprint(e.Server.Term(), e.Server.Leader()); now != fmt.Sprint(term, leader) {
		t.Errorf("term and leader are %s, were %d %s", now, term, leader)
	}
}

// A service that takes every message proves nothing.
func TestIsNot(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(s.Close)
	if NewClient(nil, nil).Is(t.Context(), s.URL, "c", 1) {
		t.Error("believed")
	}
}
