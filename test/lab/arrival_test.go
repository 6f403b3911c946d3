package lab

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/etcd-node/etcd-node/test/poll"
)

// systemd passes over an env file that it cannot take, and starts the unit
// without it. No empty member comes up on loopback then, and once the file is
// right so is everything.
func TestEnvFileDidNotArrive(t *testing.T) {
	c := hosts(t)
	list := c.initialCluster()
	const not = "systemd has not handed over /etc/default/etcd"
	for _, tc := range []struct{ name, file, dropIn, want, config string }{
		{"a byte that systemd refuses", list + "\nETCD_NAME=etcd\xff\n", "", "/etc/default/etcd:2: " + not + ": not valid UTF-8", "/etc/default/etcd:2: not valid UTF-8"},
		{"YAML", "name: etcd-1\ninitial-cluster: etcd-1=http://192.168.122.5:2380\n", "", not + ": this is YAML", "this is YAML"},
		{"the unit does not read it", list + "\n", "[Service]\nEnvironmentFile=\n", not + ": none of what it sets is in the environment: ETCD_INITIAL_CLUSTER (line 1)", not},
		{"the unit reads another one as well", list + "\n", "[Service]\nEnvironmentFile=\nEnvironmentFile=-/etc/etcd/common\nEnvironmentFile=-/etc/etcd/bad\n",
			"/etc/etcd/bad:1: systemd has not handed over /etc/etcd/bad: ", "/etc/etcd/bad:1: "},
	} {
		c.run(1, "sh", "-c", "rm -rf /etc/systemd/system/etcd.service.d; systemctl daemon-reload; systemctl reset-failed etcd 2>/dev/null; true")
		c.env(strings.TrimSuffix(tc.file, "\n"))
		c.run(1, "sh", "-ec", `mkdir -p /etc/etcd; echo ETCD_MAX_WALS=7 >/etc/etcd/common; printf 'ETCD_NAME=\377\n' >/etc/etcd/bad`)
		if tc.dropIn != "" {
			c.dropIn(1, tc.dropIn)
		}
		if out, err := c.host(1).Run(t.Context(), "systemctl", "start", "etcd"); err == nil {
			t.Fatalf("%s: systemctl start succeeded: %s", tc.name, out)
		}
		if u := c.unit(1); u.ActiveState != "failed" || u.ExitStatus != 78 || u.NRestarts != 0 || !containsAll(u.StatusText, "failed: ", tc.want) {
			t.Errorf("%s: %v\nwant exit 78 and %q", tc.name, u, tc.want)
		}
		c.run(1, "test", "!", "-e", "/var/lib/etcd/member")
		if out := c.run(1, "sh", "-c", "etcd-node config 2>&1; true"); !strings.Contains(out, tc.config) {
			t.Errorf("%s: etcd-node config does not say %q:\n%s", tc.name, tc.config, out)
		}
	}
	c.run(1, "sh", "-c", "rm -rf /etc/systemd/system/etcd.service.d; systemctl daemon-reload; systemctl reset-failed etcd")
	c.env(list)
	c.start()
	c.serves(nil)
}

// systemd reads as root what the service may not. Without data that may be the
// cluster's list; a member with data goes on.
func TestEnvFileOfRoot(t *testing.T) {
	c := hosts(t)
	c.env("# nothing")
	c.run(1, "chmod", "0600", "/etc/default/etcd")
	if out, err := c.host(1).Run(t.Context(), "systemctl", "start", "etcd"); err == nil {
		t.Fatalf("systemctl start succeeded: %s", out)
	}
	if u := c.unit(1); u.ExitStatus != 78 || !strings.Contains(u.StatusText, "whether it has any cannot be seen") {
		t.Errorf("%v", u)
	}
	c.run(1, "sh", "-ec", "test ! -e /var/lib/etcd/member; systemctl reset-failed etcd; chmod 0644 /etc/default/etcd; systemctl start etcd; chmod 0600 /etc/default/etcd; systemctl restart etcd")
	if u := c.unit(1); u.ActiveState != "active" {
		t.Errorf("%v", u)
	}
}

// A service that does not tell when it is ready has no NOTIFY_SOCKET.
func TestArrivalWithTypeExec(t *testing.T) {
	c := hosts(t)
	c.env(c.initialCluster())
	c.dropIn(1, "[Service]\nType=exec\nNotifyAccess=none\nEnvironmentFile=\nWatchdogSec=0\n")
	c.run(1, "sh", "-c", "systemctl start etcd; true")
	poll.Eventually(t, func() error {
		if u := c.unit(1); u.ActiveState != "failed" || u.ExitStatus != 78 {
			return fmt.Errorf("%v", u)
		}
		return nil
	})
	c.run(1, "test", "!", "-e", "/var/lib/etcd/member")
}

// The command reads what the unit names: its own assignments and all its files,
// in their order.
func TestConfigReadsTheUnit(t *testing.T) {
	c := hosts(t)
	c.env(c.initialCluster(), "ETCD_SNAPSHOT_COUNT=5000")
	c.run(1, "sh", "-ec", "mkdir -p /etc/etcd; echo ETCD_SNAPSHOT_COUNT=6000 >/etc/etcd/late")
	c.dropIn(1, "[Service]\nEnvironment=ETCD_MAX_WALS=7 ETCD_SNAPSHOT_COUNT=4000\nEnvironmentFile=/etc/etcd/late\n")
	out := c.run(1, "etcd-node", "config")
	if !containsAll(out, "ETCD_SNAPSHOT_COUNT (/etc/etcd/late:1)", "ETCD_MAX_WALS (/etc/systemd/system/etcd.service.d/test.conf)", "ETCD_INITIAL_CLUSTER (/etc/default/etcd:1)") {
		t.Errorf("etcd-node config:\n%s", out)
	}
	c.start()
	if _, member := c.procs(1); !containsAll(strings.Join(member.Args, " "), "--snapshot-count=6000", "--max-wals=7") {
		t.Errorf("the daemon has other settings: %q", member.Args)
	}
}

// An old unit in /etc outranks the one that was installed, and runs something
// else. Whoever asks is told.
func TestOldUnitShadows(t *testing.T) {
	c := hosts(t)
	t.Cleanup(func() {
		_, _ = c.host(1).Sh(context.Background(), "systemctl stop etcd; rm -rf /etc/systemd/system/etcd.service /opt/stock; systemctl daemon-reload")
	})
	if err := c.host(1).Write(t.Context(), "/etc/systemd/system/etcd.service", "[Service]\nExecStart=/opt/stock/etcd 3600\n", 0o644); err != nil {
		t.Fatal(err)
	}
	c.run(1, "sh", "-ec", "mkdir -p /opt/stock; cp /usr/bin/sleep /opt/stock/etcd; systemctl daemon-reload; systemctl start etcd")
	const want = "notice: etcd.service runs /opt/stock/etcd, and not this program, /usr/local/bin/etcd-node: /etc/systemd/system/etcd.service says so, which hides /usr/local/lib/systemd/system/etcd.service (mv "
	for _, command := range []string{"config", "status", "explain"} {
		if out := c.run(1, "sh", "-c", "etcd-node "+command+" 2>&1; true"); !strings.Contains(out, want) {
			t.Errorf("etcd-node %s:\n%s", command, out)
		}
	}
}
