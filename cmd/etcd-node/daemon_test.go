package main

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
)

func TestSingleMember(t *testing.T) {
	t.Parallel()
	n := single(t)
	n.start(true)
	n.await("STATUS=serving: leader, 1 of 1 member")
	n.await("READY=1")
	n.put("k", "v")
	n.stop()
	n.await("STOPPING=1")
	n.await("STATUS=stopped")
	n.logIsEtcds() // neither start nor stop is a fault
	// Its ports and locks are free at once.
	n.up()
	n.holds("k", "v")
	n.stop()
}

func TestMemberKilled(t *testing.T) {
	t.Parallel()
	n := running(t)
	n.put("k", "v")
	first := n.status()
	syscall.Kill(first.MemberPID, syscall.SIGKILL)
	n.await("STATUS=backoff: killed by signal 9; next attempt now")
	n.await("STATUS=serving: leader, 1 of 1 member, restarted 1 time, last: killed by signal 9")
	second := n.status()
	if second.PID != first.PID || second.MemberPID == first.MemberPID || second.Restarts != 1 {
		t.Errorf("before %+v, after %+v", first, second)
	}
	n.holds("k", "v")
	if c := n.Readies(); c != 1 {
		t.Errorf("READY=1 was said %d times", c)
	}
	n.stop()
}

func TestMemberArgvAndEnvironment(t *testing.T) {
	t.Parallel()
	n := single(t)
	n.env = []string{"ETCD_DISCOVERY_PASSWORD=geheim", "ETCD_SNAPSHOT_COUNT=5000", "GOMAXPROCS=2"}
	n.up()
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
	if log := strings.Join(n.Lines(), "\n"); strings.Contains(log, "geheim") {
		t.Error("the password is in the log")
	}
}
