package main

import (
	"encoding/json"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/etcd-node/etcd-node/pkg/control"
	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/identity"
	"github.com/etcd-node/etcd-node/pkg/status"
	"github.com/etcd-node/etcd-node/pkg/supervisor/recorder"
)

// What root reads and pastes was written by the service user: a status that a
// daemon answers, records and a pin. Whatever is in them, nothing acts on the
// terminal and no command does more than it says.
func TestHostileServiceUser(t *testing.T) {
	t.Parallel()
	n := newNode(t, "a")
	const (
		typed = "x; rm -rf / $(reboot) `reboot` ' \"; reboot #"
		drawn = "\x1b[2K\r\u009b2J\u202e\nforged: reboot"
	)
	bad := typed + drawn
	values := failure.Values{}
	for _, key := range []string{
		"name", "member-id", "cluster-id", "data-dir", "peer-urls", "initial-cluster", "endpoints", "client-url", "client-ca", "client-cert", "client-key",
		"own-endpoint", "client-tls", // of an earlier version, whose values were whole flags
	} {
		values[key] = bad
	}
	st := status.Status{
		Format: 1, State: status.Backoff, Reason: bad, Values: values, Notices: []string{bad},
		LastEnd:    &status.End{Time: time.Now(), ID: failure.IDRemoved, Cause: bad, Next: []string{"rm -rf /; reboot"}, Values: values},
		View:       status.View{Name: bad, ClusterID: bad, MemberID: bad, Alarms: []string{bad}, Members: []status.Member{{Name: bad, PeerURLs: []string{bad}, Cause: bad}}},
		Conditions: []status.Condition{{ID: failure.IDDiskFull, Text: bad}, {ID: bad, Text: bad}, {ID: failure.IDMisplaced, Text: bad, Case: bad, PeerURLs: bad}},
	}
	answer, err := json.Marshal(st)
	if err != nil {
		t.Fatal(err)
	}
	rec, err := json.Marshal(recorder.Record{Seq: 1, Time: time.Now(), Kind: recorder.Ended, End: &recorder.End{ID: failure.IDRemoved, Cause: bad, Crash: bad, Lines: []string{bad}, Values: values}})
	if err != nil {
		t.Fatal(err)
	}
	pin, err := json.Marshal(identity.Pin{ClusterID: bad, MemberID: bad, Name: bad, DataDir: bad})
	if err != nil {
		t.Fatal(err)
	}
	for file, content := range map[string][]byte{"log/recorder.jsonl": rec, "pin/pin.json": pin} {
		if err := os.WriteFile(filepath.Join(n.Dir, file), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	quoted := regexp.MustCompile(`'[^']*'`)
	try := func(args string) {
		t.Helper()
		out, _ := n.try(strings.Fields(args)...) // whatever the exit code says
		if len(out) < 20 {
			t.Errorf("%s says %q", args, out)
		}
		for _, c := range []string{"\x1b", "\r", "\u009b", "\u202e", `\u001b`, "\nforged", "next      rm", "      rm -rf"} {
			if strings.Contains(out, c) {
				t.Errorf("%s prints %q:\n%s", args, c, out)
			}
		}
		for line := range strings.Lines(out) {
			command, is := strings.CutPrefix(line, "      ") // as explain has them
			if !is || strings.HasPrefix(command, " ") || strings.Contains(args, "json") {
				continue
			}
			if bare := quoted.ReplaceAllString(strings.ReplaceAll(command, `'\''`, ""), ""); strings.Contains(bare, "reboot") {
				t.Errorf("%s prints a command that does more: %s", args, command)
			}
		}
	}
	for _, args := range []string{"explain", "explain removed", "explain data-damaged", "history", "history -o json"} {
		try(args)
	}
	l, err := net.Listen("unix", filepath.Join(n.Run(), control.Socket))
	if err != nil {
		t.Fatal(err)
	}
	go http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write(answer) })) //nolint:errcheck // until it is closed
	for _, args := range []string{"status", "status -o json", "explain", "explain removed", "explain data-damaged", "explain misplaced"} {
		try(args)
	}
	l.Close()
	try("forget")
}
