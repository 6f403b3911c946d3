package peers

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

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
		is, another  bool
	}{
		{m.Peer, cluster, id, true, false},
		{m.Peer + "/", cluster, id, true, false},
		{m.Peer, cluster, uint64(leader), false, true},
		{m.Peer, cluster, id + 1, false, true},
		{m.Peer, "1", id, false, false},
		{m.Client, cluster, id, false, false},
		{"http://" + loopback.Address(), cluster, id, false, false},
	} {
		is, another := c.Is(t.Context(), tc.url, tc.cluster, tc.id), c.IsAnother(t.Context(), tc.url, tc.cluster, tc.id)
		if is != tc.is || another != tc.another {
			t.Errorf("%+v: %v, %v", tc, is, another)
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

// What takes one message proves nothing: neither that it takes every message, nor
// that it does not answer the second time, nor that it has no time for it.
func TestIsNot(t *testing.T) {
	for name, second := range map[string]http.HandlerFunc{
		"takes all":   func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusNoContent) },
		"overloaded":  func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) },
		"breaks off":  func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"times out":   func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"not etcd's":  func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusForbidden) },
		"other's":     refusal("d"),
		"is a member": refusal("c"), // TestIs has a real one
	} {
		t.Run(name, func(t *testing.T) {
			var asked atomic.Int32
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body) // or the server does not notice that the client is gone
				if asked.Add(1) == 1 {
					w.WriteHeader(http.StatusNoContent)
					return
				}
				second(w, r)
			}))
			t.Cleanup(s.Close)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if got, want := NewClient(nil, nil).Is(ctx, s.URL, "c", 1), name == "is a member"; got != want {
				t.Errorf("%v", got)
			}
		})
	}
}

// refusal is how a member of a cluster refuses a message for another one.
func refusal(cluster string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Etcd-Cluster-ID", cluster)
		w.WriteHeader(http.StatusForbidden)
	}
}
