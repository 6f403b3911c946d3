package lab

import (
	"regexp"
	"strconv"
	"testing"
)

// What systemd itself thinks of the installed unit, in place.
func TestUnitFile(t *testing.T) {
	c := hosts(t)
	if out := c.run(1, "sh", "-c", "systemd-analyze --man=no verify etcd.service 2>&1"); out != "" {
		t.Errorf("systemd-analyze verify: %s", out)
	}
	out := c.run(1, "systemd-analyze", "--no-pager", "security", "etcd.service")
	level := regexp.MustCompile(`exposure level for etcd.service: ([0-9.]+)`).FindStringSubmatch(out)
	if level == nil {
		t.Fatalf("systemd-analyze security says nothing:\n%s", out)
	}
	if exposure, err := strconv.ParseFloat(level[1], 64); err != nil || exposure > 2.0 {
		t.Errorf("exposure %s, want at most 2.0:\n%s", level[1], out)
	}
	// It all holds at run time, too: the user, the directories' modes.
	c.start(1)
	const want = "etcd:etcd 700 /var/lib/etcd\netcd:etcd 750 /run/etcd\n"
	if got := c.run(1, "stat", "-c", "%U:%G %a %n", "/var/lib/etcd", "/run/etcd"); got != want {
		t.Errorf("got:\n%swant:\n%s", got, want)
	}
	supervisor, member := c.procs(1)
	for _, p := range []Proc{supervisor, member} {
		if got := c.run(1, "ps", "-o", "user=", "-p", strconv.Itoa(p.Host)); got != "etcd\n" {
			t.Errorf("process %v runs as %q", p.Args, got)
		}
	}
}
