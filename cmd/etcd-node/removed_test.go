package main

import (
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/status"
	"github.com/etcd-node/etcd-node/test/poll"
)

// forbids answers 403 to all at a peer URL, as a proxy or another service does that
// sits where a member was. The function that it returns ends that.
func forbids(t *testing.T, peerURL string) (stop func()) {
	t.Helper()
	u, err := url.Parse(peerURL)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.Error(w, "Forbidden", http.StatusForbidden) })}
	done := make(chan struct{})
	go func() { defer close(done); _ = s.Serve(l) }()
	stop = func() { _ = s.Close(); <-done }
	t.Cleanup(stop)
	return stop
}

// A stranger's 403 is no removal: the member comes back as often as it takes, with
// the cause, and serves when the stranger is gone.
func TestForbiddenIsNotRemoved(t *testing.T) {
	t.Parallel()
	nodes := three(t)
	a, b, c := nodes[0], nodes[1], nodes[2]
	a.put("k", "v")
	a.stop()
	stop := forbids(t, a.Peer)
	b.stop() // c is alone now, and asks both for their votes
	c.await("STATUS=backoff: this member was told that it was removed, but no member of its cluster says so: ")
	st := c.until("told both causes", func(st status.Status) bool {
		return st.LastEnd != nil && st.LastEnd.ID == failure.IDRemovalUnproven && st.Restarts > 1 &&
			strings.Contains(st.LastEnd.Cause, "is not an etcd peer port (HTTP 403)") && strings.Contains(st.LastEnd.Cause, "connection refused")
	})
	if text := strings.Join(st.LastEnd.Next, "\n"); strings.Contains(text, "member remove") {
		t.Errorf("next: %s", text)
	}
	stop()
	a.up()
	c.until("serving", func(st status.Status) bool { return serving(st) && st.View.Leader != "" })
	c.holds("k", "v")
}

// A member that was removed while it was down ends for good, also where a stranger
// answers in the place of one member and only the other one is there.
func TestRemovedBehindForbidden(t *testing.T) {
	t.Parallel()
	nodes := three(t)
	a, b, c := nodes[0], nodes[1], nodes[2]
	id := c.status().View.MemberID
	c.stop()
	cli := b.etcd()
	members, err := cli.MemberList(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range members.Members {
		if m.Name == "c" {
			poll.Eventually(t, func() error { _, err := cli.MemberRemove(t.Context(), m.ID); return err })
		}
	}
	b.until("of two", func(st status.Status) bool { return len(st.View.Members) == 2 })
	a.stop()
	forbids(t, a.Peer)
	c.start(true)
	if s := c.await("STATUS=failed: this member was removed from the cluster"); !strings.Contains(s, "etcd-node ctl member remove "+id) && !strings.Contains(s, "member list") {
		t.Errorf("%s", s)
	}
	c.exits(failure.ExitRemoved)
}
