package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/pkg/v3/pbutil"
	"go.etcd.io/etcd/server/v3/storage/wal"
	"go.uber.org/zap"

	"github.com/etcd-node/etcd-node/pkg/status"
)

func TestMemberFrozen(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes 10 s: the member must be silent for so long")
	}
	n := running(t)
	syscall.Kill(n.status().MemberPID, syscall.SIGSTOP)
	n.await("STATUS=backoff: the member stopped answering its supervisor and was killed")
	n.await("STATUS=serving")
	n.stop()
}

func TestPortBusy(t *testing.T) {
	t.Parallel()
	n := single(t)
	l, err := net.Listen("tcp", strings.TrimPrefix(n.Client, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	n.start(false)
	n.exits(1)
	if log := strings.Join(n.Lines(), "\n"); !strings.Contains(log, "failed: a port of this member is in use by another process: listen tcp") {
		t.Error("the log does not say why")
	}
	n.start(true)
	n.await("STATUS=backoff: a port of this member is in use by another process")
	l.Close()
	n.await("READY=1")
	n.stop()
}

// etcd waits for ever for the lock of its database, and says so once, after
// ten seconds. Here it is not even started before the lock is free.
func TestDatabaseLocked(t *testing.T) {
	t.Parallel()
	n := running(t)
	n.stop()
	db, err := os.OpenFile(filepath.Join(n.Dir, "data/member/snap/db"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := syscall.Flock(int(db.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	n.start(false)
	n.exits(1) // nobody would see what it waits for
	n.start(true)
	s := n.await("STATUS=joining: waiting for the lock of " + db.Name())
	if want := fmt.Sprintf("which process %d (", os.Getpid()); !strings.Contains(s, want) {
		t.Errorf("%q lacks %q", s, want)
	}
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
	a.until("waiting for b", status.Status.LacksQuorum)
	if out := a.run("explain"); !strings.Contains(out, "waiting for b (") || !strings.Contains(out, "\nno-quorum-yet: the cluster has not begun yet") || strings.Contains(out, "on record") {
		t.Errorf("explain says\n%s", out)
	}
	s := a.await("STATUS=failed: not joined within ETCD_NODE_START_TIMEOUT")
	if !strings.Contains(s, "waiting for b (127.0.0.1: connection refused)") {
		t.Errorf("said %q", s)
	}
	a.exits(75)
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
			n := running(t)
			n.put("k", "v")
			n.stop()
			if err := damage(filepath.Join(n.Dir, "data/member/snap/db")); err != nil {
				t.Fatal(err)
			}
			n.start(true)
			n.await("STATUS=failed: the files in the data dir are damaged")
			n.exits(65)
		})
	}
}

// systemd that does not read its socket must not freeze the supervisor.
func TestNotifySocketFull(t *testing.T) {
	t.Parallel()
	n := single(t)
	path := filepath.Join(n.Dir, "full")
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close() // it never reads
	n.env = []string{"NOTIFY_SOCKET=" + path}
	n.start(false)
	n.until("serving", serving)
	n.stop()
}

// What a kill at such a moment leaves is moved aside, where nothing can be
// lost, and the member begins anew.
func TestHalfBegun(t *testing.T) {
	t.Parallel()
	n := single(t)
	member := filepath.Join(n.Dir, "data/member")
	if err := os.MkdirAll(filepath.Join(member, "snap"), 0o700); err != nil {
		t.Fatal(err)
	}
	halfBegin(t, member, 1, 2)
	n.up()
	v := n.status().View
	kept, err := filepath.Glob(filepath.Join(member, "wal.*"))
	if err != nil || len(kept) != 1 {
		t.Errorf("kept: %v, %v", kept, err)
	}
	n.stop()
	// Once it has served it is another matter: something was stored here.
	if err := os.RemoveAll(filepath.Join(member, "snap")); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(member, "wal")); err != nil {
		t.Fatal(err)
	}
	halfBegin(t, member, hexID(t, v.ClusterID), hexID(t, v.MemberID))
	n.start(true)
	n.await("STATUS=failed: the data dir is empty where a member used to be")
	n.exits(66)
}

// halfBegin makes a WAL without entries: what is written before the first is.
func halfBegin(t *testing.T, member string, clusterID, memberID uint64) {
	t.Helper()
	meta := pbutil.MustMarshalMessage(&etcdserverpb.Metadata{NodeID: &memberID, ClusterID: &clusterID})
	w, err := wal.Create(zap.NewNop(), filepath.Join(member, "wal"), meta)
	if err != nil {
		t.Fatal(err)
	}
	w.Close()
}

func hexID(t *testing.T, s string) uint64 {
	t.Helper()
	id, err := strconv.ParseUint(s, 16, 64)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// explain knows also what ended before there was a process.
func TestExplainRefusal(t *testing.T) {
	t.Parallel()
	n := running(t)
	syscall.Kill(n.status().MemberPID, syscall.SIGKILL)
	n.await("STATUS=serving: leader, 1 of 1 member, restarted 1 time")
	if out := n.run("explain"); !strings.Contains(out, "last end: ") || !strings.Contains(out, "killed by signal 9") {
		t.Errorf("explain says\n%s", out)
	}
	n.stop()
	n.start(true, "--heartbeat-interval=fast")
	n.exit()
	if out := n.run("explain"); !strings.Contains(out, "heartbeat-interval") || strings.Contains(out, "signal 9") {
		t.Errorf("explain says\n%s", out)
	}
}
