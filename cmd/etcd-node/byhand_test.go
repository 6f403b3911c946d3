package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/etcd-node/etcd-node/pkg/control"
	"github.com/etcd-node/etcd-node/pkg/thisnode"
	"github.com/etcd-node/etcd-node/test/poll"
)

// byHand is a node that no unit has started: it has no directories of one.
func byHand(t *testing.T, n *node) *node {
	n.env = append(n.env, "RUNTIME_DIRECTORY=", "LOGS_DIRECTORY=", "STATE_DIRECTORY=", "XDG_RUNTIME_DIR=")
	return n
}

// asks runs a command as the user of a daemon without a unit does, and returns
// what it said and its exit code.
func (n *node) asks(env []string, args ...string) (string, int) {
	n.t.Helper()
	cmd := program(n.t, "etcd-node", args...)
	cmd.Env, cmd.Dir = append([]string{"PATH=" + os.Getenv("PATH"), "ETCD_NODE_ENV_FILE=/dev/null"}, env...), n.Dir
	out, err := cmd.CombinedOutput()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		n.t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// Without a unit the commands find the daemon by its data dir, by flag or by the
// daemon's own environment, and two daemons of one user do not meet. What it
// leaves is no matter to etcd.
func TestByHand(t *testing.T) {
	t.Parallel()
	a, b := byHand(t, single(t)), byHand(t, newNode(t, "b"))
	cluster(b)
	for _, n := range []*node{a, b} {
		n.start(false)
		n.says("ready to serve client requests")
	}
	for _, n := range []*node{a, b} {
		relative, err := filepath.Rel(n.Dir, n.Data())
		if err != nil {
			t.Fatal(err)
		}
		for _, way := range []struct{ env, flags []string }{
			{nil, []string{"--data-dir=" + n.Data()}},
			{nil, []string{"--data-dir", relative}},
			{[]string{"ETCD_DATA_DIR=" + n.Data()}, nil},
		} {
			poll.Eventually(t, func() error {
				out, code := n.asks(way.env, append([]string{"status"}, way.flags...)...)
				if code != 0 || !strings.HasPrefix(out, n.Name+": serving: leader, 1 of 1 member") {
					return errors.New(out)
				}
				return nil
			})
			if out, code := n.asks(way.env, append([]string{"explain"}, way.flags...)...); code != 0 || !strings.Contains(out, "nothing is wrong") {
				t.Errorf("explain: %d, %s", code, out)
			}
			if out, code := n.asks(way.env, append([]string{"history"}, way.flags...)...); code != 0 || !strings.Contains(out, "serving") || strings.Contains(out, "set back") {
				t.Errorf("history: %d, %s", code, out)
			}
		}
		for path, mode := range map[string]os.FileMode{n.Data(): 0o700, control.Beside(n.Data()): 0o700} {
			if info, err := os.Stat(path); err != nil || info.Mode().Perm() != mode {
				t.Errorf("%s: %v, %v", path, info, err)
			}
		}
	}
	// A second daemon on the same data does not take the first one's place.
	again := program(t, "etcd-node", a.flags...)
	again.Env, again.Dir = append(a.Environ(), a.env...), a.Dir
	if err := again.Run(); err == nil {
		t.Error("two daemons on one data dir")
	}
	if out, code := a.asks(nil, "status", "--data-dir="+a.Data()); code != 0 {
		t.Errorf("after a second daemon: %d, %s", code, out)
	}
	a.put("k", "v")
	a.stop()
	if out, code := a.asks(nil, "status", "--data-dir="+a.Data()); code != thisnode.ExitNoDaemon || !strings.Contains(out, "no daemon answers for the data dir") {
		t.Errorf("stopped: %d, %s", code, out)
	}
	if out, code := a.asks(nil, "explain", "--data-dir="+a.Data()); code != 0 || !strings.HasPrefix(out, "now: stopped as told at ") || strings.Contains(out, "What to do") {
		t.Errorf("stopped: %d, %s", code, out)
	}
	// Killed, it leaves its socket.
	b.signal(syscall.SIGKILL)
	b.exit()
	if out, code := b.asks(nil, "explain", "--data-dir="+b.Data()); code != 0 || !strings.HasPrefix(out, "now: no daemon answers") {
		t.Errorf("killed: %d, %s", code, out)
	}
	b.ForgetLines()
	b.start(false)
	b.says("serving: leader, 1 of 1 member")
	if out, code := b.asks(nil, "explain", "--data-dir="+b.Data()); code != 0 || !strings.Contains(out, "etcd-node itself ended without a word") {
		t.Errorf("after a kill: %d, %s", code, out)
	}
	b.signal(syscall.SIGKILL)
	b.exit()
	for _, n := range []*node{a, b} { // with and without a socket left behind
		n.called, n.env = "stock-etcd", nil
		n.ForgetLines()
		n.start(false)
		n.says("ready to serve client requests")
		n.signal(syscall.SIGTERM)
		n.exit()
	}
}

// In the directory where it was started, and with its environment, a daemon with
// etcd's default data dir is found too.
func TestByHandInItsDirectory(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/run/etcd"); err == nil {
		t.Skip("a unit's daemon runs here")
	}
	n := byHand(t, single(t))
	n.flags = nil
	n.env = append(n.env, "ETCD_NAME=here", "ETCD_LISTEN_PEER_URLS="+n.Peer, "ETCD_INITIAL_ADVERTISE_PEER_URLS="+n.Peer,
		"ETCD_LISTEN_CLIENT_URLS="+n.Client, "ETCD_ADVERTISE_CLIENT_URLS="+n.Client, "ETCD_INITIAL_CLUSTER=here="+n.Peer)
	n.start(false)
	n.says("serving: leader, 1 of 1 member")
	if out, code := n.asks(n.env, "status"); code != 0 || !strings.HasPrefix(out, "here: serving") {
		t.Errorf("%d, %s", code, out)
	}
	n.stop()
	if out, code := n.asks(n.env, "explain"); code != 0 || !strings.HasPrefix(out, "now: stopped as told at ") || strings.Contains(out, "systemctl") {
		t.Errorf("%d, %s", code, out)
	}
}

// Whoever may not open the socket is told so, by every command, and the group
// may look.
func TestForbidden(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("needs root, to be somebody else")
	}
	const service, stranger = 60001, 60002
	n := running(t)
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "n")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	// What a stranger can reach: the program, and the unit's directories as the
	// unit makes them.
	program := filepath.Join(dir, "etcd-node")
	raw, err := os.ReadFile(exe)
	if err := errors.Join(err, os.Chmod(dir, 0o711), os.WriteFile(program, raw, 0o755), os.Chmod(filepath.Dir(n.Dir), 0o711), os.Chmod(n.Dir, 0o711)); err != nil {
		t.Fatal(err)
	}
	for _, d := range []string{n.Run(), n.Log()} {
		if err := errors.Join(os.Chown(d, -1, service), os.Chmod(d, 0o750)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(os.Chown(filepath.Join(n.Run(), "control.sock"), -1, service), os.Chown(filepath.Join(n.Log(), "recorder.jsonl"), -1, service)); err != nil {
		t.Fatal(err)
	}
	try := func(groups []uint32, args ...string) (string, int) {
		cmd := exec.Command(program, args...)
		cmd.Env, cmd.Dir = n.Environ(), "/"
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: stranger, Gid: stranger, Groups: groups}}
		out, err := cmd.CombinedOutput()
		if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		return string(out), cmd.ProcessState.ExitCode()
	}
	for _, command := range []string{"status", "explain", "history"} {
		out, code := try(nil, command)
		if code != thisnode.ExitUnknown || !strings.Contains(out, "permission denied: run this as root or as a member of the group etcd") || strings.Contains(out, "no daemon") {
			t.Errorf("%s: %d, %s", command, code, out)
		}
		for line := range strings.Lines(out) {
			if !strings.HasPrefix(line, "etcd-node: ") {
				t.Errorf("%s: %q does not say who speaks", command, line)
			}
		}
		if out, code := try([]uint32{service}, command); code != 0 || !strings.Contains(out, "serving") {
			t.Errorf("%s in the group: %d, %s", command, code, out)
		}
	}
	n.stop()
}

// A start that was refused after a wanted stop is what counts, and not the stop.
func TestExplainRefusedStart(t *testing.T) {
	t.Parallel()
	n := running(t)
	n.stop()
	n.env = append(n.env, "ETCD_QUOTA_BACKEND_BYTES=soon")
	n.start(true)
	n.exits(78)
	out := n.run("explain")
	if !strings.HasPrefix(out, "now: the daemon does not run: its last start was refused at ") || strings.Contains(out, "no fault") || !strings.Contains(out, "ETCD_QUOTA_BACKEND_BYTES") {
		t.Error(out)
	}
}

func TestHistoryLines(t *testing.T) {
	t.Parallel()
	out, code := newNode(t, "a").asks(nil, "history", "-n", "x")
	if code != 2 || !strings.Contains(out, `"x"`) || !strings.Contains(out, "want a whole number") || strings.Contains(out, "strconv") {
		t.Errorf("%d, %s", code, out)
	}
}
