package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/pkg/v3/pbutil"
	"go.etcd.io/etcd/server/v3/storage/wal"
	"go.uber.org/zap"

	"github.com/etcd-node/etcd-node/pkg/pipe"
	"github.com/etcd-node/etcd-node/pkg/status"
)

// TestMain makes the test binary the program under test, in both its roles,
// when it is started under the program's name.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"etcd-node": main})
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
		Path: exe, Args: append(append([]string{"etcd-node"}, n.flags...), extra...),
		Dir: n.dir,
		// Should this test binary be killed, so is the daemon, and its member.
		SysProcAttr: &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL},
	}
	n.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "RUNTIME_DIRECTORY=" + n.dir}, n.env...)
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
	stderr, err := n.cmd.StderrPipe()
	if err != nil {
		n.t.Fatal(err)
	}
	if err := n.cmd.Start(); err != nil {
		n.t.Fatal(err)
	}
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

func TestSingleMember(t *testing.T) {
	t.Parallel()
	n := single(t)
	n.start(true)
	n.await("STATUS=serving: leader, 1 of 1 member")
	n.await("READY=1")
	n.put("k", "v")
	if code := n.stop(); code != 0 {
		t.Errorf("exit code %d after SIGTERM", code)
	}
	n.await("STOPPING=1")
	n.await("STATUS=stopped")
	// Every line is one whole JSON object, none an error: neither start nor
	// stop is a fault.
	for _, line := range n.lines() {
		var entry struct{ Level, Msg, Caller, Ts string }
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Errorf("not JSON: %s", line)
		}
		if entry.Level == "error" || entry.Level == "fatal" || entry.Msg == "" || entry.Caller == "" || entry.Ts == "" {
			t.Errorf("line %s", line)
		}
	}
	// Its ports and locks are free at once.
	n.start(true)
	n.await("READY=1")
	if v := n.get("k"); v != "v" {
		t.Errorf("k = %q after a restart", v)
	}
	n.stop()
}

func TestMemberKilled(t *testing.T) {
	t.Parallel()
	n := single(t)
	n.start(true)
	n.await("READY=1")
	n.put("k", "v")
	first := n.status()
	syscall.Kill(first.MemberPID, syscall.SIGKILL)
	n.await("STATUS=backoff: killed by signal 9; next attempt now")
	n.await("STATUS=serving: leader, 1 of 1 member, restarted 1 time, last: killed by signal 9")
	second := n.status()
	if second.PID != first.PID || second.MemberPID == first.MemberPID || second.Restarts != 1 {
		t.Errorf("before %+v, after %+v", first, second)
	}
	if v := n.get("k"); v != "v" {
		t.Errorf("k = %q", v)
	}
	if c := n.readies(); c != 1 {
		t.Errorf("READY=1 was said %d times", c)
	}
	n.stop()
}

func TestMemberFrozen(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes 10 s: the member must be silent for so long")
	}
	n := single(t)
	n.start(true)
	n.await("READY=1")
	syscall.Kill(n.status().MemberPID, syscall.SIGSTOP)
	n.await("STATUS=backoff: the member stopped answering its supervisor and was killed")
	n.await("STATUS=serving")
	n.stop()
}

// If the supervisor dies its member dies with it, so that the next one finds
// ports and locks free.
func TestSupervisorKilled(t *testing.T) {
	t.Parallel()
	n := single(t)
	n.start(true)
	n.await("READY=1")
	member := n.status().MemberPID
	n.cmd.Process.Kill()
	n.exit()
	gone(t, member)
	n.start(true)
	n.await("READY=1")
	n.stop()
}

func TestThreeMembers(t *testing.T) {
	t.Parallel()
	a, b, c := newNode(t, "a"), newNode(t, "b"), newNode(t, "c")
	cluster(a, b, c)
	a.start(true)
	a.await("STATUS=joining: 1 of 3 members; waiting for b (127.0.0.1: connection refused), c (127.0.0.1: connection refused)")
	b.start(true)
	c.start(true)
	for _, n := range []*node{a, b, c} {
		n.await("READY=1")
		n.until("serving with all", func(st status.Status) bool { return serving(st) && st.View.AllConnected() })
	}
	a.put("k", "v")
	if v := c.get("k"); v != "v" {
		t.Errorf("k = %q on another member", v)
	}
	// A member that is stopped is named by the others.
	if code := c.stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	a.until("missing c", func(st status.Status) bool {
		return serving(st) && strings.Contains(st.Line(), "2 of 3 members; missing c (127.0.0.1: connection refused)")
	})
	a.put("k", "w")
	// Without a quorum the process lives on and says so.
	b.stop()
	a.until("without leader", func(st status.Status) bool {
		return serving(st) && strings.Contains(st.Line(), "no leader")
	})
	if code := a.stop(); code != 0 {
		t.Errorf("exit code %d without a quorum", code)
	}
}

// A leader that is stopped hands over, also with watches and leases open; the
// others go on without an election timeout.
func TestLeaderHandsOver(t *testing.T) {
	t.Parallel()
	a, b, c := newNode(t, "a"), newNode(t, "b"), newNode(t, "c")
	cluster(a, b, c)
	nodes := []*node{a, b, c}
	for _, n := range nodes {
		n.start(true)
	}
	for _, n := range nodes {
		n.await("READY=1")
	}
	st := a.until("with a leader", func(st status.Status) bool { return serving(st) && st.View.AllConnected() && st.View.Leader != "" })
	leader := nodes[slices.IndexFunc(nodes, func(n *node) bool { return n.name == st.View.Leader })]
	leader.until("connected", func(st status.Status) bool { return st.View.AllConnected() })

	cli := leader.etcd()
	lease, err := cli.Grant(t.Context(), 60)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cli.KeepAlive(t.Context(), lease.ID); err != nil {
		t.Fatal(err)
	}
	watch := cli.Watch(t.Context(), "k", clientv3.WithCreatedNotify())
	<-watch

	if code := leader.stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if log := strings.Join(leader.lines(), "\n"); !strings.Contains(log, "handed over the leadership") {
		t.Error("the leader did not hand over")
	}
	survivors := slices.DeleteFunc(nodes, func(n *node) bool { return n == leader })
	survivors[0].put("k", "v")
}

// A stop while joining ends at once and well, however long the wait would be.
func TestStopWhileJoining(t *testing.T) {
	t.Parallel()
	a, b, c := newNode(t, "a"), newNode(t, "b"), newNode(t, "c")
	cluster(a, b, c)
	a.start(true)
	a.await("STATUS=joining: 1 of 3")
	if code := a.stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if a.readies() != 0 {
		t.Error("READY=1 was said")
	}
	a.start(false) // and without systemd
	a.until("joining", func(st status.Status) bool { return st.State == status.Joining })
	if code := a.stop(); code != 0 {
		t.Errorf("exit code %d without systemd", code)
	}
}

func TestReadyAll(t *testing.T) {
	t.Parallel()
	a, b, c := newNode(t, "a"), newNode(t, "b"), newNode(t, "c")
	cluster(a, b, c)
	for _, n := range []*node{a, b, c} {
		n.env = []string{"ETCD_NODE_READY=all"}
	}
	a.start(true)
	b.start(true)
	a.await("STATUS=joining: 2 of 3 members; ETCD_NODE_READY=all waits for c (127.0.0.1: connection refused)")
	c.start(true)
	a.await("READY=1")
	b.await("READY=1")
	c.await("READY=1")
}

func TestPortBusy(t *testing.T) {
	t.Parallel()
	n := single(t)
	l, err := net.Listen("tcp", strings.TrimPrefix(n.client, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	n.start(false)
	if code := n.exit(); code != 1 {
		t.Errorf("exit code %d without systemd", code)
	}
	if log := strings.Join(n.lines(), "\n"); !strings.Contains(log, "failed: a port of this member is in use by another process: listen tcp") {
		t.Error("the log does not say why")
	}
	n.start(true)
	n.await("STATUS=backoff: a port of this member is in use by another process")
	l.Close()
	n.await("READY=1")
	n.stop()
}

// etcd waits for ever for the lock of its database, and says so once, after
// ten seconds.
func TestDatabaseLocked(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes 10 s: etcd is silent for so long")
	}
	n := single(t)
	n.start(true)
	n.await("READY=1")
	n.stop()
	db, err := os.OpenFile(filepath.Join(n.dir, "data/member/snap/db"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := syscall.Flock(int(db.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	n.start(true)
	n.await("STATUS=joining: opening the data; this takes long: does another process hold its lock?")
	db.Close()
	n.await("READY=1")
	n.stop()
}

func TestStartTimeout(t *testing.T) {
	t.Parallel()
	a, b := newNode(t, "a"), newNode(t, "b")
	cluster(a, b)
	a.env = []string{"ETCD_NODE_START_TIMEOUT=2s"}
	a.start(true)
	a.await("EXTEND_TIMEOUT_USEC=")
	s := a.await("STATUS=failed: not joined within ETCD_NODE_START_TIMEOUT")
	if !strings.Contains(s, "waiting for b (127.0.0.1: connection refused)") {
		t.Errorf("said %q", s)
	}
	if code := a.exit(); code != 75 {
		t.Errorf("exit code %d", code)
	}
}

// Nodes that were given different tokens never come together; the one that is
// outvoted says so and ends, the others show it.
func TestForeignToken(t *testing.T) {
	t.Parallel()
	a, b, c := newNode(t, "a"), newNode(t, "b"), newNode(t, "c")
	cluster(a, b, c)
	a.start(true)
	b.start(true)
	c.start(true, "--initial-cluster-token=other")
	a.await("READY=1")
	c.await("STATUS=failed: the peers belong to another cluster")
	if code := c.exit(); code != 76 {
		t.Errorf("exit code %d", code)
	}
	b.await("READY=1")
	if st := a.status(); !serving(st) {
		t.Errorf("a: %s", st.Line())
	}
}

func TestRemovedMember(t *testing.T) {
	t.Parallel()
	a, b, c := newNode(t, "a"), newNode(t, "b"), newNode(t, "c")
	cluster(a, b, c)
	nodes := []*node{a, b, c}
	for _, n := range nodes {
		n.start(true)
	}
	for _, n := range nodes {
		n.await("READY=1")
		n.until("connected", func(st status.Status) bool { return st.View.AllConnected() })
	}
	id, err := strconv.ParseUint(c.status().View.MemberID, 16, 64)
	if err != nil {
		t.Fatal(err)
	}
	cli := a.etcd()
	for deadline := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		// etcd refuses for 5 s after a start: "unhealthy cluster"
		if _, err = cli.MemberRemove(t.Context(), id); err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
	s := c.await("STATUS=failed: this member was removed from the cluster")
	if want := fmt.Sprintf("etcdctl member remove %x", id); !strings.Contains(s, want) {
		t.Errorf("%q lacks %q", s, want)
	}
	if code := c.exit(); code != 67 {
		t.Errorf("exit code %d", code)
	}
	// Removed while it is down: each start seems to work.
	c.start(true)
	c.await("STATUS=failed: this member was removed from the cluster")
	if code := c.exit(); code != 67 || c.readies() != 1 {
		t.Errorf("exit code %d, READY=1 said %d times", code, c.readies())
	}
}

func TestWipedMember(t *testing.T) {
	t.Parallel()
	a, b, c := newNode(t, "a"), newNode(t, "b"), newNode(t, "c")
	cluster(a, b, c)
	nodes := []*node{a, b, c}
	for _, n := range nodes {
		n.start(true)
	}
	for _, n := range nodes {
		n.await("READY=1")
	}
	for _, tc := range []struct{ state, want string }{
		{"new", "STATUS=failed: the cluster knows this member but its data dir is empty"},
		{"existing", "STATUS=failed: the cluster counts on data that this member no longer has"},
	} {
		c.stop()
		if err := os.RemoveAll(filepath.Join(c.dir, "data")); err != nil {
			t.Fatal(err)
		}
		c.start(true, "--initial-cluster-state="+tc.state)
		c.await(tc.want)
		if code := c.exit(); code != 66 {
			t.Errorf("%s: exit code %d", tc.state, code)
		}
	}
}

func TestDamagedData(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(db string) error{
		"truncated": func(db string) error { return os.Truncate(db, 8192) },
		"garbage": func(db string) error {
			f, err := os.OpenFile(db, os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			defer f.Close()
			_, err = f.WriteAt([]byte(strings.Repeat("garbage ", 4096)), 8192)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			n := single(t)
			n.start(true)
			n.await("READY=1")
			n.put("k", "v")
			n.stop()
			if err := damage(filepath.Join(n.dir, "data/member/snap/db")); err != nil {
				t.Fatal(err)
			}
			n.start(true)
			n.await("STATUS=failed: the files in the data dir are damaged")
			if code := n.exit(); code != 65 {
				t.Errorf("exit code %d", code)
			}
		})
	}
}

func TestMemberArgvAndEnvironment(t *testing.T) {
	t.Parallel()
	n := single(t)
	n.env = []string{"ETCD_DISCOVERY_PASSWORD=geheim", "ETCD_SNAPSHOT_COUNT=5000", "GOMAXPROCS=2"}
	n.start(true)
	n.await("READY=1")
	pid := n.status().MemberPID
	read := func(file string) string {
		raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, file))
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(strings.ReplaceAll(string(raw), "\x00", " "))
	}
	argv, environ := read("cmdline"), read("environ")
	for _, want := range []string{"etcd-node member ", "--name=a", "--snapshot-count=5000"} {
		if !strings.Contains(argv, want) {
			t.Errorf("argv %q lacks %q", argv, want)
		}
	}
	for _, not := range []string{"geheim", "ETCD_", "NOTIFY_SOCKET", "WATCHDOG"} {
		if strings.Contains(argv+environ, not) {
			t.Errorf("argv %q or environment %q has %q", argv, environ, not)
		}
	}
	if !strings.Contains(environ, "GOMAXPROCS=2") {
		t.Errorf("environment %q lost GOMAXPROCS", environ)
	}
	if comm := read("comm"); comm != "etcd-member" {
		t.Errorf("comm %q", comm)
	}
	n.stop()
	if log := strings.Join(n.lines(), "\n"); strings.Contains(log, "geheim") {
		t.Error("the password is in the log")
	}
}

// The member's metrics and health are etcd's own, at the same place.
func TestHealthEndpoint(t *testing.T) {
	t.Parallel()
	n := single(t)
	n.start(true)
	n.await("READY=1")
	r, err := http.Get(n.client + "/health")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	body, _ := io.ReadAll(r.Body)
	if string(body) != `{"health":"true","reason":""}` {
		t.Errorf("/health: %s", body)
	}
	n.stop()
}

func TestSecondSignalEndsAtOnce(t *testing.T) {
	t.Parallel()
	n := single(t)
	n.start(true)
	n.await("READY=1")
	syscall.Kill(n.status().MemberPID, syscall.SIGSTOP) // it will not stop by itself
	n.cmd.Process.Signal(syscall.SIGTERM)
	n.await("STATUS=stopping")
	begun := time.Now()
	n.cmd.Process.Signal(syscall.SIGTERM)
	if code := n.exit(); code != 0 || time.Since(begun) > stopTimeout/2 {
		t.Errorf("exit code %d after %s", code, time.Since(begun))
	}
}

// Whatever the supervisor hangs in, the second signal ends it: here in reading
// an env file that is a pipe without a writer.
func TestSecondSignalEndsWhatHangs(t *testing.T) {
	t.Parallel()
	n := single(t)
	fifo := filepath.Join(n.dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	n.env = []string{"ETCD_NODE_ENV_FILE=" + fifo}
	n.start(false)
	// It reads by now, or will; and a signal before it listens ends it too.
	for deadline := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		n.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case err := <-n.done:
			n.done <- err
			return
		default:
		}
		if time.Now().After(deadline) {
			t.Fatal("it is still there")
		}
	}
}

// systemd that does not read its socket must not freeze the supervisor.
func TestNotifySocketFull(t *testing.T) {
	t.Parallel()
	n := single(t)
	path := filepath.Join(n.dir, "full")
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close() // it never reads
	n.env = []string{"NOTIFY_SOCKET=" + path}
	n.start(false)
	n.until("serving", serving)
	if code := n.stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// A service has no terminal: SIGHUP means something else there. nohup has said
// that it shall be ignored.
func TestHangup(t *testing.T) {
	t.Parallel()
	n := single(t)
	n.start(true)
	n.await("READY=1")
	n.cmd.Process.Signal(syscall.SIGHUP)
	n.put("k", "v") // it goes on
	n.stop()
	n.start(false)
	n.until("serving", serving)
	n.cmd.Process.Signal(syscall.SIGHUP)
	if code := n.exit(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// A stop in the middle of the very first start must leave data from which a
// cluster of one can go on.
func TestStopDuringFirstStart(t *testing.T) {
	t.Parallel()
	for i := range 10 {
		n := single(t)
		n.start(true)
		// The WAL's directory appears some milliseconds before its first entry.
		wal := filepath.Join(n.dir, "data/member/wal")
		for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
			if _, err := os.Stat(wal); err == nil {
				break
			}
			if time.Now().After(deadline) {
				t.Fatal("no WAL")
			}
		}
		time.Sleep(time.Duration(i) * 3 * time.Millisecond) // another moment in each round
		if code := n.stop(); code != 0 {
			t.Errorf("exit code %d", code)
		}
		n.start(true)
		n.await("READY=1")
		n.stop()
	}
}

// What a kill at such a moment leaves is recognised.
func TestHalfBegun(t *testing.T) {
	t.Parallel()
	n := single(t)
	n.start(true)
	n.await("READY=1")
	n.stop()
	// A WAL without entries beside a database without any: what is written
	// before the first entry is.
	data := filepath.Join(n.dir, "data/member")
	if err := os.RemoveAll(data); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(data, "snap"), 0o700); err != nil {
		t.Fatal(err)
	}
	w, err := wal.Create(zap.NewNop(), filepath.Join(data, "wal"), pbutil.MustMarshalMessage(&etcdserverpb.Metadata{NodeID: new(uint64(1)), ClusterID: new(uint64(2))}))
	if err != nil {
		t.Fatal(err)
	}
	w.Close()
	n.start(true)
	n.await("STATUS=failed: the first start of this cluster of one was interrupted")
	if code := n.exit(); code != 65 {
		t.Errorf("exit code %d", code)
	}
}

// The member ends when its lifeline does, also where no signal tells it: in
// another PID namespace, or after a change of credentials.
func TestLifeline(t *testing.T) {
	t.Parallel()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var ours, theirs []*os.File
	for i := range 3 {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		if i == 1 { // commands go down
			r, w = w, r
		}
		ours, theirs = append(ours, r), append(theirs, w)
	}
	n := single(t)
	cmd := &exec.Cmd{Path: exe, Args: append([]string{"etcd-node", "member"}, n.flags...), ExtraFiles: theirs, Dir: n.dir}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	for _, f := range theirs {
		f.Close()
	}
	if err := pipe.NewWriter(ours[1], time.Second).Send(pipe.Message{Kind: pipe.Start}); err != nil {
		t.Fatal(err)
	}
	events := pipe.NewReader(ours[0])
	for {
		m, err := events.Next()
		if err != nil {
			t.Fatal(err)
		}
		if m.Kind == pipe.View && m.View.Ready {
			break
		}
	}
	ours[1].Close()
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatal("the member lives on without its supervisor")
	}
}
