package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// A password in a URL is nowhere to be read: not in what is logged, told to
// systemd, recorded or answered.
func TestPasswordInURL(t *testing.T) {
	t.Parallel()
	const password = "secretpw"
	n := single(t)
	secret := func(url string) string { return strings.Replace(url, "://", "://u:"+password+"@", 1) }
	n.flags = slices.DeleteFunc(n.flags, func(f string) bool {
		return strings.Contains(f, "advertise-") || strings.HasPrefix(f, "--initial-cluster=")
	})
	n.env = []string{
		"ETCD_ADVERTISE_CLIENT_URLS=" + secret(n.Client), "ETCD_INITIAL_ADVERTISE_PEER_URLS=" + secret(n.Peer),
		"ETCD_INITIAL_CLUSTER=a=" + secret(n.Peer),
	}
	seen := map[string]string{}
	n.start(true)
	n.await("READY=1")
	syscall.Kill(n.status().MemberPID, syscall.SIGKILL) // an end, with the node's values
	n.await("STATUS=serving: leader, 1 of 1 member, restarted 1 time")
	for _, args := range []string{"status", "status -o json", "explain", "explain nospace-alarm", "explain removed", "explain data-damaged"} {
		seen[args] = n.run(strings.Fields(args)...)
	}
	n.shell(n.pasted("nospace-alarm")) // works without the password
	if out := seen["explain removed"]; !strings.Contains(out, "--peer-urls='http://(redacted)@127.0.0.1:") {
		t.Errorf("explain does not show what is left out:\n%s", out)
	}
	argv, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", n.PID()))
	if err != nil {
		t.Fatal(err)
	}
	seen["argv"] = string(argv)
	n.stop()
	for _, args := range []string{"history", "history -o json", "explain"} {
		seen[args+" when stopped"] = n.run(strings.Fields(args)...)
	}
	for _, dir := range []string{n.Log(), n.Pins()} {
		files, _ := filepath.Glob(filepath.Join(dir, "*"))
		if len(files) == 0 {
			t.Errorf("nothing in %s", dir)
		}
		for _, f := range files {
			raw, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			seen[f] = string(raw)
		}
	}
	seen["the log"] = strings.Join(n.Lines(), "\n")
	for i, note := range n.Notes() {
		seen[fmt.Sprintf("note %d to systemd", i)] = note.Text
	}
	for what, text := range seen {
		for line := range strings.Lines(text) {
			if strings.Contains(line, password) {
				t.Errorf("%s: %s", what, line)
			}
		}
	}
}
