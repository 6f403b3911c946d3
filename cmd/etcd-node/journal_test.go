package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/etcd-node/etcd-node/pkg/status"
)

// priorities counts the lines of a log in JSON, by process and level, and
// holds each line's priority against its level.
func priorities(t *testing.T, lines []string) map[string]int {
	t.Helper()
	count := map[string]int{}
	for _, line := range lines {
		var entry struct{ Level, Caller string }
		bare := line[min(len("<0>"), len(line)):]
		if err := json.Unmarshal([]byte(bare), &entry); err != nil {
			t.Errorf("not a priority and JSON: %s", line)
			continue
		}
		want := map[string]string{"debug": "<7>", "info": "<6>", "warn": "<4>", "error": "<3>", "panic": "<2>", "fatal": "<2>"}[entry.Level]
		if line != want+bare {
			t.Errorf("want %s: %s", want, line)
		}
		process := "member"
		if strings.HasPrefix(entry.Caller, "supervisor/") {
			process = "supervisor"
		}
		count[process+" "+entry.Level]++
	}
	return count
}

// bare holds that a log file has lines, and none has a priority.
func bare(t *testing.T, file string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil || len(data) == 0 {
		t.Errorf("%s: %q, %v", file, data, err)
	}
	for line := range strings.Lines(string(data)) {
		if !strings.HasPrefix(line, `{"level":"`) {
			t.Errorf("%s: %s", file, line)
		}
	}
}

// TestJournalPriorities: under systemd each line of both processes has its
// priority, the member's because it inherits stream and variable; a file beside
// it and the flight recorder see nothing of that.
func TestJournalPriorities(t *testing.T) {
	t.Parallel()
	n := single(t)
	n.Journal = true
	file := filepath.Join(n.Dir, "etcd.log")
	n.up("--log-outputs=stderr," + file)
	first := n.status().MemberPID
	syscall.Kill(first, syscall.SIGKILL)
	n.until("serving again", func(st status.Status) bool { return serving(st) && st.MemberPID != first })
	history := n.run("history")
	n.stop()
	count := priorities(t, n.Lines())
	for _, want := range []string{"supervisor info", "supervisor warn", "member info", "member warn"} {
		if count[want] == 0 {
			t.Errorf("no %s: %v", want, count)
		}
	}
	bare(t, file)
	if !strings.Contains(history, " warn ") || strings.Contains(history, "<4>") {
		t.Errorf("history: %s", history)
	}
}

// TestJournalAndRotation: the member rotates its file as before.
func TestJournalAndRotation(t *testing.T) {
	t.Parallel()
	n := single(t)
	n.Journal = true
	file := filepath.Join(n.Dir, "etcd.log")
	if err := os.WriteFile(file, bytes.Repeat([]byte("{\"level\":\"info\"}\n"), 1<<16), 0o600); err != nil { // full
		t.Fatal(err)
	}
	n.up("--log-outputs=stderr,"+file, "--enable-log-rotation", `--log-rotation-config-json={"maxsize": 1}`)
	n.stop()
	if count := priorities(t, n.Lines()); count["supervisor info"] == 0 || count["member info"] == 0 {
		t.Error(count)
	}
	bare(t, file)
	if old, err := filepath.Glob(filepath.Join(n.Dir, "etcd-*.log")); err != nil || len(old) != 1 {
		t.Errorf("%q, %v: not rotated", old, err)
	}
}

// TestJournalAndConfigFile: etcd warns while it reads the file, when nobody can
// give it another logger yet. It says the same again.
func TestJournalAndConfigFile(t *testing.T) {
	t.Parallel()
	n := newNode(t, "a")
	n.Journal = true
	yml := filepath.Join(n.Dir, "etcd.yml")
	text := fmt.Sprintf("name: a\ndata-dir: %[1]s/data\nlisten-peer-urls: %[2]s\ninitial-advertise-peer-urls: %[2]s\n"+
		"listen-client-urls: %[3]s\nadvertise-client-urls: %[3]s\ninitial-cluster: a=%[2]s\n", n.Dir, n.Peer, n.Client)
	if err := os.WriteFile(yml, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	n.up("--config-file=" + yml)
	n.stop()
	const warning = "Running http and grpc server on single port"
	var lines []string
	repeated := false
	for _, line := range n.Lines() {
		if early := strings.HasPrefix(line, "{") && strings.Contains(line, `"caller":"embed/config.go`); !early {
			lines = append(lines, line)
		}
		repeated = repeated || strings.HasPrefix(line, "<4>") && strings.Contains(line, warning)
	}
	if count := priorities(t, lines); !repeated || count["supervisor info"] == 0 || count["member info"] == 0 {
		t.Errorf("%q repeated: %v; %v", warning, repeated, count)
	}
}

// TestJournalElsewhere: the variable is inherited by whatever a service runs,
// also with stderr redirected.
func TestJournalElsewhere(t *testing.T) {
	t.Parallel()
	n := single(t)
	n.env = []string{"JOURNAL_STREAM=1:2"}
	n.up()
	n.stop()
	n.logIsEtcds()
}

// TestJournalRefusal: what is said before there is a log is an error, too, and
// no line of it is left out of `journalctl -p err`.
func TestJournalRefusal(t *testing.T) {
	t.Parallel()
	for _, stream := range []bool{true, false} {
		n := single(t)
		n.Journal = stream
		n.start(true, "--heartbeat-interval=fast", "--election-timeout=slow")
		n.exits(78)
		if len(n.Lines()) < 2 {
			t.Errorf("%q", n.Lines())
		}
		for _, line := range n.Lines() {
			if strings.HasPrefix(line, "<3>") != stream {
				t.Errorf("stream %v: %s", stream, line)
			}
		}
	}
}
