package main

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/etcdctl/v3/ctlv3"
	"go.etcd.io/etcd/etcdutl/v3/etcdutl"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"go.uber.org/zap"

	"github.com/etcd-node/etcd-node/pkg/status"
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

// patience bounds every wait for something that must happen; it is this long
// because the machine may be loaded, not because anything takes so long.
const patience = 60 * time.Second

// node is one daemon in real processes on loopback, with a socket that plays
// systemd.
type node struct {
	t      *testing.T
	name   string
	dir    string
	peer   string // URLs
	client string
	flags  []string
	env    []string
	called string // the program's name; "" is etcd-node
	stream bool   // stderr is a socket, as systemd's to the journal

	cmd  *exec.Cmd
	told chan string // by sd_notify
	done chan error

	mu    sync.Mutex
	log   []string
	notes []string // all datagrams so far
}

// newNode reserves two ports for a node.
func newNode(t *testing.T, name string) *node {
	t.Helper()
	var ports []int
	for range 2 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return &node{
		t: t, name: name, dir: t.TempDir(),
		peer:   fmt.Sprintf("http://127.0.0.1:%d", ports[0]),
		client: fmt.Sprintf("http://127.0.0.1:%d", ports[1]),
	}
}

// cluster gives nodes one static cluster list.
func cluster(nodes ...*node) {
	var list []string
	for _, n := range nodes {
		list = append(list, n.name+"="+n.peer)
	}
	for _, n := range nodes {
		n.flags = []string{
			"--name=" + n.name, "--data-dir=" + filepath.Join(n.dir, "data"),
			"--listen-peer-urls=" + n.peer, "--initial-advertise-peer-urls=" + n.peer,
			"--listen-client-urls=" + n.client, "--advertise-client-urls=" + n.client,
			"--initial-cluster=" + strings.Join(list, ","),
			// Short, so that the tests are; long enough for a loaded machine.
			"--heartbeat-interval=50", "--election-timeout=500",
		}
	}
}

func (n *node) environ() []string {
	return []string{
		"PATH=" + os.Getenv("PATH"), "RUNTIME_DIRECTORY=" + n.dir, "LOGS_DIRECTORY=" + filepath.Join(n.dir, "log"),
		"STATE_DIRECTORY=" + filepath.Join(n.dir, "data") + ":" + filepath.Join(n.dir, "pin"),
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
	exe, err := os.Executable()
	if err != nil {
		n.t.Fatal(err)
	}
	cmd := &exec.Cmd{Path: exe, Args: append([]string{"etcd-node"}, args...), Env: n.environ(), Dir: n.dir}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// single is a cluster of one.
func single(t *testing.T) *node {
	n := newNode(t, "a")
	cluster(n)
	return n
}

// start starts the daemon; managed says whether systemd waits for it.
func (n *node) start(managed bool, extra ...string) {
	n.t.Helper()
	exe, err := os.Executable()
	if err != nil {
		n.t.Fatal(err)
	}
	n.cmd = &exec.Cmd{
		Path: exe, Args: slices.Concat([]string{cmp.Or(n.called, "etcd-node")}, n.flags, extra),
		Dir: n.dir,
		// Should this test binary be killed, so is the daemon, and its member.
		SysProcAttr: &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL},
	}
	// As the unit gives them: control socket, flight recorder, pin.
	n.cmd.Env = append(n.environ(), n.env...)
	for _, dir := range []string{"log", "pin"} {
		if err := os.MkdirAll(filepath.Join(n.dir, dir), 0o700); err != nil {
			n.t.Fatal(err)
		}
	}
	told := make(chan string, 1000)
	n.told = told
	if managed {
		path := filepath.Join(n.dir, "notify")
		os.Remove(path)
		c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
		if err != nil {
			n.t.Fatal(err)
		}
		n.t.Cleanup(func() { c.Close() })
		n.cmd.Env = append(n.cmd.Env, "NOTIFY_SOCKET="+path)
		go func() {
			buf := make([]byte, 64<<10)
			for {
				k, err := c.Read(buf)
				if err != nil {
					return
				}
				n.mu.Lock()
				n.notes = append(n.notes, string(buf[:k]))
				n.mu.Unlock()
				told <- string(buf[:k])
			}
		}()
	}
	var stderr io.Reader
	if n.stream {
		stderr = journalStream(n.t, n.cmd)
	} else if stderr, err = n.cmd.StderrPipe(); err != nil {
		n.t.Fatal(err)
	}
	if err := n.cmd.Start(); err != nil {
		n.t.Fatal(err)
	}
	n.cmd.Stderr.(io.Closer).Close() // the daemon alone has that end now
	cmd, done := n.cmd, make(chan error, 1)
	n.done = done
	go func() {
		lines := bufio.NewScanner(stderr)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			n.mu.Lock()
			n.log = append(n.log, lines.Text())
			n.mu.Unlock()
		}
		io.Copy(io.Discard, stderr)
		done <- cmd.Wait()
	}()
	n.t.Cleanup(func() {
		cmd.Process.Kill()
		if n.t.Failed() {
			n.t.Logf("log of %s:\n%s", n.name, strings.Join(n.lines(), "\n"))
		}
	})
}

func (n *node) lines() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.log)
}

// await waits until systemd is told something that begins with prefix.
func (n *node) await(prefix string) string {
	n.t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case s := <-n.told:
			if strings.HasPrefix(s, prefix) {
				return s
			}
		case err := <-n.done:
			n.done <- err
			// What it said last is still in the socket.
			select {
			case s := <-n.told:
				if strings.HasPrefix(s, prefix) {
					return s
				}
				continue
			case <-time.After(time.Second):
			}
			n.t.Fatalf("%s ended (%v) before it said %q", n.name, err, prefix)
		case <-deadline:
			n.t.Fatalf("%s did not say %q", n.name, prefix)
		}
	}
}

// exit waits for the daemon's end and returns its exit code.
func (n *node) exit() int {
	n.t.Helper()
	select {
	case err := <-n.done:
		n.done <- err
		return n.cmd.ProcessState.ExitCode()
	case <-time.After(patience):
		n.t.Fatalf("%s did not end", n.name)
		return -1
	}
}

func (n *node) stop() int {
	n.t.Helper()
	n.cmd.Process.Signal(syscall.SIGTERM)
	return n.exit()
}

// readies counts how often READY=1 was said.
func (n *node) readies() (count int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, s := range n.notes {
		if strings.HasPrefix(s, "READY=1") {
			count++
		}
	}
	return count
}

// status asks the daemon, as `etcd-node status -o json` does.
func (n *node) status() status.Status {
	n.t.Helper()
	st, err := n.ask()
	if err != nil {
		n.t.Fatal(err)
	}
	return st
}

func (n *node) ask() (status.Status, error) {
	st, _, err := askStatus(n.t.Context(), world{environ: []string{"RUNTIME_DIRECTORY=" + n.dir}})
	return st, err
}

// until polls the status until it is as wanted.
func (n *node) until(what string, ok func(status.Status) bool) status.Status {
	n.t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		st, err := n.ask()
		if err == nil && ok(st) {
			return st
		}
		if time.Now().After(deadline) {
			n.t.Fatalf("%s: not %s: %s (%v)", n.name, what, st.Line(), err)
		}
	}
}

func serving(st status.Status) bool { return st.State == status.Serving }

func (n *node) etcd() *clientv3.Client {
	n.t.Helper()
	c, err := clientv3.New(clientv3.Config{Endpoints: []string{n.client}, DialTimeout: patience, Logger: zap.NewNop()})
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

func (n *node) get(key string) string {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(n.t.Context(), patience)
	defer cancel()
	r, err := n.etcd().Get(ctx, key)
	if err != nil {
		n.t.Fatal(err)
	}
	if len(r.Kvs) == 0 {
		return ""
	}
	return string(r.Kvs[0].Value)
}

// gone waits until no process has the pid.
func gone(t *testing.T, pid int) {
	t.Helper()
	for deadline := time.Now().Add(patience); syscall.Kill(pid, 0) == nil; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("process %d is still there", pid)
		}
	}
}
