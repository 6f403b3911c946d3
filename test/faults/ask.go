package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/status"
)

// until asks until the status is as wanted, and returns when that was.
func (n *local) until(what string, ok func(status.Status) bool) (status.Status, time.Time) {
	st, err := n.Until(n.s.ctx, what, ok)
	n.s.must(err)
	return st, time.Now()
}

// condition waits until the catalogue's entry is shown as what is wrong now,
// and in the status line, if that is how it is shown.
func (n *local) condition(id string) (line string, at time.Time) {
	st, at := n.until("showing "+id, func(st status.Status) bool {
		return slices.ContainsFunc(st.AllConditions(), func(c status.Condition) bool { return c.ID == id })
	})
	n.explained(id)
	return st.Line(), at
}

// member is the member process now.
func (n *local) member() int {
	st, _ := n.until("running a member", func(st status.Status) bool { return st.MemberPID != 0 })
	return st.MemberPID
}

// command runs one of etcd-node's commands beside the daemon, as its user.
func (n *local) command(args ...string) string {
	out, err := n.try(args...)
	if err != nil {
		n.s.fail("etcd-node %s: %v: %s", strings.Join(args, " "), err, out)
	}
	return out
}

// try is a command that may fail.
func (n *local) try(args ...string) (string, error) {
	cmd := exec.CommandContext(n.s.ctx, n.s.binary, args...)
	cmd.Dir, cmd.Env, cmd.SysProcAttr = n.Dir, n.environ(), n.as()
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// explained makes sure that `etcd-node explain` explains the entry, with this
// node's own values in the commands, except for those that cannot be known.
func (n *local) explained(id string, unknown ...string) {
	out := n.command("explain")
	if strings.Contains(out, "etcd-node explain "+id+" tells more") { // it is over
		out = n.command("explain", id)
	}
	i := slices.IndexFunc(failure.All(), func(e failure.Entry) bool { return e.ID == id })
	if i < 0 {
		n.s.fail("the catalogue has no entry %s", id)
	}
	e := failure.All()[i]
	if !strings.Contains(strings.Join(strings.Fields(out), " "), e.ID+": "+e.Cause) {
		n.s.fail("explain does not explain %s, it says: %s", id, n.essence(out))
	}
	if len(e.Next) > 0 && !strings.Contains(out, "What to do") {
		n.s.fail("explain says no next step: %s", out)
	}
	for _, x := range []string{"DATA-DIR", "MEMBER-NAME", "PEER-URLS", "MEMBER-ID"} {
		if strings.Contains(out, x) && !slices.Contains(unknown, x) {
			n.s.fail("explain leaves %s to the reader", x)
		}
	}
}

// etcd is a client of this member alone.
func (n *local) etcd() *clientv3.Client {
	c, err := n.Dial()
	n.s.must(err)
	n.s.undo = append(n.s.undo, func() { c.Close() })
	return c
}

// put writes a new key through this member; the stage remembers it.
func (n *local) put() {
	key := fmt.Sprintf("acknowledged-%d", len(n.s.acked))
	ctx, cancel := context.WithTimeout(n.s.ctx, patience)
	defer cancel()
	if _, err := n.etcd().Put(ctx, key, key); err != nil {
		n.s.fail("put through %s: %w", n.Name, err)
	}
	n.s.acked = append(n.s.acked, key)
}

// kept makes sure that every acknowledged write is there, and another one is
// taken.
func (n *local) kept() {
	c := n.etcd()
	ctx, cancel := context.WithTimeout(n.s.ctx, patience)
	defer cancel()
	for _, key := range n.s.acked {
		r, err := c.Get(ctx, key)
		if err != nil {
			n.s.fail("get through %s: %w", n.Name, err)
		}
		if len(r.Kvs) != 1 || string(r.Kvs[0].Value) != key {
			n.s.fail("%s has lost the acknowledged write %s", n.Name, key)
		}
	}
	n.put()
}

// back waits until it serves, with all that was acknowledged, and returns when
// it did since the cause was gone.
func (n *local) back(gone time.Time) (line string, took time.Duration) {
	x := n.serves()
	n.kept()
	return n.essence(x.Text), x.At.Sub(gone)
}

// refused waits until the daemon has ended for good because of the entry, and
// makes sure that cause, next step and exit code are the catalogue's.
func (n *local) refused(id string, unknown ...string) (seen string, took time.Duration) {
	x := n.await("STATUS=failed: ")
	code := n.exit()
	want := failure.New(id, "")
	if !strings.HasPrefix(x.Text, "STATUS=failed: "+want.Cause) {
		n.s.fail("it says %q, want %s", n.essence(x.Text), id)
	}
	if len(want.Next) > 0 && !strings.Contains(x.Text, "; next: ") {
		n.s.fail("it says no next step: %q", x.Text)
	}
	if code != want.Exit {
		n.s.fail("exit code %d, want %d", code, want.Exit)
	}
	n.explained(id, unknown...)
	return n.essence(x.Text), x.At.Sub(n.begun)
}

// waits waits until the member is down because of the entry, and will be tried
// again.
func (n *local) waits(id string) (seen string, at time.Time) {
	x := n.await("STATUS=backoff: " + failure.New(id, "").Cause)
	n.explained(id)
	return n.essence(x.Text), x.At
}

// essence is what a status line says, without directories, next steps and the
// pace of retries.
func (n *local) essence(line string) string {
	line = strings.TrimPrefix(line, "STATUS=")
	line = strings.ReplaceAll(line, n.s.dir+"/", "")
	line, _, _ = strings.Cut(line, "; next: ")
	line, _, _ = strings.Cut(line, "; next attempt ")
	return shorten(line)
}

// then is what it said before, and that it serves.
func then(seen, line string) string {
	line, _, _ = strings.Cut(line, ", restarted ") // for what has been said
	return seen + "; then " + line
}

// shorten keeps what fits a cell of the table: the beginning, and the end,
// where etcd says what is wrong after it has quoted everything.
func shorten(text string) string {
	// This program, where it is what is in the way: where it lies is of no interest.
	text = strings.ReplaceAll(text, os.Args[0], filepath.Base(os.Args[0]))
	const head, tail = 150, 90
	if r := []rune(text); len(r) > head+tail {
		return string(r[:head]) + " … " + string(r[len(r)-tail:])
	}
	return text
}
