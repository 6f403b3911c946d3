package main

import (
	"errors"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/etcd-node/etcd-node/pkg/pipe"
	"github.com/etcd-node/etcd-node/pkg/status"
	"github.com/etcd-node/etcd-node/pkg/supervisor"
	"github.com/etcd-node/etcd-node/test/poll"
)

// If the supervisor dies its member dies with it, so that the next one finds
// ports and locks free.
func TestSupervisorKilled(t *testing.T) {
	t.Parallel()
	n := running(t)
	member := n.status().MemberPID
	n.signal(syscall.SIGKILL)
	n.exit()
	gone(t, member)
	n.up()
	n.stop()
}

// A stop while joining ends at once and well, however long the wait would be.
func TestStopWhileJoining(t *testing.T) {
	t.Parallel()
	a, _, _ := abc(t)
	a.start(true)
	a.await("STATUS=joining: 1 of 3")
	a.stop()
	if a.Readies() != 0 {
		t.Error("READY=1 was said")
	}
	a.start(false) // and without systemd
	a.until("joining", func(st status.Status) bool { return st.State == status.Joining })
	a.stop()
}

func TestSecondSignalEndsAtOnce(t *testing.T) {
	t.Parallel()
	n := running(t)
	syscall.Kill(n.status().MemberPID, syscall.SIGSTOP) // it will not stop by itself
	n.signal(syscall.SIGTERM)
	n.await("STATUS=stopping")
	begun := time.Now()
	n.signal(syscall.SIGTERM)
	if code := n.exit(); code != 0 || time.Since(begun) > supervisor.StopTimeout/2 {
		t.Errorf("exit code %d after %s", code, time.Since(begun))
	}
}

// Whatever the supervisor hangs in, the second signal ends it: here in reading
// an env file that is a pipe without a writer.
func TestSecondSignalEndsWhatHangs(t *testing.T) {
	t.Parallel()
	n := single(t)
	fifo := filepath.Join(n.Dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	n.env = []string{"ETCD_NODE_ENV_FILE=" + fifo}
	n.start(false)
	// It reads by now, or will; and a signal before it listens ends it too.
	poll.Eventually(t, func() error {
		if _ = n.Signal(syscall.SIGTERM); !n.Over() {
			return errors.New("it is there")
		}
		return nil
	})
}

// A service has no terminal: SIGHUP means something else there. nohup has said
// that it shall be ignored.
func TestHangup(t *testing.T) {
	t.Parallel()
	if signal.Ignored(syscall.SIGHUP) { // what a process ignores its children ignore
		t.Skip("SIGHUP is ignored here: the test runs under nohup")
	}
	n := running(t)
	n.signal(syscall.SIGHUP)
	before := n.status().MemberPID
	syscall.Kill(before, syscall.SIGHUP) // as systemctl kill sends it to all processes
	n.put("k", "v")                      // it goes on
	if now := n.status().MemberPID; now != before {
		t.Errorf("the member was process %d, and is %d", before, now)
	}
	n.stop()
	n.start(false)
	n.until("serving", serving)
	n.signal(syscall.SIGHUP)
	n.exits(0)
}

// A stop in the middle of the very first start must leave data from which a
// cluster of one can go on.
func TestStopDuringFirstStart(t *testing.T) {
	t.Parallel()
	for i := range 10 {
		n := single(t)
		n.start(true)
		// The WAL's directory appears some milliseconds before its first entry.
		wal := filepath.Join(n.Dir, "data/member/wal")
		if err := poll.Until(t.Context(), time.Millisecond, func() error { _, err := os.Stat(wal); return err }); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(i) * 3 * time.Millisecond) // another moment in each round
		n.stop()
		n.up()
		n.stop()
	}
}

// The member ends when its lifeline does, also where no signal tells it: in
// another PID namespace, or after a change of credentials.
func TestLifeline(t *testing.T) {
	t.Parallel()
	var ours, theirs []*os.File
	for i := range 4 {
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
	cmd := program(t, "etcd-node", append([]string{"member"}, n.flags...)...)
	cmd.ExtraFiles, cmd.Dir = theirs, n.Dir
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
