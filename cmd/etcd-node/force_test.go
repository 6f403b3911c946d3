package main

import (
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/status"
	"github.com/etcd-node/etcd-node/test/poll"
)

// with waits until the node serves in a cluster of so many members, all connected.
func (n *node) with(members int) status.Status {
	n.t.Helper()
	return n.until("serving with all", func(st status.Status) bool {
		return serving(st) && len(st.View.Members) == members && st.View.AllConnected()
	})
}

func shows(st status.Status, id string) bool {
	return slices.ContainsFunc(st.AllConditions(), func(c status.Condition) bool { return c.ID == id })
}

// What is left of three begins a new cluster, and another member is added. Neither
// a killed member process nor another start of the daemon throws that one out.
func TestForceNewClusterOnce(t *testing.T) {
	t.Parallel()
	nodes := three(t)
	a, b := nodes[0], nodes[1]
	a.put("k", "v")
	b.holds("k", "v")
	for _, n := range nodes {
		n.stop()
	}
	a.write("env", []byte("# left over\nETCD_FORCE_NEW_CLUSTER=true\n"))
	a.env = []string{"ETCD_NODE_ENV_FILE=" + a.Dir + "/env"}
	a.up()
	a.holds("k", "v")
	st := a.with(1)
	if !shows(st, failure.IDForced) || !strings.Contains(st.Line(), "remove ETCD_FORCE_NEW_CLUSTER ("+a.Dir+"/env:2)") {
		t.Errorf("it says %s", st.Line())
	}

	b.wipe()
	b.run("forget")
	cli := a.etcd()
	poll.Eventually(t, func() error { _, err := cli.MemberAdd(t.Context(), []string{b.Peer}); return err })
	b.flags = append(b.flags, "--initial-cluster=a="+a.Peer+",b="+b.Peer, "--initial-cluster-state=existing")
	b.up()
	a.with(2)
	if err := syscall.Kill(a.status().MemberPID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	a.until("restarted", func(st status.Status) bool { return st.Restarts == 1 && serving(st) })
	a.with(2)
	b.with(2)
	b.put("k", "w")
	a.holds("k", "w")

	// A new daemon with the line is refused, and touches nothing.
	a.stop()
	a.start(true)
	a.await("STATUS=failed: ETCD_FORCE_NEW_CLUSTER is still set, and would now drop the members that were added since its first use: remove ETCD_FORCE_NEW_CLUSTER (" + a.Dir + "/env:2); the data has 2 members")
	a.exits(failure.ExitConfig)
	a.env = nil
	a.up()
	if st := a.with(2); shows(st, failure.IDForced) {
		t.Errorf("without the line it says %s", st.Line())
	}
	b.with(2)
	a.holds("k", "w")

	// Once the line was gone it counts again.
	b.stop()
	a.stop()
	a.up("--force-new-cluster=true")
	a.with(1)
	a.stop()
}

// The only member passes over it, as often as it is started.
func TestForceNewClusterAlone(t *testing.T) {
	t.Parallel()
	n := single(t)
	for range 3 {
		n.up("--force-new-cluster=true")
		if st := n.with(1); !shows(st, failure.IDForced) || !strings.Contains(st.Line(), "remove --force-new-cluster") {
			t.Errorf("it says %s", st.Line())
		}
		n.put("k", "v")
		n.stop()
	}
	n.up()
	n.holds("k", "v")
	n.stop()
}
