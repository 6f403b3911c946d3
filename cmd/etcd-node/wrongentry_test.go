package main

import (
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/status"
	"github.com/etcd-node/etcd-node/test/loopback"
)

// lists gives a node another list than the others'.
func (n *node) lists(entries ...string) {
	n.flags = slices.DeleteFunc(n.flags, func(f string) bool { return strings.HasPrefix(f, "--initial-cluster=") })
	n.flags = append(n.flags, "--initial-cluster="+strings.Join(entries, ","))
}

// pasted are the commands that a text has for etcd-node ctl, between backquotes or from
// its name on.
func pasted(text string) (commands []string) {
	for i, part := range strings.Split(text, "`") {
		if i%2 == 1 && strings.HasPrefix(part, "etcd-node ctl ") {
			commands = append(commands, part)
		}
	}
	return commands
}

// Two machines have the third at a wrong address in their list, and begin. The
// third, whose list is right, says what is to be done, and so do the two; that
// works, and then it joins by itself.
func TestWrongEntryAtTheFirstStart(t *testing.T) {
	t.Parallel()
	a, b, c := abc(t)
	phantom := "http://" + loopback.Address()
	right := []string{"a=" + a.Peer, "b=" + b.Peer, "c=" + c.Peer}
	wrong := []string{"a=" + a.Peer, "b=" + b.Peer, "c=" + phantom}
	a.lists(wrong...)
	b.lists(wrong...)
	a.start(true)
	b.start(true)
	a.await("READY=1")
	b.await("READY=1")
	c.start(true)
	st := c.until("told of the member", func(st status.Status) bool { return strings.Contains(st.Line(), "never started") })
	text := conditions(st, failure.IDNotListed)
	if text == "" {
		text = st.Line()
	}
	if strings.Contains(text, "member add") || strings.Contains(text, "token") || !strings.Contains(text, ") at "+phantom+" that has never started") {
		t.Errorf("%s", st.Line())
	}
	// With the list corrected, they say the same.
	a.stop()
	a.lists(right...)
	a.up()
	has := a.until("told of the other URL", func(st status.Status) bool {
		return strings.Contains(st.Line(), "never started") && serving(st)
	})
	warned := conditions(has, failure.IDNeverStarted)
	own := pasted(warned)
	if len(own) == 0 || !strings.Contains(own[0], "member update") || !strings.Contains(own[0], "--peer-urls="+c.Peer) {
		t.Fatalf("a says %s", has.Line())
	}
	_, cmd, _ := strings.Cut(st.Line(), "etcd-node ctl member update")
	cmd = "etcd-node ctl member update" + strings.SplitN(cmd, "`", 2)[0]
	c.shell(cmd)
	c.await("READY=1")
	for _, n := range []*node{a, c} {
		n.with(3)
	}
	a.put("k", "v")
	c.holds("k", "v")
}

// relisted lets all about peers be derived, with this text for a node's own entry.
func relisted(own *node, entry string, others ...*node) {
	list := []string{entry}
	for _, n := range others {
		list = append(list, n.Name+"="+n.Peer)
	}
	own.flags = []string{
		"--data-dir=" + own.Data(), "--listen-client-urls=" + own.Client, "--advertise-client-urls=" + own.Client,
		"--initial-cluster=" + strings.Join(list, ","), "--heartbeat-interval=50", "--election-timeout=500",
	}
}

// The name in the list is mistyped for a member with data: it is renamed in the
// cluster, and says so.
func TestRenamedByTheList(t *testing.T) {
	t.Parallel()
	a, b, c := newNode(t, "a"), newNode(t, "b"), newNode(t, "c")
	listed("http", nil, a, b, c)
	for _, n := range []*node{a, b, c} {
		n.start(true)
	}
	for _, n := range []*node{a, b, c} {
		n.await("READY=1")
	}
	b.stop()
	relisted(b, "b2="+b.Peer, a, c)
	b.flags = append(b.flags, "--name=b2")
	const want = "this member was called b in the cluster; it is now b2, as the list says"
	if out := b.config(); !strings.Contains(out, "etcd-node: notice: "+want) {
		t.Errorf("config does not say so:\n%s", out)
	}
	b.up()
	if log := strings.Join(b.Lines(), "\n"); !strings.Contains(log, want) {
		t.Error("the start does not say so")
	}
	b.until("well", whole)
}

// ownAddress is one of this machine's that a list may have: not of loopback.
func ownAddress(t *testing.T) string {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Is4() && p.Addr().IsGlobalUnicast() {
			return p.Addr().String()
		}
	}
	t.Skip("this machine has loopback only")
	return ""
}

// The own address in the list is mistyped for a member with data: it serves at the
// one of the data, `config` says the same as the daemon, and what is to be done.
func TestOwnEntryMistyped(t *testing.T) {
	t.Parallel()
	own := ownAddress(t)
	a, b, c := newNode(t, "a"), newNode(t, "b"), newNode(t, "c")
	b.Peer = strings.Replace(b.Peer, "127.0.0.1", own, 1)
	listed("http", nil, a, b, c)
	for _, n := range []*node{a, b, c} {
		n.start(true)
	}
	for _, n := range []*node{a, b, c} {
		n.await("READY=1")
	}
	b.stop()
	wrong := strings.Replace(b.Peer, own, "203.0.113.66", 1)
	relisted(b, "b="+wrong, a, c)
	b.flags = append(b.flags, "--name=b")
	b.up()
	want := "the data knows this member under " + b.Peer + ", the list says " + wrong + ": the data counts, and it listens there; correct the list, or, if it is to move there, first `etcd-node ctl member update"
	b.until("warned", func(st status.Status) bool {
		return serving(st) && strings.Contains(conditions(st, failure.IDOtherURLs), want)
	})
	for range 2 { // while it runs its database is locked
		if out := b.config(); !strings.Contains(out, "etcd-node: notice: "+want) || strings.Contains(out, "no interface") {
			t.Errorf("config does not say so:\n%s", out)
		}
		if !b.Over() {
			b.stop()
		}
	}
}
