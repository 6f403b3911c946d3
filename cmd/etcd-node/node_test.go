package main

import (
	"cmp"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/etcdctl/v3/ctlv3"
	"go.etcd.io/etcd/etcdutl/v3/etcdutl"
	"go.etcd.io/etcd/server/v3/etcdmain"

	"github.com/etcd-node/etcd-node/pkg/status"
	"github.com/etcd-node/etcd-node/test/daemon"
	"github.com/etcd-node/etcd-node/test/loopback"
	"github.com/etcd-node/etcd-node/test/poll"
)

// TestMain makes the test binary the program under test, in both its roles,
// when it is started under one of the program's names; and, under their names,
// what it is compared with and used by.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"etcd-node":  main,
		"etcd":       main,
		"stock-etcd": func() { etcdmain.Main(os.Args) },
		"etcdctl":    ctlv3.MustStart,
		"etcdutl": func() {
			c := &cobra.Command{Use: "etcdutl"}
			c.AddCommand(etcdutl.NewSnapshotCommand())
			if c.Execute() != nil {
				os.Exit(1)
			}
		},
	})
}

// patience bounds every wait for something that must happen.
const patience = poll.Patience

// node is one daemon of the program under test.
type node struct {
	*daemon.Daemon
	t      *testing.T
	flags  []string
	env    []string
	called string // the program's name; "" is etcd-node
	exe    string // a copy of the program; "" is this one
}

// newNode is a node without flags.
func newNode(t *testing.T, name string) *node {
	t.Helper()
	d, err := daemon.New(loopback.New(name, t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	return &node{Daemon: d, t: t}
}

// cluster gives nodes one static cluster list.
func cluster(nodes ...*node) {
	var members []*loopback.Member
	for _, n := range nodes {
		members = append(members, &n.Member)
	}
	loopback.Unite(members...)
	for _, n := range nodes {
		// Short, so that the tests are; long enough for a loaded machine.
		n.flags = append(n.Flags(), "--heartbeat-interval=50", "--election-timeout=500")
	}
}

// single is a cluster of one.
func single(t *testing.T) *node {
	n := newNode(t, "a")
	cluster(n)
	return n
}

// running is a cluster of one that serves.
func running(t *testing.T) *node {
	n := single(t)
	n.up()
	return n
}

// abc are the nodes of a cluster of three that has not been started.
func abc(t *testing.T) (a, b, c *node) {
	t.Helper()
	a, b, c = newNode(t, "a"), newNode(t, "b"), newNode(t, "c")
	cluster(a, b, c)
	return a, b, c
}

// write writes a file in the node's directory.
func (n *node) write(name string, data []byte) {
	n.t.Helper()
	if err := os.WriteFile(filepath.Join(n.Dir, name), data, 0o600); err != nil {
		n.t.Fatal(err)
	}
}

// run runs a subcommand beside the daemon and returns what it said.
func (n *node) run(args ...string) string {
	n.t.Helper()
	out, err := n.try(args...)
	if err != nil {
		n.t.Fatalf("etcd-node %s: %v: %s", strings.Join(args, " "), err, out)
	}
	return out
}

// try is a command that may fail.
func (n *node) try(args ...string) (string, error) {
	n.t.Helper()
	cmd := program(n.t, "etcd-node", args...)
	cmd.Env, cmd.Dir = n.Environ(), n.Dir
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// program is this test binary under one of the names that TestMain knows.
func program(t *testing.T, called string, args ...string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return &exec.Cmd{Path: exe, Args: append([]string{called}, args...)}
}

// start starts the daemon; managed says whether systemd waits for it.
func (n *node) start(managed bool, extra ...string) {
	n.t.Helper()
	cmd := program(n.t, cmp.Or(n.called, "etcd-node"), slices.Concat(n.flags, extra)...)
	cmd.Path = cmp.Or(n.exe, cmd.Path)
	cmd.Env = append(n.Environ(), n.env...)
	if err := n.Start(cmd, managed); err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() {
		n.Kill()
		if n.t.Failed() {
			n.t.Logf("log of %s:\n%s", n.Name, strings.Join(n.Lines(), "\n"))
		}
	})
}

// up starts the daemon under systemd and waits until it is ready.
func (n *node) up(extra ...string) {
	n.t.Helper()
	n.start(true, extra...)
	n.await("READY=1")
}

// await waits until systemd is told something that begins with prefix, after
// what was awaited before.
func (n *node) await(prefix string) string {
	n.t.Helper()
	note, err := n.Next(n.t.Context(), prefix)
	if err != nil {
		n.t.Fatal(err)
	}
	return note.Text
}

// says waits for a line of the log with this message.
func (n *node) says(msg string) {
	n.t.Helper()
	if _, err := n.Logged(n.t.Context(), `"msg":"`+msg+`"`); err != nil {
		n.t.Fatal(err)
	}
}

// exit waits for the daemon's end and returns its exit code.
func (n *node) exit() int {
	n.t.Helper()
	code, err := n.Exit(n.t.Context())
	if err != nil {
		n.t.Fatal(err)
	}
	return code
}

// exits waits for the daemon's end, with this exit code.
func (n *node) exits(code int) {
	n.t.Helper()
	if got := n.exit(); got != code {
		n.t.Errorf("%s: exit code %d, want %d", n.Name, got, code)
	}
}

// stop stops the daemon, as systemd does.
func (n *node) stop() {
	n.t.Helper()
	n.signal(syscall.SIGTERM)
	n.exits(0)
}

// signal sends the supervisor a signal.
func (n *node) signal(sig syscall.Signal) {
	n.t.Helper()
	if err := n.Signal(sig); err != nil {
		n.t.Fatal(err)
	}
}

// status asks the daemon.
func (n *node) status() status.Status {
	n.t.Helper()
	st, err := n.Status()
	if err != nil {
		n.t.Fatal(err)
	}
	return st
}

// until asks until the status is as wanted.
func (n *node) until(what string, ok func(status.Status) bool) status.Status {
	n.t.Helper()
	st, err := n.Until(n.t.Context(), what, ok)
	if err != nil {
		n.t.Fatal(err)
	}
	return st
}

func serving(st status.Status) bool { return st.State == status.Serving }

func (n *node) etcd() *clientv3.Client {
	n.t.Helper()
	c, err := n.Dial()
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() { c.Close() })
	return c
}

func (n *node) put(key, value string) {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(n.t.Context(), patience)
	defer cancel()
	if _, err := n.etcd().Put(ctx, key, value); err != nil {
		n.t.Fatal(err)
	}
}

// holds reads a key, which has this value.
func (n *node) holds(key, value string) {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(n.t.Context(), patience)
	defer cancel()
	r, err := n.etcd().Get(ctx, key)
	if err != nil {
		n.t.Fatal(err)
	}
	if len(r.Kvs) != 1 || string(r.Kvs[0].Value) != value {
		n.t.Errorf("%s: %s is %v, want %q", n.Name, key, r.Kvs, value)
	}
}

// gone waits until no process has the pid.
func gone(t *testing.T, pid int) {
	t.Helper()
	poll.Eventually(t, func() error {
		if syscall.Kill(pid, 0) == nil {
			return errors.New("the process is there")
		}
		return nil
	})
}

// flat is a text as one line: where its lines are broken is not what a test is about.
func flat(text string) string { return strings.Join(strings.Fields(text), " ") }
