package main

import (
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

// pasted are the commands that a text has for etcdctl, between backquotes or from
// its name on.
func pasted(text string) (commands []string) {
	for i, part := range strings.Split(text, "`") {
		if i%2 == 1 && strings.HasPrefix(part, "etcdctl ") {
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
	_, cmd, _ := strings.Cut(st.Line(), "etcdctl member update")
	cmd = "etcdctl member update" + strings.SplitN(cmd, "`", 2)[0]
	c.shell(cmd)
	c.await("READY=1")
	for _, n := range []*node{a, c} {
		n.with(3)
	}
	a.put("k", "v")
	c.holds("k", "v")
}
