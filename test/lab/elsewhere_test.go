package lab

import (
	"context"
	"strings"
	"testing"
)

// Data and a WAL on disks of their own, one of which is the data dir itself: with the
// drop-in that `etcd-node config --dropin` prints the unit reaches them, and waits for
// a disk that is mounted late.
func TestElsewhere(t *testing.T) {
	c := hosts(t)
	t.Cleanup(func() {
		if _, err := c.host(1).Sh(context.Background(), `systemctl stop etcd; umount /srv/etcd /srv/wal 2>/dev/null || true
			rm -rf /srv/etcd /srv/wal /var/tmp/disk1 /var/tmp/disk2; sed -i /bind/d /etc/fstab; systemctl daemon-reload`); err != nil {
			t.Error(err)
		}
	})
	c.env("ETCD_DATA_DIR=/srv/etcd", "ETCD_WAL_DIR=/srv/wal/wal", "ETCD_INITIAL_CLUSTER=etcd-1=http://"+c.host(1).IP+":2380")
	if out := c.run(1, "sh", "-c", "etcd-node config --dropin 2>&1"); !containsAll(out, "first, or systemd does not start it: install -d -o etcd -g etcd -m 0700 /srv/etcd\n", "RequiresMountsFor=/srv/etcd /srv/wal\n") {
		t.Fatalf("%s", out)
	}
	c.run(1, "sh", "-ec", `mkdir -p /var/tmp/disk1 /var/tmp/disk2 /srv/etcd /srv/wal
		echo '/var/tmp/disk1 /srv/etcd none bind 0 0' >>/etc/fstab
		echo '/var/tmp/disk2 /srv/wal none bind 0 0' >>/etc/fstab
		systemctl daemon-reload
		systemctl start srv-etcd.mount srv-wal.mount
		chown etcd:etcd /srv/etcd /srv/wal; chmod 0700 /srv/etcd /srv/wal
		mkdir -p /etc/systemd/system/etcd.service.d
		etcd-node config --dropin >/etc/systemd/system/etcd.service.d/test.conf
		systemctl daemon-reload`)
	if out := c.run(1, "sh", "-c", "etcd-node config --dropin 2>&1"); !strings.Contains(out, "it needs no drop-in") {
		t.Errorf("%s", out)
	}
	c.start(1)
	c.run(1, "etcd-node", "ctl", "put", "k", "v")
	// Not mounted: systemd mounts them before it starts the unit.
	c.run(1, "sh", "-ec", "systemctl stop etcd; systemctl stop srv-etcd.mount srv-wal.mount; ! mountpoint -q /srv/etcd; ! test -e /srv/wal/wal")
	c.start(1)
	if out := c.run(1, "sh", "-ec", "etcd-node ctl get k; mountpoint /srv/etcd; mountpoint /srv/wal; ls /srv/wal/wal"); !containsAll(out, "k\nv\n", ".wal") {
		t.Errorf("%s", out)
	}
}
