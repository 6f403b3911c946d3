package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/etcd-node/etcd-node/pkg/status"
	"github.com/etcd-node/etcd-node/test/poll"
)

// envFileNode is a node whose settings are in an env file: lines besides what makes it
// a member of its cluster.
func (n *node) envFile(lines ...string) {
	n.t.Helper()
	var all []string
	for _, f := range n.Flags() {
		name, value, _ := strings.Cut(strings.TrimPrefix(f, "--"), "=")
		all = append(all, "ETCD_"+strings.ToUpper(strings.ReplaceAll(name, "-", "_"))+"="+value)
	}
	all = append(all, "ETCD_HEARTBEAT_INTERVAL=50", "ETCD_ELECTION_TIMEOUT=500")
	n.write("env", []byte(strings.Join(append(all, lines...), "\n")+"\n"))
	n.flags, n.env = nil, []string{"ETCD_NODE_ENV_FILE=" + filepath.Join(n.Dir, "env")}
}

// want runs a command that ends with a code, and says all the texts.
func (n *node) want(code int, args []string, texts ...string) string {
	n.t.Helper()
	out, err := n.try(args...)
	got := 0
	if x := (*exec.ExitError)(nil); errors.As(err, &x) {
		got = x.ExitCode()
	}
	if got != code || !containsAll(out, texts...) {
		n.t.Errorf("etcd-node %s: exit code %d, want %d, and %q in\n%s", strings.Join(args, " "), got, code, texts, out)
	}
	return out
}

func containsAll(s string, texts ...string) bool {
	for _, text := range texts {
		if !strings.Contains(s, text) {
			return false
		}
	}
	return true
}

// The one member of a cluster is restarted only by force; a log level changes without,
// and what is not valid changes nothing.
func TestReload(t *testing.T) {
	t.Parallel()
	n := single(t)
	n.envFile("ETCD_LOG_LEVEL=info")
	n.up()
	before := n.status().MemberPID

	n.want(0, []string{"reload"}, "nothing has changed")
	n.envFile("ETCD_LOG_LEVEL=info", "ETCD_INITIAL_CLUSTER_TOKEN=another") // the data has come since the daemon began
	n.want(78, []string{"reload"}, "initial-cluster-token cannot change")
	n.envFile("ETCD_LOG_LEVEL=debug")
	n.want(0, []string{"reload"}, "log-level: info → debug", "done")
	n.put("k", "v")
	n.says("Apply") // a line of level debug
	n.envFile()     // removed: etcd's default
	n.want(0, []string{"reload"}, "log-level: debug → (default)")

	n.envFile("ETCD_SNAPSHOT_COUNT=many")
	n.want(78, []string{"reload"}, "refused, the member runs as before", "env:", "ETCD_SNAPSHOT_COUNT", "many")
	n.envFile("ETCD_SNAPSHOT_COUNT=5000", "ETCD_INITIAL_CLUSTER_TOKEN=another", "ETCD_NAME=b")
	n.want(78, []string{"reload"}, "initial-cluster-token cannot change")
	n.envFile("ETCD_SNAPSHOT_COUNT=5000")
	n.want(1, []string{"reload"}, "snapshot-count: (default) → 5000", "this is the only voting member", "--force")
	if st := n.status(); st.MemberPID != before || st.Restarts != 0 {
		t.Fatalf("the member was restarted: %d, then %d", before, st.MemberPID)
	}
	n.want(0, []string{"reload", "--force"}, "restarting the member", "reload: done, the member serves")
	st := n.status()
	if st.MemberPID == before || st.Restarts != 0 || st.LastEnd != nil || st.State != status.Serving {
		t.Errorf("after it: %+v", st)
	}
	n.holds("k", "v")
	if args, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", st.MemberPID)); err != nil || !strings.Contains(string(args), "--snapshot-count=5000") {
		t.Errorf("the member runs as %q, %v", args, err)
	}
	n.want(0, []string{"restart", "--force"}, "restart: done")
	n.want(1, []string{"can-stop"}, "this is the only voting member")
	n.stop()
	n.want(3, []string{"reload"}, "is it running?")
	n.want(3, []string{"can-stop"}, "is it running?")
}

// A member that cannot run with the new settings gives way to that of before.
func TestReloadGoesBack(t *testing.T) {
	t.Parallel()
	n := single(t)
	n.envFile()
	n.up()
	n.put("k", "v")
	other := single(t) // has the port
	other.up()
	n.envFile("ETCD_LISTEN_METRICS_URLS=" + other.Client)
	n.want(1, []string{"reload", "--force"}, "that of before is started again", "address already in use")
	n.until("serving", serving)
	n.holds("k", "v")
	n.envFile()
	n.want(0, []string{"reload"}, "nothing has changed")
}

// Three nodes told at the same moment take turns, and the cluster never loses its
// quorum. SIGHUP does the same.
func TestReloadInTurn(t *testing.T) {
	t.Parallel()
	a, b, c := abc(t)
	nodes := []*node{a, b, c}
	var started sync.WaitGroup
	for _, n := range nodes {
		n.envFile()
		started.Go(func() { n.start(true) })
	}
	started.Wait()
	for _, n := range nodes {
		n.await("READY=1")
	}
	if out := a.run("can-stop"); !strings.Contains(out, "yes") {
		t.Errorf("can-stop: %s", out)
	}
	var can struct {
		CanStop bool     `json:"canStop"`
		Why     []string `json:"why"`
	}
	if err := json.Unmarshal([]byte(a.run("can-stop", "-o", "json")), &can); err != nil || !can.CanStop {
		t.Errorf("%+v, %v", can, err)
	}
	var told sync.WaitGroup
	for _, n := range nodes {
		n.envFile("ETCD_SNAPSHOT_COUNT=5000")
		told.Go(func() {
			if out, err := n.try("reload"); err != nil {
				t.Errorf("reload of %s: %v\n%s", n.Name, err, out)
			}
		})
	}
	told.Wait()
	for _, n := range nodes {
		n.envFile("ETCD_SNAPSHOT_COUNT=6000")
	}
	for _, n := range nodes {
		n.signal(syscall.SIGHUP)
	}
	for _, n := range nodes {
		n.until("restarted", func(st status.Status) bool {
			args, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", st.MemberPID))
			return st.State == status.Serving && strings.Contains(string(args), "--snapshot-count=6000")
		})
		if st := n.status(); st.Restarts != 0 {
			t.Errorf("%s: %d restarts, %+v", n.Name, st.Restarts, st.LastEnd)
		}
	}
	// Without c nobody may go.
	c.stop()
	a.want(1, []string{"can-stop"}, "c does not answer")
	b.want(1, []string{"restart"}, "restart refused", "c does not answer", "restart --force")
	b.put("k", "v") // it serves
}

// A binary that takes the place of the daemon's is taken up by a reload, and only by
// that; one that is none is refused.
func TestReloadBinary(t *testing.T) {
	t.Parallel()
	n := single(t)
	n.envFile()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	install := func(copy func(to string) error) {
		t.Helper()
		next := filepath.Join(n.Dir, "next")
		if err := errors.Join(copy(next), os.Rename(next, filepath.Join(n.Dir, "etcd-node"))); err != nil {
			t.Fatal(err)
		}
	}
	real := func(to string) error { return exec.Command("cp", self, to).Run() }
	install(real)
	n.exe = filepath.Join(n.Dir, "etcd-node")
	n.up()
	of := func() (exe string, pid int) {
		st := n.status()
		exe, _ = os.Readlink(fmt.Sprintf("/proc/%d/exe", st.MemberPID)) // "": it has ended
		return exe, st.MemberPID
	}
	install(func(to string) error { return os.WriteFile(to, []byte("#!/bin/sh\nexit 1\n"), 0o755) })
	n.want(1, []string{"reload", "--force"}, "has been replaced, and cannot run the member")
	install(real)
	_, pid := of()
	syscall.Kill(pid, syscall.SIGKILL)
	poll.Eventually(t, func() error {
		if exe, now := of(); now == pid || now == 0 || !strings.HasSuffix(exe, "(deleted)") {
			return fmt.Errorf("the member runs from %s", exe)
		}
		return nil
	})
	n.until("serving", serving)
	n.want(0, []string{"reload", "--force"}, "the member's binary:")
	if exe, _ := of(); exe != n.exe {
		t.Errorf("the member runs from %s", exe)
	}
	n.want(0, []string{"reload"}, "nothing has changed")
	n.stop()
}
