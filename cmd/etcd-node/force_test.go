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

// config is what `etcd-node config` says with the node's flags and environment.
func (n *node) config() string {
	n.t.Helper()
	cmd := program(n.t, "etcd-node", append([]string{"config"}, n.flags...)...)
	cmd.Env, cmd.Dir = append(n.Environ(), n.env...), n.Dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		n.t.Fatalf("config: %v: %s", err, out)
	}
	return string(out)
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

// The others are alive: the setting throws nobody out, and the cluster of three is
// one when it is gone.
func TestForceNewClusterBesideTheOthers(t *testing.T) {
	t.Parallel()
	nodes := three(t)
	a, b, c := nodes[0], nodes[1], nodes[2]
	a.put("k", "v")
	a.stop()
	a.write("env", []byte("# everywhere\nETCD_FORCE_NEW_CLUSTER=true\n"))
	a.env = []string{"ETCD_NODE_ENV_FILE=" + a.Dir + "/env"}
	notice := "etcd-node: notice: ETCD_FORCE_NEW_CLUSTER (" + a.Dir + "/env:2) makes the next start drop b and c from the data"
	if out := a.config(); !strings.Contains(out, notice) {
		t.Errorf("config does not warn:\n%s", out)
	}
	a.start(true)
	s := a.await("STATUS=failed: ETCD_FORCE_NEW_CLUSTER is set, but other members of this cluster are alive")
	for _, want := range []string{"b (127.0.0.1:", "c (127.0.0.1:", "systemctl disable --now etcd", "remove ETCD_FORCE_NEW_CLUSTER (" + a.Dir + "/env:2)"} {
		if !strings.Contains(s, want) {
			t.Errorf("%q lacks %q", s, want)
		}
	}
	a.exits(failure.ExitConfig)
	if st := b.status(); !serving(st) || len(st.View.Members) != 3 {
		t.Errorf("b: %s", st.Line())
	}
	a.env = nil
	a.up()
	for _, n := range []*node{a, b, c} {
		n.with(3)
		n.holds("k", "v")
	}
}

// The same file everywhere, and all are started at once: nobody listens yet, and
// still no two of them begin.
func TestForceNewClusterEverywhere(t *testing.T) {
	t.Parallel()
	nodes := three(t)
	nodes[0].put("k", "v")
	for _, n := range nodes {
		n.stop()
	}
	for _, n := range nodes {
		n.start(true, "--force-new-cluster=true")
	}
	for _, n := range nodes {
		n.await("STATUS=failed: ETCD_FORCE_NEW_CLUSTER is set, but other members of this cluster are alive")
		n.exits(failure.ExitConfig)
	}
	for _, n := range nodes {
		n.start(true)
	}
	for _, n := range nodes {
		n.await("READY=1")
		n.with(3)
		n.holds("k", "v")
	}
}

// Two that were forced, each while the other one was down and by hand: who serves
// beside another that has the same cluster ID says so.
func TestForceNewClusterTwice(t *testing.T) {
	t.Parallel()
	nodes := three(t)
	for _, n := range nodes {
		n.stop()
	}
	a, b := nodes[0], nodes[1]
	b.start(false, "--force-new-cluster=true")
	b.with(1)
	b.stop()
	a.start(false, "--force-new-cluster=true")
	a.with(1)
	b.up()
	a.until("told of the other", func(st status.Status) bool {
		return strings.Contains(conditions(st, failure.IDOtherMembers), "a member of this very cluster answers at b: if the data does not have it under another URL, one of the two was started with --force-new-cluster")
	})
}
