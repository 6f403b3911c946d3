package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/etcd-node/etcd-node/test/poll"
	"github.com/etcd-node/etcd-node/test/prober"
)

// The versions of the two packages that are installed one over the other.
const (
	earlier = "0.0.1~earlier"
	later   = "0.0.1~later"
)

// debs makes a package of each version, and returns where they are.
func debs(t *testing.T) (files map[string]string) {
	t.Helper()
	root, err := Root()
	if err != nil {
		t.Fatal(err)
	}
	files = map[string]string{}
	for _, version := range []string{earlier, later} {
		cmd := exec.Command("make", "package-of", "ARCH="+runtime.GOARCH, "PACKAGE_VERSION="+version, "KINDS=deb")
		cmd.Dir, cmd.Env = root, append(os.Environ(), "MAKEFLAGS=", "MAKELEVEL=")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		made := filepath.Join(root, "dist", fmt.Sprintf("etcd-node_%s_%s.deb", version, runtime.GOARCH))
		files[version] = filepath.Join(t.TempDir(), filepath.Base(made))
		if err := os.Rename(made, files[version]); err != nil {
			raw, readErr := os.ReadFile(made) // another file system
			if err := errors.Join(readErr, os.WriteFile(files[version], raw, 0o644), os.Remove(made)); err != nil {
				t.Fatal(err)
			}
		}
	}
	return files
}

// bare gives a test hosts of its own, on which nothing of ours has ever been.
func bare(t *testing.T, n int) *cluster {
	t.Helper()
	l, err := Start(t.Context(), fmt.Sprintf("bare%d", os.Getpid()), n, os.Stderr)
	if errors.Is(err, ErrCannot) && os.Getenv("CI") != "true" {
		t.Skipf("needs hosts with a real systemd: %v", err)
	} else if err != nil {
		t.Fatal(err)
	}
	c := &cluster{Lab: l, t: t}
	c.since = c.run(1, "date", "+%s.%N")
	t.Cleanup(func() {
		if t.Failed() {
			c.describe()
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// dpkg installs a package, as somebody whose terminal nobody watches.
func (c *cluster) dpkg(i int, file string) string {
	c.t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		c.t.Fatal(err)
	}
	if err := c.host(i).Write(c.t.Context(), "/root/etcd-node.deb", string(raw), 0o644); err != nil {
		c.t.Fatal(err)
	}
	return c.run(i, "sh", "-c", "DEBIAN_FRONTEND=noninteractive dpkg -i /root/etcd-node.deb </dev/null 2>&1; echo exit code $?; rm /root/etcd-node.deb")
}

// TestPackage is the life of a package on three hosts: installed, upgraded and
// downgraded under load, removed, purged, and installed again.
func TestPackage(t *testing.T) {
	files := debs(t)
	c := bare(t, 3)
	etc := func(i int) string {
		return c.run(i, "sh", "-c", "find /etc /usr /var/lib/systemd /root -xdev ! -type d | grep -v -e /etc/ld.so.cache -e /usr/share/doc-base -e 'group-$' -e 'passwd-$' -e 'shadow-$' | sort")
	}
	before := etc(1)

	// Beside Debian's etcd-server, whose data it could not read, it is refused.
	c.run(1, "sh", "-ec", `mkdir -p /tmp/p/DEBIAN; printf 'Package: etcd-server\nVersion: 3.4.23\nArchitecture: all\nMaintainer: x <x@example.com>\nDescription: x\n' >/tmp/p/DEBIAN/control
		dpkg-deb -b /tmp/p /tmp/p.deb >/dev/null; dpkg -i /tmp/p.deb >/dev/null`)
	if out := c.dpkg(1, files[earlier]); !strings.Contains(out, "conflicts with") || strings.Contains(out, "exit code 0") {
		t.Errorf("beside etcd-server: %s", out)
	}
	c.run(1, "sh", "-ec", "dpkg -P etcd-server >/dev/null; rm -r /tmp/p /tmp/p.deb")

	// From nothing to a cluster. Nothing is started, and no data made.
	for i := range c.Hosts {
		out := c.dpkg(i+1, files[earlier])
		if !containsAll(out, "exit code 0", "installed, not started. Next: edit /etc/default/etcd; etcd-node check; systemctl enable --now etcd") {
			t.Fatalf("%s: %s", c.host(i+1).Name, out)
		}
	}
	if u := c.unit(1); u.ActiveState != "inactive" {
		t.Errorf("after the installation: %v", u)
	}
	if out := c.run(1, "sh", "-c", "systemctl is-enabled etcd || true; ls -d /var/lib/etcd* /var/log/etcd* 2>&1 || true"); !strings.HasPrefix(out, "disabled\n") || strings.Count(out, "No such file") != 2 {
		t.Errorf("after the installation: %s", out)
	}
	if u := c.run(1, "sh", "-c", "systemd-analyze --man=no verify etcd.service 2>&1"); u != "" {
		t.Errorf("systemd-analyze verify: %s", u)
	}
	if u := c.run(1, "sh", "-c", "systemd-analyze --man=no --no-pager security --threshold=15 etcd.service >/tmp/security 2>&1 || tail -n 3 /tmp/security; rm /tmp/security"); u != "" {
		t.Errorf("systemd-analyze security: %s", u)
	}
	c.each(func(h *Host) error {
		_, err := h.Sh(t.Context(), "echo '"+c.initialCluster()+"' >>/etc/default/etcd")
		return err
	})
	c.each(func(h *Host) error {
		_, err := h.Sh(t.Context(), "systemctl enable --now etcd")
		return err
	})
	c.serves(nil)
	ids := c.ids()

	// The rack is rebooted, and loses its power.
	for _, x := range []struct {
		what string
		down func(h *Host) error
	}{
		{"reboot", func(h *Host) error { _, _ = h.Run(context.Background(), "systemctl", "reboot"); return nil }}, // it takes its caller with it
		{"loss of power", func(h *Host) error { return errors.Join(h.PowerLoss(t.Context()), h.Boot(t.Context())) }},
		{"reboot", func(h *Host) error { _, _ = h.Run(context.Background(), "systemctl", "reboot"); return nil }},
	} {
		boots := c.boots()
		c.each(x.down)
		poll.Eventually(t, func() error {
			for i, b := range c.boots() {
				if b == "" || b == boots[i] {
					return fmt.Errorf("%s has not come back", c.host(i+1).Name)
				}
			}
			return nil
		})
		for i := range c.Hosts {
			c.await(i+1, "active after the "+x.what, func(u Unit) bool { return u.ActiveState == "active" })
		}
		c.serves(nil)
	}
	if got := c.ids(); got != ids {
		t.Errorf("the members are %s, and were %s", got, ids)
	}

	// Up and down again, host by host, under load.
	written := c.ledger()
	open := c.client(c.Hosts...)
	for _, version := range []string{later, earlier} {
		for i := range c.Hosts {
			_, was := c.procs(i + 1)
			gaps := prober.Start(10*time.Millisecond, 5*time.Second, prober.Put("open", open))
			out := c.dpkg(i+1, files[version])
			if !containsAll(out, "exit code 0", "the member runs on as", "systemctl reload etcd") {
				t.Errorf("%s: %s", version, out)
			}
			if _, is := c.procs(i + 1); is.PID != was.PID {
				t.Errorf("%s: the upgrade restarted the member", version)
			}
			c.run(i+1, "systemctl", "reload", "etcd")
			if out := c.run(i+1, "etcd-node", "status", "-o", "json"); !strings.Contains(out, `"version":"`+version+`"`) {
				t.Errorf("%s does not run after the reload: %s", version, out)
			}
			if _, is := c.procs(i + 1); is.PID == was.PID {
				t.Errorf("%s: the reload did not restart the member", version)
			}
			g := gaps.Stop()[0]
			t.Logf("%s on %s: gap %v, %d of %d failed", version, c.host(i+1).Name, g.Gap.Round(time.Millisecond), g.Failures, g.Tries)
		}
	}
	for i := range c.Hosts { // the supervisor, too
		c.run(i+1, "sh", "-c", "etcd-node can-stop && systemctl restart etcd")
		c.status(i+1, "3 of 3 members")
	}
	written.check()
	if got := c.ids(); got != ids {
		t.Errorf("the members are %s, and were %s", got, ids)
	}

	// Removed: it stops, and what it knew stays.
	out := c.run(3, "sh", "-c", "dpkg -r etcd-node </dev/null 2>&1")
	if !containsAll(out, "kept /var/lib/etcd\n", "kept /var/lib/etcd-node\n", "kept /var/log/etcd-node\n") {
		t.Errorf("remove: %s", out)
	}
	c.status(1, "2 of 3 members")
	if out := c.dpkg(3, files[later]); !strings.Contains(out, "installed, not started") {
		t.Errorf("installed again: %s", out)
	}
	c.run(3, "systemctl", "start", "etcd")
	c.serves(nil)

	// Purged: data, records and the user stay, and nothing else.
	c.each(func(h *Host) error {
		out, err := h.Sh(t.Context(), "dpkg -P etcd-node </dev/null 2>&1")
		if !containsAll(out, "kept /var/lib/etcd\n", "kept /var/lib/etcd-node\n") {
			return errors.Join(err, fmt.Errorf("purge: %s", out))
		}
		return err
	})
	if left := lacking(strings.Split(before, "\n"), strings.Split(etc(1), "\n")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
	if gone := lacking(strings.Split(etc(1), "\n"), strings.Split(before, "\n")); len(gone) > 0 {
		t.Errorf("gone: %q", gone)
	}
	for i := range c.Hosts {
		c.dpkg(i+1, files[later])
	}
	// A unit of somebody's own, and a command of his, are not the package's.
	c.run(1, "sh", "-ec", `printf '[Service]\nExecStart=/bin/sleep 1000\n' >/etc/systemd/system/etcd.service; systemctl daemon-reload; systemctl start etcd; echo ETCD_NAME=x >/etc/default/etcd
		dpkg -P etcd-node; systemctl is-active etcd; grep -q ETCD_NAME=x /etc/default/etcd; systemctl stop etcd; rm /etc/systemd/system/etcd.service; systemctl daemon-reload
		ln -s /opt/etcdctl /usr/bin/etcdctl`)
	if out := c.dpkg(1, files[later]); !strings.Contains(out, "kept /usr/bin/etcdctl as /usr/bin/etcdctl.before-etcd-node") {
		t.Errorf("%s", out)
	}
	c.run(1, "sh", "-ec", "dpkg -r etcd-node; test \"$(readlink /usr/bin/etcdctl)\" = /opt/etcdctl; rm /usr/bin/etcdctl; rm /etc/default/etcd")
	c.dpkg(1, files[later])
	// Its settings are gone, and a start would be refused: the check that is asked for says so.
	if out := c.run(1, "sh", "-c", "etcd-node check; echo exit code $?"); !containsAll(strings.Join(strings.Fields(out), " "), "holds one member of 3, and no cluster is configured", "exit code 1") {
		t.Errorf("the check: %s", out)
	}
	c.each(func(h *Host) error {
		_, err := h.Sh(t.Context(), "echo '"+c.initialCluster()+"' >>/etc/default/etcd; systemctl enable --now etcd")
		return err
	})
	c.serves(nil)
	if got := c.ids(); got != ids {
		t.Errorf("after the purge the members are %s, and were %s", got, ids)
	}
}

// ids are those of the cluster and its members.
func (c *cluster) ids() string {
	c.t.Helper()
	return c.run(1, "sh", "-c", "etcd-node ctl member list -w json | tr ',{' '\\n\\n' | grep -E '\"(cluster_id|ID)\"' | sort")
}

// boots tells one boot of each host from another; "" for a host that is down.
func (c *cluster) boots() (all []string) {
	for _, h := range c.Hosts {
		out, err := h.Run(c.t.Context(), "systemctl", "show", "-P", "UserspaceTimestampMonotonic")
		if err != nil {
			out = ""
		}
		all = append(all, out)
	}
	return all
}
