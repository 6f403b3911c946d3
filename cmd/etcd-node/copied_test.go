package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/etcd-node/etcd-node/pkg/status"
	"github.com/etcd-node/etcd-node/test/poll"
)

// copies gives a node the data and the pin of another one, as a disk image does.
func (n *node) copies(from *node) {
	n.t.Helper()
	for from, to := range map[string]string{from.Data(): n.Data(), from.Pins(): n.Pins()} {
		if err := os.RemoveAll(to); err != nil {
			n.t.Fatal(err)
		}
		if err := os.CopyFS(to, os.DirFS(from)); err != nil {
			n.t.Fatal(err)
		}
	}
	pin := filepath.Join(n.Pins(), "pin.json") // another machine has the same path
	raw, err := os.ReadFile(pin)
	if err != nil {
		n.t.Fatal(err)
	}
	if err := os.WriteFile(pin, []byte(strings.ReplaceAll(string(raw), from.Data(), n.Data())), 0o600); err != nil {
		n.t.Fatal(err)
	}
}

// The data and the pin of a member are copied to a new machine while it is off, and
// all have the list with both: the copy waits, and ends when the member is back.
func TestCopyOfAMachineThatIsOff(t *testing.T) {
	t.Parallel()
	nodes := three(t)
	a, b, c, d := nodes[0], nodes[1], nodes[2], newNode(t, "d")
	cluster(d) // for the flags
	c.stop()
	d.copies(c)
	d.list(a, b, c, d)
	d.start(true)
	d.await("STATUS=joining: waiting: the data is of c, which the list has at another address (" + c.Peer + "), and this machine is d; " +
		"no member answers there (127.0.0.1: connection refused), so this may be a copy of a machine that is off; if machines have changed their addresses, give them back")
	if out := d.run("explain"); !strings.Contains(out, "other-entry: ") {
		t.Errorf("explain says\n%s", out)
	}
	c.up()
	at := strings.TrimPrefix(c.Peer, "http://")
	d.await("STATUS=failed: the member that this node remembers runs on another machine: " + at + " already is member ")
	d.exits(76)
	if !a.status().View.AllConnected() {
		t.Error("the cluster was disturbed")
	}
}

// A disk was moved to a new machine, and the old one is off for good: it starts on
// the operator's word, and without it when the cluster knows the new address.
func TestDiskOfAMachineThatIsOff(t *testing.T) {
	t.Parallel()
	nodes := three(t)
	a, c, d := nodes[0], nodes[2], newNode(t, "d")
	cluster(d)
	a.put("k", "v")
	id := c.status().View.MemberID
	c.stop()
	d.copies(c)
	d.list(a, nodes[1], c, d)
	d.start(true)
	d.await("STATUS=joining: waiting: the data is of c")
	d.stop()
	flags := d.flags
	d.flags = nil
	for _, f := range flags {
		if !strings.HasPrefix(f, "--initial-advertise-peer-urls=") {
			d.flags = append(d.flags, f)
		}
	}
	d.env = []string{"ETCD_INITIAL_ADVERTISE_PEER_URLS=" + c.Peer}
	d.up()
	d.holds("k", "v")
	d.env, d.flags = nil, flags
	d.stop()
	d.start(true)
	d.await("STATUS=joining: waiting: the data is of c")
	if err := a.tryShell("etcd-node ctl member update " + id + " --peer-urls=" + d.Peer + " --endpoints=" + a.Client); err != nil {
		t.Fatal(err)
	}
	d.await("READY=1")
	d.until("connected", func(st status.Status) bool { return st.View.AllConnected() })
}

// rotate moves each machine, with its data, to the address of the next, and gives it
// the entry of the list that is there.
func rotate(nodes ...*node) {
	first := nodes[0].Member
	for i, n := range nodes {
		to := first
		if i+1 < len(nodes) {
			to = nodes[i+1].Member
		}
		n.Name, n.Peer, n.Client = to.Name, to.Peer, to.Client
		n.flags = append(n.Flags(), "--heartbeat-interval=50", "--election-timeout=500")
	}
}

func misplaced(st status.Status) bool {
	return strings.Contains(st.Line(), "at that address is another member now (")
}

// Two machines get each other's address. Both start, also where one of them is
// stock etcd, and with the third one there is a quorum, which can be told where they
// are.
func TestSwappedMachines(t *testing.T) {
	t.Parallel()
	for _, stock := range []bool{false, true} {
		name := map[bool]string{false: "etcd-node", true: "stock etcd"}[stock]
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			nodes := three(t)
			a, b, c := nodes[0], nodes[1], nodes[2]
			a.put("k", "v")
			ids := []string{a.status().View.MemberID, b.status().View.MemberID}
			a.stop()
			b.stop()
			rotate(a, b)
			if stock {
				b.called = "stock-etcd"
			}
			a.start(true)
			a.await("STATUS=joining: waiting: the data is of a, which the list has at another address (" + b.Peer + "), and this machine is b")
			b.start(true)
			a.until("misplaced", misplaced)
			if !stock {
				b.until("misplaced", misplaced)
			}
			c.put("k", "w")
			update := func(id, url string) {
				poll.Eventually(t, func() error {
					return c.tryShell("etcd-node ctl member update " + id + " --peer-urls=" + url + " --endpoints=" + c.Client)
				})
			}
			if c.tryShell("etcd-node ctl member update "+ids[0]+" --peer-urls="+a.Peer+" --endpoints="+c.Client) == nil {
				t.Error("etcd takes an address that another member has: say so in other-entry")
			}
			update(ids[1], "http://127.0.0.1:1")
			update(ids[0], a.Peer)
			update(ids[1], b.Peer)
			c.until("connected", func(st status.Status) bool { return st.View.AllConnected() })
			a.until("at its place", func(st status.Status) bool { return st.Ready && st.View.AllConnected() && !misplaced(st) })
			a.holds("k", "w")
			b.holds("k", "w")
		})
	}
}

// Three machines get each other's addresses: none can reach another, as with stock
// etcd, but all are up, and serve as soon as they have their own again.
func TestRotatedMachines(t *testing.T) {
	t.Parallel()
	nodes := three(t)
	a, b, c := nodes[0], nodes[1], nodes[2]
	a.put("k", "v")
	for _, n := range nodes {
		n.stop()
	}
	rotate(nodes...)
	for _, n := range nodes {
		n.start(true)
	}
	for _, n := range nodes {
		n.until("misplaced", misplaced)
	}
	for _, n := range nodes {
		n.stop()
	}
	rotate(c, b, a)
	for _, n := range nodes {
		n.start(true)
	}
	for _, n := range nodes {
		n.await("READY=1")
	}
	c.holds("k", "v")
}
