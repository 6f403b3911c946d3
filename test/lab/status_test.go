package lab

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/etcd-node/etcd-node/test/poll"
)

// TestStatusPages brings hosts into each state, and into the common kinds of trouble,
// and compares what `etcd-node status` and `systemctl status` say with the texts in
// testdata/status. With -update it writes them.
func TestStatusPages(t *testing.T) {
	c := hosts(t)
	t.Cleanup(func() { // what reset does not undo
		c.each(func(h *Host) error {
			_, err := h.Sh(context.Background(), "systemctl stop squatter 2>/dev/null || true")
			return err
		})
	})
	kill := func(i int, signal string) {
		_, member := c.procs(i)
		c.run(i, "kill", "-"+signal, fmt.Sprint(member.Host))
	}
	ctl := func(args ...string) { c.run(1, append([]string{"etcd-node", "ctl"}, args...)...) }

	lead := func() {
		if leader := c.leader(); leader != 1 {
			c.run(leader, "sh", "-c", `etcd-node ctl move-leader "$(etcd-node ctl member list | sed -n 's/,.* etcd-1,.*//p')"`)
		}
	}

	c.page(1, "not-running")
	c.env(c.initialCluster(), "ETCD_QUOTA_BACKEND_BYTES=8388608")
	c.run(1, "ip", "address", "flush", "dev", "eth0", "scope", "global")
	c.run(1, "systemctl", "start", "--no-block", "etcd")
	c.page(1, "starting-without-address", "no usable")
	c.run(1, "ip", "address", "add", c.host(1).IP+"/24", "dev", "eth0")
	c.page(1, "joining-alone", "joining: ", "etcd-2 (", "etcd-3 (")
	c.start(2, 3)
	c.status(1, "3 of 3 members")
	lead()
	c.page(1, "leader", "serving: leader, 3 of 3")
	c.page(2, "follower", "serving: follower of etcd-1, 3 of 3")
	c.page(1, "for-the-group", "serving: leader")
	c.page(1, "for-a-stranger", "serving: leader")

	c.run(3, "systemctl", "stop", "etcd")
	c.page(1, "member-stopped", "missing etcd-3 (192.168.122.7: connection refused)")
	c.run(2, "sh", "-c", "etcd-node restart >/dev/null 2>&1 & echo $! >/run/restart.pid")
	c.page(2, "restart-waits", "; restart: ")
	c.run(2, "sh", "-c", "kill $(cat /run/restart.pid)")
	if err := c.host(3).Cut(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.run(3, "systemctl", "start", "--no-block", "etcd")
	c.page(3, "restarted-without-cable", "waiting for etcd-1 (192.168.122.5: no ", "etcd-2 (192.168.122.6: no ")
	if err := c.host(3).Heal(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.status(3, "serving: follower of etcd-1, 3 of 3 members")
	c.status(1, "3 of 3 members")

	kill(3, "STOP")
	c.run(3, "systemctl", "stop", "--no-block", "etcd")
	c.page(3, "stopping", "stopping: ")
	kill(3, "CONT")
	c.await(3, "stopped", func(u Unit) bool { return u.ActiveState == "inactive" })

	c.run(2, "systemctl", "stop", "etcd")
	c.page(1, "no-quorum", "no quorum", "etcd-2 (192.168.122.6: connection refused)", "etcd-3 (192.168.122.7: connection refused)")
	c.run(2, "systemd-run", "--unit=squatter", "systemd-socket-activate", "-l", "0.0.0.0:2379", "sleep", "1000")
	c.run(2, "systemctl", "start", "--no-block", "etcd")
	c.page(2, "port-taken", "backoff: ")
	c.run(2, "systemctl", "stop", "squatter")
	c.start(2, 3)
	c.status(1, "3 of 3 members")
	lead()

	kill(2, "KILL")
	c.page(2, "member-killed", "serving: follower of etcd-1, 3 of 3 members, restarted")

	c.run(1, "sh", "-c", `head -c 1000000 /dev/zero | tr '\0' x >/tmp/value; for i in 1 2 3 4 5 6 7 8 9; do etcd-node ctl put k$i </tmp/value; done >/dev/null 2>&1; rm /tmp/value`)
	c.page(1, "nospace", "alarm NOSPACE")
	ctl("alarm", "disarm")

	c.run(3, "systemctl", "stop", "etcd")
	c.run(3, "sh", "-c", "rm -rf /var/lib/etcd/*")
	c.run(3, "systemctl", "start", "--no-block", "etcd")
	c.page(3, "data-gone", "waiting for its disk to be mounted")
	c.run(3, "systemctl", "stop", "etcd")
	c.env(c.initialCluster(), "ETCD_QUOTA_BACKEND_BYTES=8388608", "ETCD_HEARTBEAT_INTERVAL=fast")
	if out, err := c.host(3).Run(t.Context(), "systemctl", "start", "etcd"); err == nil {
		t.Errorf("a typo was taken: %s", out)
	}
	c.page(3, "failed", "failed: ")
}

// page compares the status of a host, as soon as STATUS= holds the texts.
func (c *cluster) page(i int, name string, texts ...string) {
	c.t.Helper()
	as := map[string]string{
		"for-the-group":  "setpriv --reuid=65533 --regid=65533 --groups=$(getent group etcd | cut -d: -f3) ",
		"for-a-stranger": "setpriv --reuid=65533 --regid=65533 --clear-groups ",
	}[name]
	var got string
	path := filepath.Join("testdata", "status", name+".txt")
	raw, err := os.ReadFile(path)
	if err != nil && !*update {
		c.t.Error(err)
		return
	}
	want := string(raw)
	ask := func() error {
		u := c.unit(i)
		if !containsAll(u.StatusText, texts...) {
			return fmt.Errorf("%s: %s does not say %q: %v", name, c.host(i).Name, texts, u)
		}
		text := c.run(i, "sh", "-c", as+"etcd-node status 2>&1; echo exit code $?")
		for line := range strings.Lines(text) {
			if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > 80 && !strings.Contains(line, "etcd-node") && !strings.HasPrefix(line, "  next ") && !strings.HasPrefix(line, c.host(i).Name+": ") {
				c.t.Errorf("%s: %d columns: %s", name, n, line)
			}
		}
		if text = "# etcd-node status\n" + text; len(texts) > 0 { // systemd keeps that of a unit that was stopped
			text += "# systemctl show -P StatusText etcd\n" + u.StatusText + "\n"
		}
		if got = settled(text); got != want && !*update {
			return fmt.Errorf("%s: %s says\n%s\nwant\n%s", name, c.host(i).Name, got, want)
		}
		return nil
	}
	poll.Eventually(c.t, ask)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			c.t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			c.t.Fatal(err)
		}
	}
}

// settling is what is another each time, and what stands there instead. The rows of
// what was measured may be there or not, for it takes a while to measure.
var settling = []struct {
	what *regexp.Regexp
	is   string
}{
	{regexp.MustCompile(`(?m)\n    (\S)`), " $1"},                    // where the first line is broken depends
	{regexp.MustCompile(`(?m)^(  last end .*)\n {12}(\S)`), "$1 $2"}, // on how long things take
	// A member that applies the put before it hears of the alarm raises its own.
	{regexp.MustCompile(`alarm NOSPACE[^;]*;`), "alarm NOSPACE;"},
	{regexp.MustCompile(`(?m)(^  alarm     NOSPACE.*\n)+`), "  alarm     NOSPACE\n"},
	{regexp.MustCompile(`restarted \d+ times?`), "restarted N times"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\d( \d\d:\d\d:\d\d)?`), "DATE"},
	{regexp.MustCompile(`\((just now|\d+ (s|min) ago)\)`), "(AGO)"},
	{regexp.MustCompile(`(just now|\d+ (s|min) ago):`), "AGO:"},
	{regexp.MustCompile(`(?m)^  (disk|space) .*\n|^ +slow: .*\n|^ +\d+ changes? of leader .*\n`), ""},
	{regexp.MustCompile(`(?m)^  (elections|requests) .*\n`), ""},
	{regexp.MustCompile(`term \d+, entry \d+ applied(, \d+ more committed)?`), "term N, entry N applied"},
	{regexp.MustCompile(`\[[#-]+\] [0-9.]+ [KM]iB of 8.0 MiB, [0-9.]+ [KM]iB in use`), "[BAR] SIZE of 8.0 MiB, SIZE in use"},
	{regexp.MustCompile(`(?m)(  |, )([0-9.]+ ms|connected)$`), "${1}RTT"},
	{regexp.MustCompile(`process   \d+, supervised by \d+`), "process   PID, supervised by PID"},
	{regexp.MustCompile(`(process|pid) \d+`), "$1 PID"},
	{regexp.MustCompile(`next attempt (now|in [0-9.]+m?s)`), "next attempt in a WHILE"},
	{regexp.MustCompile(`for \d+s at most|up to \d+s|in \d+(ms|s)`), "in a WHILE"},
}

func settled(text string) string {
	for _, x := range settling {
		text = x.what.ReplaceAllString(text, x.is)
	}
	return text
}
