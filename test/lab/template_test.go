package lab

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/etcd-node/etcd-node/test/poll"
)

// Two members on one machine: etcd.service and an instance of the template, each
// with its own file, directories and ports. Neither has to do with the other's
// end; and a unit that was copied from the first one, directories and all, is
// told so.
func TestTwoMembersOnOneHost(t *testing.T) {
	c := hosts(t)
	ip := c.host(1).IP
	t.Cleanup(func() {
		_, _ = c.host(1).Sh(context.Background(), `
			systemctl stop etcd@events etcd-copy 2>/dev/null || true
			rm -rf /var/lib/etcd@events /var/lib/etcd-node@events /var/log/etcd-node@events /run/etcd@events /etc/default/etcd@events
			rm -rf /etc/systemd/system/etcd-copy.service /var/lib/etcd-copy /etc/default/etcd-copy
			systemctl daemon-reload; systemctl reset-failed etcd@events etcd-copy 2>/dev/null || true`)
	})
	if out, err := c.host(1).Run(t.Context(), "systemctl", "start", "etcd@events"); err == nil {
		t.Errorf("an instance without a file starts: %s", out)
	}
	c.env("ETCD_INITIAL_CLUSTER=etcd-1=http://" + ip + ":2380")
	if err := c.host(1).Write(t.Context(), "/etc/default/etcd@events",
		"ETCD_INITIAL_CLUSTER=etcd-1-events=http://"+ip+":2390\nETCD_LISTEN_CLIENT_URLS=http://0.0.0.0:2389\n", 0o644); err != nil {
		t.Fatal(err)
	}
	c.start(1)
	c.run(1, "systemctl", "start", "etcd@events")
	on := func(unit, command string) string {
		t.Helper()
		return c.run(1, "sh", "-c", "ETCD_NODE_UNIT="+unit+" etcd-node "+command+" 2>&1; true")
	}
	for unit, want := range map[string][]string{
		"etcd":        {"serving: leader, 1 of 1 member", "/var/lib/etcd ", "ETCD_INITIAL_CLUSTER (/etc/default/etcd:1)", "http://" + ip + ":2379"},
		"etcd@events": {"serving: leader, 1 of 1 member", "/var/lib/etcd@events ", "ETCD_INITIAL_CLUSTER (/etc/default/etcd@events:1)", "http://" + ip + ":2389", "etcd-1-events"},
	} {
		if out := on(unit, "status") + on(unit, "config"); !containsAll(out, want...) {
			t.Errorf("%s:\n%s\nwant %q", unit, out, want)
		}
	}
	ids := c.run(1, "sh", "-ec", "grep -h memberId /var/lib/etcd-node/pin.json /var/lib/etcd-node@events/pin.json | sort -u | wc -l")
	if strings.TrimSpace(ids) != "2" {
		t.Errorf("%s pins of their own", ids)
	}

	// One ends; the other is as it was. What is explained is about the one asked.
	c.run(1, "systemctl", "stop", "etcd@events")
	if out := on("etcd", "status"); !strings.Contains(out, "serving: ") {
		t.Errorf("after the end of the instance:\n%s", out)
	}
	c.run(1, "sh", "-ec", "mv /var/lib/etcd@events/member /root/member.events; systemctl start --no-block etcd@events")
	poll.Eventually(t, func() error {
		if out := on("etcd@events", "explain"); !containsAll(out, "wiped: ", "findmnt -T /var/lib/etcd@events", "systemctl start etcd@events", "ETCD_NODE_UNIT=etcd@events etcd-node forget") {
			return fmt.Errorf("explain:\n%s", out)
		}
		return nil
	})
	c.run(1, "sh", "-ec", "mv /root/member.events /var/lib/etcd@events/member; systemctl restart etcd@events")
	c.run(1, "systemctl", "stop", "etcd")
	if out := on("etcd@events", "status"); !strings.Contains(out, "serving: ") {
		t.Errorf("after the end of etcd.service:\n%s", out)
	}
	c.start(1)

	// A copy of the unit, as people make it.
	c.run(1, "sh", "-ec", `
		sed -e 's|^EnvironmentFile=.*|EnvironmentFile=-/etc/default/etcd-copy|' -e 's|^StateDirectory=.*|StateDirectory=etcd etcd-node etcd-copy|' \
			/usr/local/lib/systemd/system/etcd.service >/etc/systemd/system/etcd-copy.service
		printf '%s\n' ETCD_DATA_DIR=/var/lib/etcd-copy ETCD_INITIAL_CLUSTER=etcd-1-copy=http://`+ip+`:2400 ETCD_LISTEN_CLIENT_URLS=http://0.0.0.0:2399 >/etc/default/etcd-copy
		systemctl daemon-reload`)
	if out, err := c.host(1).Run(t.Context(), "systemctl", "start", "etcd-copy"); err == nil {
		t.Fatalf("a copy of the unit starts: %s", out)
	}
	u, err := c.host(1).Unit(t.Context(), "etcd-copy.service")
	if err != nil || u.ExitStatus != 78 || !strings.Contains(u.StatusText, "this pin is of /var/lib/etcd: give this unit its own StateDirectory, RuntimeDirectory and LogsDirectory") {
		t.Errorf("%v, %v", u, err)
	}
	if out := on("etcd", "status"); !strings.Contains(out, "serving: ") {
		t.Errorf("after the end of the copy:\n%s", out)
	}
}
