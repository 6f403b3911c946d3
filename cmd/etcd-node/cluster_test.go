package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-node/etcd-node/pkg/status"
	"github.com/etcd-node/etcd-node/test/poll"
)

// three is a cluster of three that serves, every member connected to the others.
func three(t *testing.T) []*node {
	t.Helper()
	a, b, c := abc(t)
	nodes := []*node{a, b, c}
	for _, n := range nodes {
		n.start(true)
	}
	for _, n := range nodes {
		n.await("READY=1")
		n.until("connected", func(st status.Status) bool { return st.View.AllConnected() })
	}
	return nodes
}

func TestThreeMembers(t *testing.T) {
	t.Parallel()
	a, b, c := abc(t)
	a.start(true)
	a.await("STATUS=joining: 1 of 3 members; waiting for b (127.0.0.1: connection refused), c (127.0.0.1: connection refused)")
	if line, err := a.Logged(t.Context(), `"msg":"joining: 1 of 3 members; waiting for b (127.0.0.1: connection refused), c (127.0.0.1: connection refused)`); err != nil || !strings.Contains(line, `"level":"warn"`) {
		t.Errorf("the log: %s, %v", line, err)
	}
	b.start(true)
	c.start(true)
	for _, n := range []*node{a, b, c} {
		n.await("READY=1")
		n.until("serving with all", func(st status.Status) bool { return serving(st) && st.View.AllConnected() })
	}
	a.put("k", "v")
	c.holds("k", "v")
	// A member that is stopped is named by the others.
	c.stop()
	a.until("missing c", func(st status.Status) bool {
		return serving(st) && strings.Contains(st.Line(), "2 of 3 members; missing c (127.0.0.1: connection refused)")
	})
	a.put("k", "w")
	// Without a quorum the process lives on and says so.
	b.stop()
	a.until("without leader", func(st status.Status) bool {
		return serving(st) && strings.Contains(st.Line(), "no leader")
	})
	a.stop()
}

// A leader that is stopped hands over, also with watches and leases open; the
// others go on without an election timeout.
func TestLeaderHandsOver(t *testing.T) {
	t.Parallel()
	nodes := three(t)
	st := nodes[0].until("with a leader", func(st status.Status) bool { return st.View.Leader != "" })
	leader := nodes[slices.IndexFunc(nodes, func(n *node) bool { return n.Name == st.View.Leader })]

	cli := leader.etcd()
	lease, err := cli.Grant(t.Context(), 60)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cli.KeepAlive(t.Context(), lease.ID); err != nil {
		t.Fatal(err)
	}
	watch := cli.Watch(t.Context(), "k", clientv3.WithCreatedNotify())
	<-watch

	leader.stop()
	if log := strings.Join(leader.Lines(), "\n"); !strings.Contains(log, "handed over the leadership") {
		t.Error("the leader did not hand over")
	}
	survivors := slices.DeleteFunc(slices.Clone(nodes), func(n *node) bool { return n == leader })
	survivors[0].put("k", "v")
	for _, n := range nodes {
		n.logIsEtcds() // a handover is no fault either
	}
}

func TestReadyAll(t *testing.T) {
	t.Parallel()
	a, b, c := abc(t)
	for _, n := range []*node{a, b, c} {
		n.env = []string{"ETCD_NODE_READY=all"}
	}
	a.start(true)
	b.start(true)
	a.await("STATUS=joining: 2 of 3 members; ETCD_NODE_READY=all waits for c (has never started; 127.0.0.1: connection refused)")
	c.start(true)
	a.await("READY=1")
	b.await("READY=1")
	c.await("READY=1")
}

// Nodes that were given different tokens never come together; the one that is
// outvoted says so and ends, the others show it.
func TestForeignToken(t *testing.T) {
	t.Parallel()
	a, b, c := abc(t)
	a.start(true)
	b.start(true)
	c.start(true, "--initial-cluster-token=other")
	a.await("READY=1")
	said := c.await("STATUS=failed: the peers belong to another cluster")
	c.exits(76)
	b.await("READY=1")
	if st := a.status(); !serving(st) {
		t.Errorf("a: %s", st.Line())
	}
	if !strings.Contains(said, "this one is what the list and the token say here: they differ from those of the peers") {
		t.Errorf("%s", said)
	}
	// The token is corrected: it is the data that is of no use now.
	c.start(true)
	s := c.await("STATUS=failed: the data here was begun under another token or list, and has never served")
	c.exits(76)
	if strings.Contains(s, "ETCD_INITIAL_CLUSTER_TOKEN") || !strings.Contains(s, "mv ") {
		t.Errorf("%s", s)
	}
	c.wipe()
	c.run("forget")
	c.up()
	c.with(3)
}

func TestRemovedMember(t *testing.T) {
	t.Parallel()
	nodes := three(t)
	a, c := nodes[0], nodes[2]
	id, err := strconv.ParseUint(c.status().View.MemberID, 16, 64)
	if err != nil {
		t.Fatal(err)
	}
	cli := a.etcd()
	// etcd refuses for 5 s after a start: "unhealthy cluster".
	poll.Eventually(t, func() error { _, err := cli.MemberRemove(t.Context(), id); return err })
	s := c.await("STATUS=failed: this member was removed from the cluster")
	if want := fmt.Sprintf("etcd-node ctl member remove %x", id); !strings.Contains(s, want) {
		t.Errorf("%q lacks %q", s, want)
	}
	c.exits(67)
	// Removed while it is down: each start seems to work.
	c.start(true)
	c.await("STATUS=failed: this member was removed from the cluster")
	if code := c.exit(); code != 67 || c.Readies() != 1 {
		t.Errorf("exit code %d, READY=1 said %d times", code, c.Readies())
	}
}

// raft believes for 20 s that a frozen peer is connected; the others name it
// in a few.
func TestFrozenPeerIsNamed(t *testing.T) {
	t.Parallel()
	nodes := three(t)
	a, c := nodes[0], nodes[2]
	syscall.Kill(c.status().MemberPID, syscall.SIGSTOP)
	a.until("missing c", func(st status.Status) bool {
		return strings.Contains(st.Line(), "missing c (127.0.0.1: no answer in 1s")
	})
	// Its supervisor misses its beats and starts another.
	a.until("connected", func(st status.Status) bool { return st.View.AllConnected() })
}
