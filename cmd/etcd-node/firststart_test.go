package main

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/etcd-node/etcd-node/pkg/status"
	"github.com/etcd-node/etcd-node/test/daemon"
	"github.com/etcd-node/etcd-node/test/pki"
	"github.com/etcd-node/etcd-node/test/poll"
)

// list gives a node another list than its cluster has.
func (n *node) list(nodes ...*node) {
	var list []string
	for _, x := range nodes {
		list = append(list, x.Name+"="+x.Peer)
	}
	n.flags = slices.DeleteFunc(n.flags, func(f string) bool { return strings.HasPrefix(f, "--initial-cluster=") })
	n.flags = append(n.flags, "--initial-cluster="+strings.Join(list, ","))
}

// A cluster of one serves, the list grows on all nodes, and all are restarted at
// once: the new ones wait, also through another restart of the old one, and join
// when they are added.
func TestListGrows(t *testing.T) {
	t.Parallel()
	a, b, c := single(t), newNode(t, "b"), newNode(t, "c")
	cluster(b, c) // for the flags
	a.up()
	a.put("k", "v")
	id := a.status().View.ClusterID
	for _, n := range []*node{a, b, c} {
		n.list(a, b, c)
	}
	a.stop()
	for _, n := range []*node{b, c, a} { // as a tool does that restarts all at once
		n.start(true)
	}
	a.await("READY=1")
	for _, n := range []*node{b, c} {
		n.await(fmt.Sprintf("STATUS=joining: cluster %s of a does not list %s (%s), and nothing is begun here; add this node to that cluster, and it joins by itself: "+
			"etcd-node ctl member add %s --learner --peer-urls=%s --endpoints=%s", id, n.Name, n.Peer, n.Name, n.Peer, a.Client))
	}
	a.stop()
	a.up()
	for _, n := range []*node{b, c} {
		n.nothingBegun()
		n.until("naming the cluster", func(st status.Status) bool {
			return len(st.View.Members) == 3 && !st.Ready && strings.Contains(flat(st.Text(time.Now())), "it answers as a member of cluster "+id)
		})
		if out := n.run("explain"); !strings.Contains(out, "not-listed: a cluster lives") {
			t.Errorf("explain says\n%s", out)
		}
		line := n.status().Line()
		_, command, ok := strings.Cut(line, "by itself: ")
		if !ok {
			t.Fatalf("no command in %s", line)
		}
		// etcd refuses for 5 s after a start: "unhealthy cluster".
		poll.Eventually(t, func() error { return n.tryShell(command) })
		n.await("READY=1")
		poll.Eventually(t, func() error { // etcd refuses while it is behind
			return n.tryShell("etcd-node ctl member promote " + n.status().View.MemberID + " --endpoints=" + a.Client)
		})
		n.holds("k", "v")
	}
	st := b.until("connected", func(st status.Status) bool { return st.View.AllConnected() && len(st.View.Members) == 3 })
	if st.View.ClusterID != id {
		t.Errorf("it is of cluster %s, not %s", st.View.ClusterID, id)
	}
}

// One of two new nodes has a cluster in its list that lives, and the other has not:
// they are a quorum of the other's list, and begin nothing all the same.
func TestOneKnowsTheCluster(t *testing.T) {
	t.Parallel()
	a, b, c := running(t), newNode(t, "b"), newNode(t, "c")
	cluster(b, c)
	a.put("k", "v")
	id := a.status().View.ClusterID
	b.list(a, b, c)
	c.start(true)
	c.await("STATUS=joining: 1 of 2 members; waiting for b (127.0.0.1: connection refused)")
	b.start(true)
	b.await("STATUS=joining: cluster " + id + " of a does not list b")
	c.await("STATUS=joining: b says that cluster " + id + " lives and does not list it; nothing is begun here before that cluster lists c (" + c.Peer + ")")
	c.until("naming the reason", func(st status.Status) bool {
		return strings.Contains(flat(st.Text(time.Now())), "not connected 127.0.0.1: no data yet; cluster "+id+" does not list it")
	})
	for _, n := range []*node{b, c} {
		n.nothingBegun()
		cli := a.etcd()
		poll.Eventually(t, func() error { _, err := cli.MemberAddAsLearner(t.Context(), []string{n.Peer}); return err })
		n.await("READY=1")
		poll.Eventually(t, func() error { // etcd refuses while it is behind
			return n.tryShell("etcd-node ctl member promote " + n.status().View.MemberID + " --endpoints=" + a.Client)
		})
		n.holds("k", "v")
	}
}

// Without a service manager it ends, with a word that helps, and nothing begun.
func TestNotListedAlone(t *testing.T) {
	t.Parallel()
	a, b := running(t), newNode(t, "b")
	cluster(b)
	b.list(a, b)
	for _, state := range []string{"new", "existing"} {
		b.start(false, "--initial-cluster-state="+state)
		b.exits(1)
		b.nothingBegun()
		log := strings.Join(b.Lines(), "\n")
		if !strings.Contains(log, "of a does not list b ("+b.Peer+")") || strings.Contains(log, "goroutine ") {
			t.Errorf("%s: it says\n%s", state, log)
		}
	}
}

// Every node is told that the cluster exists, and none has data.
func TestExistingWithoutData(t *testing.T) {
	t.Parallel()
	a, b, c := abc(t)
	nodes := []*node{a, b, c}
	for _, n := range nodes {
		n.start(true, "--initial-cluster-state=existing")
	}
	const isNew = "this is a new cluster: set ETCD_INITIAL_CLUSTER_STATE=new on all of them, or remove --initial-cluster-state"
	for _, n := range nodes {
		n.await("STATUS=joining: no node of the list has data: " + isNew)
	}
	a.until("listing the peers", func(st status.Status) bool {
		return strings.Count(flat(st.Text(time.Now())), "not connected 127.0.0.1: no data yet") == 2
	})
	c.stop()
	a.until("naming the one that is gone", func(st status.Status) bool {
		return strings.Contains(st.Line(), "no member of the cluster answers: b (127.0.0.1: no data yet), c (127.0.0.1: connection refused); if no node of the list has data, "+isNew)
	})
	if out := a.run("explain"); !strings.Contains(out, "no-cluster: ") {
		t.Errorf("explain says\n%s", out)
	}
	a.stop()
	b.stop()
	for _, n := range nodes {
		n.nothingBegun()
	}
	for _, n := range nodes {
		n.start(true)
	}
	for _, n := range nodes {
		n.await("READY=1")
	}
}

// A node that was added joins by the cluster's own list, whatever its own says.
func TestJoinsByLiveList(t *testing.T) {
	t.Parallel()
	for _, state := range []string{"new", "existing"} {
		t.Run(state, func(t *testing.T) {
			t.Parallel()
			a, b, c, d := running(t), newNode(t, "b"), newNode(t, "c"), newNode(t, "d")
			cluster(b, c, d)
			a.put("k", "v")
			b.list(a, b, c, d)
			cli := a.etcd()
			poll.Eventually(t, func() error { _, err := cli.MemberAdd(t.Context(), []string{b.Peer}); return err })
			b.start(true, "--initial-cluster-state="+state)
			b.await("READY=1")
			b.holds("k", "v")
			b.says("it joins by the cluster's own list, from which ETCD_INITIAL_CLUSTER differs")
			b.until("warning of the difference", func(st status.Status) bool { return strings.Contains(st.Line(), "the list names c and d") })
		})
	}
}

// A listed machine that does not answer may hold an older cluster: it is waited
// for, and then not.
func TestBootstrapWait(t *testing.T) {
	t.Parallel()
	silent := func(t *testing.T, env string) (a, b *node) { // of three, one of which accepts and says nothing
		a, b, c := abc(t)
		l, err := net.Listen("tcp", strings.TrimPrefix(c.Peer, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		for _, n := range []*node{a, b} {
			n.env = []string{env}
			n.start(true)
		}
		return a, b
	}
	const waiting, begun = "STATUS=joining: waiting%s for an answer from c (127.0.0.1: no answer in 1s", "STATUS=serving"
	t.Run("limit", func(t *testing.T) {
		t.Parallel()
		a, b := silent(t, "ETCD_NODE_BOOTSTRAP_WAIT=3s")
		a.await(fmt.Sprintf(waiting, " up to 3s"))
		a.nothingBegun()
		a.await(begun)
		b.await(begun)
		if both := strings.Join(append(a.Lines(), b.Lines()...), "\n"); !strings.Contains(both, "a new cluster begins although not all of its members could be asked: if an older one lives behind them, there will be two") {
			t.Error("the one that has begun it does not say that one was not asked")
		}
	})
	t.Run("forever", func(t *testing.T) {
		t.Parallel()
		a, _ := silent(t, "ETCD_NODE_BOOTSTRAP_WAIT=forever")
		a.await(fmt.Sprintf(waiting, ""))
		a.stop()
		a.nothingBegun()
	})
	t.Run("none", func(t *testing.T) {
		t.Parallel()
		a, _ := silent(t, "ETCD_NODE_BOOTSTRAP_WAIT=0s")
		a.await(begun)
		for _, x := range a.Notes() {
			if strings.Contains(x.Text, "for an answer") {
				t.Errorf("it waited: %s", x.Text)
			}
		}
	})
}

// A cluster speaks TLS between its members, and two new nodes list it without: it
// is not the silence of a machine that is off, however long it lasts.
func TestOtherScheme(t *testing.T) {
	t.Parallel()
	for _, certAuth := range []bool{false, true} {
		t.Run(fmt.Sprint("client certificates ", certAuth), func(t *testing.T) {
			t.Parallel()
			ca := pki.Issue(nil, pki.Authority)
			a, b, c := secured(t, "a")[0], newNode(t, "b"), newNode(t, "c")
			cluster(b, c)
			if certAuth {
				a.has("tls/ca.crt", ca.Cert)
				a.shows(pki.Issue(ca, nil))
			} else {
				a.flags = append(a.Flags(), "--peer-auto-tls")
			}
			plain := &node{Daemon: &daemon.Daemon{Member: a.Member}}
			plain.Peer = strings.Replace(a.Peer, "https:", "http:", 1)
			b.list(plain, b, c)
			c.list(plain, b, c)
			a.up()
			for _, n := range []*node{b, c} {
				n.env = []string{"ETCD_NODE_BOOTSTRAP_WAIT=2s"}
				n.start(true)
			}
			want := "STATUS=joining: cluster " + a.status().View.ClusterID + " of a (a speaks https, not as its URL in the list says) does not list "
			if certAuth {
				want = "STATUS=joining: waiting for a (127.0.0.1: speaks TLS, but its peer URL says http): it answers, but not as a node without data; an older cluster may live there"
			}
			b.await(want)
			c.await(want)
			time.Sleep(3 * time.Second) // longer than a machine that is off is waited for
			b.nothingBegun()
			c.nothingBegun()
		})
	}
}

// Three have served and are stopped, and a fourth with the longer list is the first
// that comes up: it begins nothing, and joins when it is added.
func TestFourthComesFirst(t *testing.T) {
	t.Parallel()
	nodes := three(t)
	d := newNode(t, "d")
	cluster(d)
	for _, n := range nodes {
		n.stop()
	}
	d.list(append(nodes, d)...)
	d.start(true)
	d.await("STATUS=joining: 1 of 4 members; waiting for a (127.0.0.1: connection refused), b (127.0.0.1: connection refused), c (127.0.0.1: connection refused)")
	time.Sleep(restart + time.Second)
	d.nothingBegun()
	for _, n := range nodes {
		n.start(true)
	}
	for _, n := range nodes {
		n.await("READY=1")
	}
	d.await("STATUS=joining: cluster ")
	d.nothingBegun()
	_, command, _ := strings.Cut(d.status().Line(), "by itself: ")
	poll.Eventually(t, func() error { return d.tryShell(command) })
	d.await("READY=1")
}

// restart is for how long a closed port may mean a restart.
const restart = 2 * time.Second

// Data and pin of a member are copied to another machine while it runs.
func TestClone(t *testing.T) {
	t.Parallel()
	nodes := three(t)
	a, c := nodes[0], nodes[2]
	id := c.status().View.MemberID
	copied := newNode(t, "x")
	cluster(copied)
	copied.list(a, nodes[1], copied)
	c.stop()
	copied.copies(c)
	c.up()
	at := strings.TrimPrefix(c.Peer, "http://")
	copied.start(true)
	s := copied.await("STATUS=failed: the member that this node remembers runs on another machine")
	if !strings.Contains(s, at+" already is member "+id+"; its data is here too") {
		t.Errorf("it says %s", s)
	}
	copied.exits(76)

	copied.wipe()
	copied.start(true)
	s = copied.await("STATUS=failed: the member that this node remembers runs on another machine")
	if !strings.Contains(s, at+" already is member "+id) || !strings.Contains(s, "cloned") {
		t.Errorf("it says %s", s)
	}
	copied.exits(76)
	copied.nothingBegun()
	if !a.status().View.AllConnected() {
		t.Error("the cluster was disturbed")
	}
}
