package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// onMachine runs a script where /etc/systemd/system, /etc/default, /run and what
// is below /var are a new machine's. etcd-node is this program.
func onMachine(t *testing.T, script string) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root, to mount")
	}
	exe, err := os.Executable()
	bin := t.TempDir()
	if err == nil {
		err = os.Symlink(exe, filepath.Join(bin, "etcd-node"))
	}
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private", "bash", "-ec", `
		for dir in /etc/systemd/system /usr/lib/systemd/system /etc/default /run /var/lib /var/log; do
			mkdir -p $dir; mount -t tmpfs tmpfs $dir
		done
		`+script)
	cmd.Env = []string{"PATH=" + bin + ":" + os.Getenv("PATH")}
	cmd.Dir = t.TempDir()
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}

// etcdPinned is a machine on which etcd.service has had a member.
const etcdPinned = `
	mkdir -p /var/lib/etcd /var/lib/etcd-node /var/log/etcd-node /run/etcd
	echo '{"format":1,"clusterId":"c1","memberId":"a1","name":"x","dataDir":"/var/lib/etcd"}' >/var/lib/etcd-node/pin.json
`

// TestForeignPin: a unit without a directory for a pin, with a member's data
// beside its data dir, on a machine where etcd.service has its pin. That pin says
// nothing about this unit.
func TestForeignPin(t *testing.T) {
	t.Parallel()
	for _, pins := range []string{"", ":/var/lib/foo-pin"} {
		out := onMachine(t, etcdPinned+`
			mkdir -p /var/lib/foo/old/member/wal /var/lib/foo-pin
			: >/var/lib/foo/old/member/wal/0000000000000000-0000000000000000.wal
			cp /var/lib/etcd-node/pin.json /var/lib/foo-pin # copied with the unit
			STATE_DIRECTORY=/var/lib/foo`+pins+` NOTIFY_SOCKET=/run/none timeout 10 etcd-node --listen-client-urls=unix://c:0 --advertise-client-urls=unix://c:0 --listen-peer-urls=unix://p:0 2>&1 || echo "exit $?"
			ls -d /var/lib/foo/member 2>&1 || true`)
		if !strings.Contains(out, "there is no data in /var/lib/foo, but a member's data in /var/lib/foo/old") || !strings.Contains(out, "exit 78\n") ||
			!strings.Contains(out, "cannot access") {
			t.Errorf("pins %q:\n%s", pins, out)
		}
	}
}

// TestForeignHome: commands about another unit never take a directory of
// etcd.service for one that the unit does not have.
func TestForeignHome(t *testing.T) {
	t.Parallel()
	out := onMachine(t, etcdPinned+`
		echo '{"seq":1,"time":"2026-01-01T00:00:00Z","kind":"start","version":"of-etcd"}' >/var/log/etcd-node/recorder.jsonl
		printf '[Service]\nStateDirectory=foo\nExecStart=/usr/bin/etcd-node\n' >/etc/systemd/system/foo.service
		export ETCD_NODE_UNIT=foo
		for c in forget status history explain; do
			echo "== $c"; etcd-node $c 2>&1 || echo "exit $?"
		done
		ls /var/lib/etcd-node`)
	for _, want := range []string{
		"== forget\nfoo.service has no pin, ",
		"== status\n", "no answer from the daemon of foo.service: is it running? systemctl status foo; ETCD_NODE_UNIT=foo etcd-node explain tells", "exit 3\n",
		"\npin.json\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("lacks %q", want)
		}
	}
	for _, not := range []string{"/run/etcd/", "/var/log/etcd-node", "a1", "systemctl status etcd", "forgotten"} {
		if strings.Contains(out, not) {
			t.Errorf("says %q", not)
		}
	}
	if t.Failed() {
		t.Log(out)
	}
}

// TestForgetAsksBesideTheData: a daemon whose unit has no RuntimeDirectory=
// answers beside its data.
func TestForgetAsksBesideTheData(t *testing.T) {
	t.Parallel()
	out := onMachine(t, `
		mkdir -p /var/lib/foo /var/lib/foo-pin
		printf '[Service]\nStateDirectory=foo foo-pin\nExecStart=/usr/bin/setpriv --clear-groups /usr/bin/etcd-node --data-dir=/var/lib/foo/x\n' >/etc/systemd/system/foo.service
		ip link set lo up 2>/dev/null || true
		STATE_DIRECTORY=/var/lib/foo:/var/lib/foo-pin etcd-node --data-dir=/var/lib/foo/x --listen-client-urls=unix://c:0 --advertise-client-urls=unix://c:0 \
			--listen-peer-urls=unix://p:0 --initial-advertise-peer-urls=unix://p:0 --initial-cluster=default=unix://p:0 >log 2>&1 &
		until [ -e /var/lib/foo-pin/pin.json ] && [ -e /var/lib/foo/x.etcd-node/control.sock ]; do sleep 0.05; kill -0 $! || { cat log; exit 1; }; done
		ETCD_DATA_DIR=/elsewhere ETCD_NODE_UNIT=foo etcd-node forget 2>&1 || echo "exit $?"
		ETCD_NODE_UNIT=foo etcd-node status 2>&1 || echo "exit $?"
		ls /var/lib/foo-pin`)
	if !strings.Contains(out, "the daemon is running: systemctl stop foo, and then again\nexit 1\n") || !strings.HasSuffix(out, "\npin.json\n") || strings.Contains(out, "no answer") ||
		strings.Contains(out, "not this program") { // which the daemon disproves
		t.Error(out)
	}
}

// TestConfigAsTheUnitsUser: files are looked at with the user and the groups that
// the unit names.
func TestConfigAsTheUnitsUser(t *testing.T) {
	t.Parallel()
	for groups, refused := range map[string]bool{"": true, "SupplementaryGroups=adm\n": false} {
		out := onMachine(t, `
			echo x >/run/key; chown root:adm /run/key; chmod 0640 /run/key; chmod 0755 /run
			printf '[Service]\nUser=nobody\nGroup=daemon\n`+strings.ReplaceAll(groups, "\n", `\n`)+`Environment=ETCD_AUTH_TOKEN=jwt,pub-key=/run/key,priv-key=/run/key,sign-method=RS256\nExecStart=/usr/bin/etcd-node\n' \
				>/etc/systemd/system/foo.service
			ETCD_NODE_UNIT=foo etcd-node config 2>&1 || echo "exit $?"`)
		if strings.Contains(out, "nobody") != refused || strings.Contains(out, "exit 78") != refused {
			t.Errorf("%q: %s", groups, out)
		}
	}
}
