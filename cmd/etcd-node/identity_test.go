package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/etcd-node/etcd-node/test/poll"
)

// wipe empties the data dir, as a disk that is not mounted does.
func (n *node) wipe() {
	n.t.Helper()
	if err := os.Rename(n.Data(), n.Data()+fmt.Sprint(".kept", time.Now().UnixNano())); err != nil {
		n.t.Fatal(err)
	}
	if err := os.Mkdir(n.Data(), 0o700); err != nil {
		n.t.Fatal(err)
	}
}

// awaitsDisk: it waits for its disk, says why, and touches nothing.
func (n *node) awaitsDisk(texts ...string) {
	n.t.Helper()
	s := n.await("STATUS=joining: waiting for its disk to be mounted: the data dir ")
	for _, want := range append(texts, "is empty where a member used to be") {
		if !strings.Contains(s, want) {
			n.t.Errorf("%q lacks %q", s, want)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(n.Data(), "*")); len(left) > 0 {
		n.t.Errorf("it began something: %v", left)
	}
}

// refusedAlone: the same without systemd, where it ends at once.
func (n *node) refusedAlone(texts ...string) {
	n.t.Helper()
	n.exits(66)
	log := strings.Join(n.Lines(), "\n")
	for _, want := range append(texts, "the data dir is empty where a member used to be") {
		if !strings.Contains(log, want) {
			n.t.Errorf("the log lacks %q", want)
		}
	}
	n.ForgetLines()
	if left, _ := filepath.Glob(filepath.Join(n.Data(), "*")); len(left) > 0 {
		n.t.Errorf("it began something: %v", left)
	}
}

// The data disk of a single member is not mounted: no new cluster, and once it
// is back so is everything.
func TestEmptyDataDirOfOne(t *testing.T) {
	t.Parallel()
	n := running(t)
	n.put("k", "v")
	id := n.status().View.MemberID
	n.stop()
	n.wipe()
	n.start(false)
	n.refusedAlone(id)
	n.start(true)
	n.awaitsDisk(id)
	if out := n.run("explain"); !strings.Contains(out, "findmnt -T "+n.Data()) || !strings.Contains(out, "etcd-node forget") || !strings.Contains(out, id) {
		t.Errorf("explain says\n%s", out)
	}
	n.stop()                                                                             // while it waits
	if out := n.run("history"); !strings.Contains(out, "wiped: the data dir is empty") { // of the start without systemd
		t.Errorf("history says\n%s", out)
	}

	kept, err := filepath.Glob(n.Data() + ".kept*")
	if err != nil || len(kept) != 1 {
		t.Fatal(kept, err)
	}
	if err := os.Remove(n.Data()); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(kept[0], n.Data()); err != nil {
		t.Fatal(err)
	}
	n.up()
	n.holds("k", "v")
	// A daemon that runs is told, also one that does not answer.
	for _, signal := range []syscall.Signal{syscall.SIGSTOP, syscall.SIGCONT} {
		n.signal(signal)
		if out, err := n.try("forget"); err == nil || !strings.Contains(out, "daemon is") {
			t.Errorf("after %v forget says %q, %v", signal, out, err)
		}
	}
	n.stop()

	// A new beginning takes the operator's word.
	n.wipe()
	if out := n.run("forget"); !strings.Contains(out, "forgotten: member "+id) {
		t.Errorf("forget says %q", out)
	}
	n.up()
	n.stop()
}

// One of three: with the pin it is refused because the others list no new
// member; without, the cluster tells, and the panic of "existing" is explained.
func TestWipedMember(t *testing.T) {
	t.Parallel()
	nodes := three(t)
	a, c := nodes[0], nodes[2]
	id := c.status().View.MemberID
	c.stop()
	c.wipe()
	for _, state := range []string{"new", "existing"} {
		c.start(false, "--initial-cluster-state="+state)
		c.refusedAlone(id)
		c.start(true, "--initial-cluster-state="+state)
		c.awaitsDisk(id)
		poll.Eventually(t, func() error { // until the others have said no
			if out := c.run("explain"); !strings.Contains(out, "etcd-node ctl member remove "+id) {
				return fmt.Errorf("explain says\n%s", out)
			}
			return nil
		})
		c.stop()
	}
	c.run("forget")
	for _, state := range []string{"new", "existing"} {
		c.start(true, "--initial-cluster-state="+state)
		c.await("STATUS=failed: the cluster knows this member and counts on its data, but the data dir is empty")
		c.exits(66)
		c.wipe()
	}
	if !a.status().View.Ready {
		t.Error("the others do not serve")
	}
}

// The documented replacement: removed, added, empty; with the configuration of
// all nodes, and with what etcd would want. The pin stands
// in nobody's way, and is the new member's afterwards.
func TestReplacement(t *testing.T) {
	t.Parallel()
	for _, state := range []string{"new", "existing"} {
		t.Run(state, func(t *testing.T) { t.Parallel(); replacement(t, state) })
	}
}

func replacement(t *testing.T, state string) {
	nodes := three(t)
	a, c := nodes[0], nodes[2]
	a.put("k", "v")
	before := c.status().View.MemberID
	c.stop()
	c.wipe()
	cli := a.etcd()
	members, err := cli.MemberList(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// etcd refuses for 5 s after a start: "unhealthy cluster".
	for _, m := range members.Members {
		if m.Name == "c" {
			poll.Eventually(t, func() error { _, err := cli.MemberRemove(t.Context(), m.ID); return err })
		}
	}
	// Not yet added: it is not its replacement.
	c.start(true, "--initial-cluster-state="+state)
	c.awaitsDisk()
	c.stop()

	// Interrupted when its WAL is there, before it serves.
	poll.Eventually(t, func() error { _, err := cli.MemberAdd(t.Context(), []string{c.Peer}); return err })
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	// Nobody answers at first, as where the network comes up a moment later.
	freeze := func(sig syscall.Signal) {
		for _, n := range nodes[:2] {
			syscall.Kill(n.status().MemberPID, sig)
		}
	}
	freeze(syscall.SIGSTOP)
	unanswered := func() {
		c.start(true, "--initial-cluster-state="+state, "--listen-metrics-urls=http://"+busy.Addr().String())
		c.await("STATUS=joining: asking the cluster whether this node replaces a member; no answer yet")
	}
	unanswered()
	c.stop() // while it waits
	unanswered()
	freeze(syscall.SIGCONT)
	c.await("STATUS=backoff: a port of this member is in use")
	busy.Close()
	c.await("READY=1")
	c.holds("k", "v")
	after := c.status().View.MemberID
	if after == before {
		t.Error("it has the same ID")
	}
	c.stop()
	c.start(true) // from now on it is this one
	c.await("READY=1")
	c.stop()
}

// What explain prints where the data is gone may be pasted as it stands, from the
// first line to the last: the node joins by itself in between, and keeps what it
// has from then on.
func TestWipedIsPasted(t *testing.T) {
	t.Parallel()
	nodes := three(t)
	a, c := nodes[0], nodes[2]
	a.put("k", "v")
	c.stop()
	c.wipe()
	c.start(true)
	c.awaitsDisk()
	commands, joined := c.explained("wiped"), ""
	for _, command := range commands {
		c.paste(command, a)
		if strings.HasPrefix(command, "etcd-node ctl member add ") {
			c.await("READY=1")
			joined = c.status().View.MemberID
		}
	}
	if joined == "" || !strings.Contains(commands[len(commands)-1], "start") {
		t.Fatalf("it was not added, or not started: %q", commands)
	}
	c.await("READY=1")
	c.holds("k", "v")
	if id := c.status().View.MemberID; id != joined {
		t.Errorf("it joined as %s, and is %s", joined, id)
	}
	if moved, _ := filepath.Glob(filepath.Join(c.Data(), "member.*")); len(moved) > 0 {
		t.Errorf("its data was moved away: %v", moved)
	}
	c.stop()
}

// Data of another member where this one's should be.
func TestOtherIdentity(t *testing.T) {
	t.Parallel()
	n, other := single(t), single(t)
	for _, x := range []*node{n, other} {
		x.up()
		x.stop()
	}
	n.wipe()
	if err := os.Remove(n.Data()); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(other.Data(), n.Data()); err != nil {
		t.Fatal(err)
	}
	n.start(true)
	n.await("STATUS=failed: the data dir holds the data of another member")
	n.exits(76)
	n.run("forget")
	n.start(true) // a disk that moved
	n.await("READY=1")
	n.stop()
}

// A pin that cannot be read is no permission to begin anew, and no reason not
// to go on.
func TestDamagedPin(t *testing.T) {
	t.Parallel()
	n := running(t)
	n.stop()
	pin := filepath.Join(n.Dir, "pin/pin.json")
	if err := os.WriteFile(pin, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	n.up()
	poll.Eventually(t, func() error {
		if raw, _ := os.ReadFile(pin); !strings.Contains(string(raw), n.status().View.MemberID) {
			return fmt.Errorf("the pin was not written anew: %s", raw)
		}
		return nil
	})
	n.stop()
	if err := os.WriteFile(pin, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	n.wipe()
	n.start(false)
	n.refusedAlone("the pin is damaged: " + pin)
	n.start(true)
	n.awaitsDisk("the pin is damaged: " + pin)
}

// Data of a cluster of one on loopback, and a configuration of three machines.
func TestLoopbackData(t *testing.T) {
	t.Parallel()
	n := running(t)
	n.put("k", "v")
	n.stop()
	cluster := func(list string) {
		n.flags = slices.DeleteFunc(n.flags, func(f string) bool { return strings.HasPrefix(f, "--initial-cluster=") })
		n.flags = append(n.flags, "--initial-cluster=a="+n.Peer+list)
	}
	cluster(",b=http://192.0.2.1:2380,c=http://192.0.2.2:2380")
	n.start(true)
	n.await("STATUS=failed: the data is that of a cluster of one on loopback")
	n.exits(78)
	// If it counts: it serves alone, and gets another peer URL.
	commands := n.explained()
	cluster("")
	n.up()
	n.shell(commands[slices.IndexFunc(commands, func(c string) bool { return strings.HasPrefix(c, "etcd-node ctl member update ") })])
	n.stop()
	// All on one machine: this one may well be what is left of three.
	cluster(",b=http://127.0.0.1:1,c=http://127.0.0.1:2")
	n.up()
	n.stop()
}

// The recipe that explain prints brings a cluster back to what a snapshot
// holds, on all its hosts, also on one whose data is lost.
func TestExplainedRestore(t *testing.T) {
	t.Parallel()
	nodes := three(t)
	a := nodes[0]
	a.put("k", "in the snapshot")
	snapshot := filepath.Join(a.Dir, "snapshot.db")
	a.shell("etcd-node ctl snapshot save " + snapshot + " --endpoints=" + a.Client)
	a.put("k", "later")
	recipes := map[*node][]string{}
	for _, n := range nodes {
		recipes[n] = recipe(n.explained("no-quorum"), snapshot)
	}
	for _, n := range nodes {
		n.stop()
	}
	nodes[2].wipe()
	for _, n := range nodes {
		for _, c := range recipes[n] {
			n.shell(c)
		}
	}
	for _, n := range nodes {
		n.start(true)
	}
	for _, n := range nodes {
		n.await("READY=1")
		n.holds("k", "in the snapshot")
	}
}

// A snapshot that was restored without the list is refused, and explain has
// the way out of it.
func TestExplainedRestoreWithoutList(t *testing.T) {
	t.Parallel()
	n := running(t)
	n.put("k", "v")
	snapshot := filepath.Join(n.Dir, "snapshot.db")
	n.shell("etcd-node ctl snapshot save " + snapshot + " --endpoints=" + n.Client)
	n.stop()
	n.wipe()
	n.shell("etcd-node utl snapshot restore " + snapshot + " --data-dir=new; mkdir -p data; mv -T new/member data/member; etcd-node forget")
	n.flags = slices.DeleteFunc(n.flags, func(f string) bool { return strings.HasPrefix(f, "--initial-cluster=") })
	n.flags = append(n.flags, "--initial-cluster=a="+n.Peer+",b=http://192.0.2.1:2380,c=http://192.0.2.2:2380")
	n.start(true)
	n.await("STATUS=failed: the data is that of a cluster of one on loopback")
	n.exit()
	out := n.run("explain")
	for _, want := range []string{"a snapshot was restored without --initial-cluster", "etcd-node ctl member update 8e9e05c52164694d "} { // etcd's default ID
		if !strings.Contains(strings.Join(strings.Fields(out), " "), want) {
			t.Errorf("explain has no %q:\n%s", want, out)
		}
	}
	for _, c := range recipe(n.explained(), snapshot) {
		n.shell(c)
	}
	n.start(true)
	n.await("STATUS=joining: 1 of 3 members")
	n.stop()
}
