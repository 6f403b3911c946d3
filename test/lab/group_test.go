package lab

import (
	"strings"
	"testing"
)

// Under the unit, a member of the group etcd may ask the daemon, and a stranger is
// told who may. What was stopped is no fault.
func TestGroupMayLook(t *testing.T) {
	c := hosts(t)
	c.start(1)
	as := func(groups, command string) string {
		t.Helper()
		return c.run(1, "sh", "-c", `setpriv --reuid=65533 --regid=65533 `+groups+` etcd-node `+command+` 2>&1; echo "exit code $?"`)
	}
	for _, command := range []string{"status", "explain", "history"} {
		if out := as("--clear-groups", command); !strings.Contains(out, "permission denied: run this as root or as a member of the group etcd") || !strings.Contains(out, "exit code 4") {
			t.Errorf("%s of a stranger: %s", command, out)
		}
		if out := as("--groups=$(getent group etcd | cut -d: -f3)", command); !strings.Contains(out, "serving") || !strings.Contains(out, "exit code 0") {
			t.Errorf("%s of a member of the group: %s", command, out)
		}
	}
	// A data dir that is named is that of the unit's daemon, or of none.
	if out := as("--groups=$(getent group etcd | cut -d: -f3)", "status --data-dir=/var/lib/etcd"); !strings.Contains(out, "exit code 0") {
		t.Errorf("by the data dir: %s", out)
	}
	if out := c.run(1, "sh", "-c", `ETCD_DATA_DIR=/tmp etcd-node status 2>&1; echo "exit code $?"`); !strings.Contains(out, "no daemon answers for the data dir /tmp") || !strings.Contains(out, "exit code 3") {
		t.Errorf("by another data dir: %s", out)
	}
	if out := as("--groups=$(getent group etcd | cut -d: -f3)", "history --data-dir=/var/lib/etcd"); !strings.Contains(out, "serving") {
		t.Errorf("history by the data dir: %s", out)
	}
	if out := c.run(1, "sh", "-c", "etcd-node history --data-dir=/tmp 2>&1"); strings.Contains(out, "serving") || !strings.Contains(out, "nothing is recorded in /tmp.etcd-node") {
		t.Errorf("history by another data dir: %s", out)
	}
	c.run(1, "systemctl", "stop", "etcd")
	if out := c.run(1, "etcd-node", "explain"); !strings.HasPrefix(out, "now: stopped as told at ") || !strings.Contains(out, "systemctl start etcd") {
		t.Errorf("stopped: %s", out)
	}
	if out := as("--clear-groups", "explain"); !strings.Contains(out, "permission denied: run this as root") || !strings.Contains(out, "exit code 4") {
		t.Errorf("explain of a stranger, stopped: %s", out)
	}
	if out := as("--groups=$(getent group etcd | cut -d: -f3)", "status"); !strings.Contains(out, "is it running?") || !strings.Contains(out, "exit code 3") {
		t.Errorf("status of a member of the group, stopped: %s", out)
	}
}
