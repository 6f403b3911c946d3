package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/status"
	"github.com/etcd-node/etcd-node/test/loopback"
	"github.com/etcd-node/etcd-node/test/poll"
)

// listed gives nodes one list and lets all the rest about peers be derived.
func listed(scheme string, more []string, nodes ...*node) {
	var list []string
	for _, n := range nodes {
		n.Peer = scheme + n.Peer[strings.Index(n.Peer, "://"):]
		list = append(list, n.Name+"="+n.Peer)
	}
	for _, n := range nodes {
		n.flags = append([]string{
			"--name=" + n.Name, "--data-dir=" + n.Data(), "--listen-client-urls=" + n.Client, "--advertise-client-urls=" + n.Client,
			"--initial-cluster=" + strings.Join(list, ","), "--heartbeat-interval=50", "--election-timeout=500",
		}, more...)
	}
}

// conditions are the texts of those with this ID.
func conditions(st status.Status, id string) string {
	var texts []string
	for _, c := range st.AllConditions() {
		if c.ID == id {
			texts = append(texts, c.Text)
		}
	}
	return strings.Join(texts, "\n")
}

// whole: serving, all connected, and nothing wrong.
func whole(st status.Status) bool {
	return serving(st) && st.View.AllConnected() && len(st.AllConditions()) == 0
}

// connected: the same, whatever is wrong.
func connected(st status.Status) bool { return serving(st) && st.View.AllConnected() }

// command is the first that explain prints for an entry and that begins so.
func (n *node) command(id, prefix string) string {
	n.t.Helper()
	commands := n.explained(id)
	i := slices.IndexFunc(commands, func(c string) bool { return strings.HasPrefix(c, prefix) })
	if i < 0 {
		n.t.Fatalf("explain %s has no %s: %q", id, prefix, commands)
	}
	return commands[i]
}

// A cluster of one whose list has grown to three.
func TestListNamesMore(t *testing.T) {
	t.Parallel()
	a, b, c := newNode(t, "a"), newNode(t, "b"), newNode(t, "c")
	listed("http", nil, a)
	a.up()
	if out := a.run(append([]string{"config"}, a.flags...)...); strings.Contains(out, "the data") {
		t.Errorf("a list that agrees:\n%s", out)
	}
	a.until("well", whole)
	listed("http", nil, a, b, c)
	want := fmt.Sprintf("the list names b and c, the data only this member: `etcd-node ctl member add b --learner --peer-urls=%s --endpoints=%s`", b.Peer, a.Client)
	// While the daemon runs its database is locked; it is asked instead. Nobody has
	// asked yet what lives at b and c.
	for range 2 {
		if out := a.run(append([]string{"config"}, a.flags...)...); !strings.Contains(out, "etcd-node: notice: the list names b and c, the data only this member: do not add b and c before") {
			t.Errorf("config does not say so:\n%s", out)
		}
		if !a.Over() {
			a.stop()
		}
	}
	a.up()
	st := a.until("warned", func(st status.Status) bool {
		return strings.Contains(conditions(st, failure.IDOtherMembers), "etcd-node ctl")
	})
	if text := conditions(st, failure.IDOtherMembers); !strings.HasPrefix(text, want) {
		t.Errorf("%q, want %q", text, want)
	}
	if log := strings.Join(a.Lines(), "\n"); !strings.Contains(log, "the list names b and c") {
		t.Error("the start does not say so")
	}
	a.shell(strings.NewReplacer("NAME", "b", "URL", b.Peer).Replace(a.command(failure.IDOtherMembers, "etcd-node ctl member add")))
	b.flags = append(b.flags, "--initial-cluster="+a.Name+"="+a.Peer+","+b.Name+"="+b.Peer)
	b.start(true)
	b.await("READY=1")
	st = a.until("warned of c alone, and told to promote b", func(st status.Status) bool {
		return strings.HasPrefix(conditions(st, failure.IDOtherMembers), "the list names c, the data does not") &&
			strings.Contains(st.Text(time.Now()), "etcd-node ctl member promote")
	})
	for _, x := range st.View.Members {
		if !x.Self {
			a.shell(strings.NewReplacer("ID", x.ID).Replace(a.command(failure.IDOtherMembers, "etcd-node ctl member promote")))
		}
	}
	b.until("well", whole)
}

// The nodes that the list names have begun another cluster: it is said, and none
// of them may be added. Before that is known there is no command either.
func TestListNamesAnotherCluster(t *testing.T) {
	t.Parallel()
	a, b := newNode(t, "a"), newNode(t, "b")
	listed("http", nil, b)
	b.up()
	listed("http", nil, a)
	a.up()
	a.stop()
	listed("http", nil, a, b)
	a.up()
	st := a.until("warned", func(st status.Status) bool {
		return strings.Contains(conditions(st, failure.IDOtherMembers), "another")
	})
	want := fmt.Sprintf("the list names b, the data only this member: b of the list belongs to another cluster, %s: do not add it; correct the list", b.status().View.ClusterID)
	if text := conditions(st, failure.IDOtherMembers); text != want {
		t.Errorf("%q, want %q", text, want)
	}
	for _, line := range a.Lines() {
		if strings.Contains(line, "member add") {
			t.Errorf("it has named a command: %s", line)
		}
	}
}

// peerFiles gives the nodes certificates for peers and returns the flags.
func peerFiles(nodes ...*node) (flags []string) {
	files := makePKI()
	for flag, name := range map[string]string{"cert-file": "good.crt", "key-file": "good.key", "trusted-ca-file": "ca.crt"} {
		flags = append(flags, "--peer-"+flag+"="+name)
		for _, n := range nodes {
			n.write(name, files[name])
		}
	}
	return append(flags, "--peer-client-cert-auth")
}

// A list of https over data of http: no member is down, whichever is started
// with it, and the way that explain names leads to TLS.
func TestPeersToTLS(t *testing.T) {
	t.Parallel()
	a, b, c := newNode(t, "a"), newNode(t, "b"), newNode(t, "c")
	nodes := []*node{a, b, c}
	flags := peerFiles(nodes...)
	listed("http", nil, nodes...)
	for _, n := range nodes {
		n.start(true)
	}
	for _, n := range nodes {
		n.await("READY=1")
		n.until("well", whole)
	}
	a.put("k", "v")

	// The first round: each gets the files and the list, one after the other.
	listed("https", flags, nodes...)
	for _, n := range nodes {
		n.stop()
		n.up()
		for _, other := range nodes {
			other.until("connected", connected)
		}
		st := n.until("warned", func(st status.Status) bool { return conditions(st, failure.IDOtherURLs) != "" })
		text, plain := conditions(st, failure.IDOtherURLs), strings.Replace(n.Peer, "https", "http", 1)
		for _, want := range []string{
			fmt.Sprintf("the data knows this member under %s, the list says %s: the data counts, and it listens without TLS", plain, n.Peer),
			fmt.Sprintf("first `etcd-node ctl member update %s --peer-urls=%s --endpoints=%s`, then `systemctl restart etcd`", st.View.MemberID, n.Peer, n.Client),
		} {
			if !strings.Contains(text, want) {
				t.Errorf("%q lacks %q", text, want)
			}
		}
		out := n.run(append([]string{"config"}, n.flags...)...)
		for _, other := range nodes {
			if !strings.Contains(out, "the list says "+other.Peer) {
				t.Errorf("config says nothing of %s:\n%s", other.Name, out)
			}
		}
	}

	// The second: each is told of, and started again.
	for _, n := range nodes {
		n.shell(n.command(failure.IDOtherURLs, "etcd-node ctl member update"))
		st := n.until("to be restarted", func(st status.Status) bool {
			return strings.Contains(conditions(st, failure.IDOtherURLs), "the other members dial "+n.Peer+", but this one listens there without TLS until it is restarted")
		})
		if !st.View.Ready || st.View.Leader == "" {
			t.Errorf("%s does not serve: %s", n.Name, st.Line())
		}
		n.stop()
		n.up()
		for _, other := range nodes {
			other.until("connected", connected)
		}
	}
	for _, n := range nodes {
		n.until("well", whole)
		n.holds("k", "v")
		if out := n.run(append([]string{"config"}, n.flags...)...); strings.Contains(out, "the data") {
			t.Errorf("config of a list that agrees:\n%s", out)
		}
	}

	// An old list of http without certificates says what is wrong.
	listed("http", nil, nodes...)
	c.stop()
	c.start(true)
	c.until("warned", func(st status.Status) bool {
		return strings.Contains(conditions(st, failure.IDOtherURLs), "the others are to dial it with TLS, for which it has no certificate")
	})
}

// A second member is added to a cluster of one that still stands in its data
// with http: where nobody dialed it, it listens as its list of https says. What
// the status says leads to a cluster of two.
func TestAddedBeforeUpdateToTLS(t *testing.T) {
	t.Parallel()
	a, b := newNode(t, "a"), newNode(t, "b")
	flags := peerFiles(a, b)
	listed("http", nil, a)
	a.up()
	a.put("k", "v")
	a.stop()
	listed("https", flags, a)
	a.up()
	listed("https", flags, a, b)
	cli := a.etcd()
	poll.Eventually(t, func() error { _, err := cli.MemberAdd(t.Context(), []string{b.Peer}); return err })
	const want = "the others dial it without TLS, and it listens with TLS alone until it is restarted: `systemctl restart etcd`"
	a.until("to be restarted", func(st status.Status) bool { return strings.Contains(conditions(st, failure.IDOtherURLs), want) })
	a.stop()
	a.start(true)
	b.flags = append(b.flags, "--initial-cluster=a="+strings.Replace(a.Peer, "https", "http", 1)+",b="+b.Peer)
	b.start(true)
	b.await("READY=1")
	a.await("READY=1")
	for _, n := range []*node{a, b} {
		n.until("connected", func(st status.Status) bool { return connected(st) && len(st.View.Members) == 2 })
		n.holds("k", "v")
	}
	a.shell(a.command(failure.IDOtherURLs, "etcd-node ctl member update"))
	a.stop()
	a.up()
	for _, n := range []*node{a, b} {
		n.until("well", whole)
	}
}

// Where it listens is the operator's word: then it says what is wrong with that.
func TestPeersToTLSByHand(t *testing.T) {
	t.Parallel()
	nodes := three(t)
	c := nodes[2]
	flags := peerFiles(nodes...)
	c.stop()
	plain := c.Peer
	listed("https", flags, nodes...)
	c.start(true, "--listen-peer-urls="+c.Peer)
	st := c.until("warned", func(st status.Status) bool { return conditions(st, failure.IDOtherURLs) != "" })
	want := fmt.Sprintf("the data knows this member under %s, the list says %s: the others dial it without TLS, but ETCD_LISTEN_PEER_URLS has https alone; first `etcd-node ctl member update %s --peer-urls=%s --endpoints=%s`",
		plain, c.Peer, st.View.MemberID, c.Peer, c.Client)
	if got := conditions(st, failure.IDOtherURLs); !strings.HasPrefix(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if st := nodes[0].status(); st.View.Leader == "" || !st.View.Ready {
		t.Errorf("the others do not serve: %s", st.Line())
	}
}

// The peer URLs of all members are others than those in the data: nothing is
// restored, and the cure that explain names keeps the data.
func TestAllPeerURLsChanged(t *testing.T) {
	t.Parallel()
	nodes := three(t)
	nodes[0].put("k", "v")
	old := map[*node]string{}
	for _, n := range nodes {
		n.stop()
		old[n] = n.Peer
		n.Peer = "http://" + loopback.Address()
	}
	cluster(nodes...)
	for _, n := range nodes {
		n.start(true)
	}
	for _, n := range nodes {
		st := n.until("warned", func(st status.Status) bool { return conditions(st, failure.IDOtherURLs) != "" })
		if want := fmt.Sprintf("the data knows this member under %s, the list says %s: the data counts", old[n], n.Peer); !strings.Contains(conditions(st, failure.IDOtherURLs), want) {
			t.Errorf("%q lacks %q", conditions(st, failure.IDOtherURLs), want)
		}
	}
	a := nodes[0]
	// From then on the lack of a leader counts.
	a.until("leaderless", func(st status.Status) bool { return time.Since(st.Since) > 12*time.Second })
	out := a.run("explain")
	for want, has := range map[string]bool{"snapshot restore": false, "no-quorum:": false, "other-urls:": true, "ETCD_LISTEN_PEER_URLS=http://0.0.0.0:2380": true} {
		if strings.Contains(out, want) != has {
			t.Errorf("explain has %q: %v, want %v:\n%s", want, !has, has, out)
		}
	}
	config := a.run(append([]string{"config"}, a.flags...)...)
	for _, n := range nodes {
		if want := "under " + old[n] + ", the list says " + n.Peer; !strings.Contains(config, want) {
			t.Errorf("config does not say %q:\n%s", want, config)
		}
	}

	// The old URLs beside the new ones, as 0.0.0.0 and a second address have them.
	for _, n := range nodes {
		n.stop()
		n.start(true, "--listen-peer-urls="+n.Peer+","+old[n])
	}
	for _, n := range nodes {
		n.await("READY=1")
		n.holds("k", "v")
	}
	for _, n := range nodes {
		n.shell(n.command(failure.IDOtherURLs, "etcd-node ctl member update"))
	}
	for _, n := range nodes {
		n.until("well", whole)
		n.stop()
		n.up()
	}
	for _, n := range nodes {
		n.until("well", whole)
		n.holds("k", "v")
	}
}

// A second member was added under a URL at which nobody starts: the cluster of
// one has lost its quorum, and both ways back that explain names keep the data.
func TestAddedUnderWrongURL(t *testing.T) {
	t.Parallel()
	lost := func(t *testing.T) (a *node, wrong string) {
		a = newNode(t, "a")
		listed("http", nil, a)
		a.up()
		a.put("k", "v")
		wrong = "http://" + loopback.Address()
		cli := a.etcd()
		poll.Eventually(t, func() error { _, err := cli.MemberAdd(t.Context(), []string{wrong}); return err })
		st := a.until("explained", func(st status.Status) bool { return conditions(st, failure.IDNeverStarted) != "" })
		if want := "a member was added as " + wrong + ", has never started: without it there is no quorum"; conditions(st, failure.IDNeverStarted) != want {
			t.Errorf("%q, want %q", conditions(st, failure.IDNeverStarted), want)
		}
		if out, _ := a.try("status"); !strings.Contains(flat(out), "not connected added as "+wrong+", has never started; 127.0.0.1: connection refused") {
			t.Errorf("status says\n%s", out)
		}
		out := a.run("explain")
		for want, has := range map[string]bool{"snapshot restore": false, "no-quorum:": false, "ETCD_FORCE_NEW_CLUSTER=true": true} {
			if strings.Contains(out, want) != has {
				t.Errorf("explain has %q: %v, want %v:\n%s", want, !has, has, out)
			}
		}
		return a, wrong
	}
	t.Run("started there", func(t *testing.T) {
		t.Parallel()
		a, wrong := lost(t)
		b := newNode(t, "b")
		right := b.Peer
		b.Peer = wrong
		listed("http", nil, a, b)
		b.start(true, "--initial-cluster-state=existing")
		b.await("READY=1")
		b.holds("k", "v")
		b.shell(strings.NewReplacer(" ID ", " "+b.status().View.MemberID+" ", "=URL", "="+right).Replace(b.command(failure.IDNeverStarted, "etcd-node ctl member update")))
		b.stop()
		b.Peer = right
		listed("http", nil, a, b)
		b.up()
		b.until("well", whole)
		a.until("well", func(st status.Status) bool { return connected(st) && len(st.View.Members) == 2 })
	})
	t.Run("a cluster of one again", func(t *testing.T) {
		t.Parallel()
		a, _ := lost(t)
		a.stop()
		a.env = []string{"ETCD_FORCE_NEW_CLUSTER=true"}
		a.up()
		a.env = nil
		a.stop()
		a.up()
		a.until("alone", func(st status.Status) bool { return serving(st) && len(st.View.Members) == 1 })
		a.holds("k", "v")
		a.put("k", "w")
	})
}
