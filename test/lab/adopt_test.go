package lab

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/etcd-node/etcd-node/test/poll"
	"github.com/etcd-node/etcd-node/test/prober"
)

// stocks puts stock etcd on the hosts, of this release or another, and takes all of it
// away at the end.
func stocks(t *testing.T, release string) *cluster {
	t.Helper()
	c := hosts(t)
	install := c.InstallStock
	if release != "" {
		install = func(ctx context.Context) error { return c.InstallRelease(ctx, release) }
	}
	if err := install(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.each(func(h *Host) error {
			_, err := h.Sh(context.Background(), `systemctl disable --now etcd 2>/dev/null || true
				rm -rf /usr/bin/etcd /usr/bin/etcdctl /usr/bin/etcdutl /etc/systemd/system/etcd.service /etc/systemd/system/etcd.service.d /etc/etcd.env /srv/etcd /var/backups/etcd-node
				systemctl daemon-reload; systemctl enable etcd`)
			return err
		})
	})
	return c
}

// runsStock starts a unit of stock etcd on host i, with its files.
func (c *cluster) runsStock(i int, unit string, files map[string]string) {
	c.t.Helper()
	if files == nil {
		files = map[string]string{}
	}
	files["/etc/systemd/system/etcd.service"] = unit
	for path, content := range files {
		if err := c.host(i).Write(c.t.Context(), path, strings.ReplaceAll(content, "IP", c.host(i).IP), 0o644); err != nil {
			c.t.Fatal(err)
		}
	}
	c.run(i, "sh", "-ec", "install -d -o etcd -g etcd -m 0700 /var/lib/etcd; systemctl daemon-reload; systemctl enable etcd; systemctl start --no-block etcd")
}

// twelveFlags is the unit of the shell snippet's guide on a host.
func (c *cluster) twelveFlags(h *Host, dir string) string {
	return fmt.Sprintf(flagsUnit, strings.Join([]string{
		"--name=" + h.Name, "--data-dir=" + dir,
		"--listen-peer-urls=http://IP:2380", "--listen-client-urls=http://IP:2379,http://127.0.0.1:2379",
		"--initial-advertise-peer-urls=http://IP:2380", "--advertise-client-urls=http://IP:2379",
		"--initial-cluster=" + strings.TrimPrefix(c.initialCluster(), "ETCD_INITIAL_CLUSTER="),
		"--initial-cluster-token=my-etcd", "--initial-cluster-state=new",
		"--heartbeat-interval=100", "--election-timeout=1000", "--auto-compaction-retention=1",
	}, " "))
}

// memberIDs are what a client is told of the cluster and its members.
func (c *cluster) memberIDs() string {
	c.t.Helper()
	return c.run(1, "sh", "-c", "/usr/bin/etcdctl member list -w json | tr ',{' '\\n\\n' | grep -E '\"(cluster_id|ID)\"' | sort")
}

// A running cluster of stock etcd is taken over host by host, under load, and given
// back in the same way: the same members with the same data.
func TestAdopt(t *testing.T) { adoption(t, "") }

// The same of an etcd of another release, for which it is fetched and built:
// ETCD_NODE_STOCK=v3.6.16 make adopt-older.
func TestAdoptOlder(t *testing.T) {
	release := os.Getenv("ETCD_NODE_STOCK")
	if release == "" {
		t.Skip("needs a release of etcd to begin with (ETCD_NODE_STOCK=v3.6.16, or make adopt-older)")
	}
	adoption(t, release)
}

func adoption(t *testing.T, release string) {
	c := stocks(t, release)
	for i, h := range c.Hosts {
		c.runsStock(i+1, c.twelveFlags(h, "/var/lib/etcd"), nil)
	}
	c.healthy()
	ids := c.memberIDs()
	original := c.run(1, "cat", "/etc/systemd/system/etcd.service")
	installed := c.run(1, "cat", "/etc/default/etcd")
	written := c.ledger()
	open, answers := c.client(c.Hosts...), c.client(c.Hosts...)
	under := func(what string, i int, do func()) {
		t.Helper()
		gaps := prober.Start(10*time.Millisecond, 5*time.Second, prober.Put("open", open))
		closed := prober.StartClosed(5*time.Second, prober.Put("closed", answers))
		do()
		g, s := gaps.Stop()[0], closed.Stop()[0]
		t.Logf("%s on %s: gap %v, slowest answer %v, %d of %d failed", what, c.host(i).Name, g.Gap.Round(time.Millisecond), s.Slowest().Round(time.Millisecond), s.Failures, s.Tries)
	}
	for i := range c.Hosts { // what stock's own restart costs, to compare
		under("stock's restart", i+1, func() {
			c.run(i+1, "systemctl", "restart", "etcd")
			c.healthy()
		})
	}
	for i := range c.Hosts {
		if out := c.run(i+1, "etcd-node", "adopt"); !containsAll(out, "all 12 settings of the other etcd come out the same", "nothing was changed; to do it: etcd-node adopt --write",
			"ETCD_INITIAL_CLUSTER=etcd-1=", "  name=etcd-", "  listen-peer-urls=", "move /etc/systemd/system/etcd.service aside") || strings.Contains(out, "ETCD_NAME") {
			t.Fatalf("the plan: %s", out)
		}
		under("adopt", i+1, func() {
			if out := c.run(i+1, "etcd-node", "adopt", "--write"); !containsAll(out, "adopt: done", "3 of 3 members") {
				t.Errorf("%s", out)
			}
			c.healthy()
		})
		if out := c.run(i+1, "systemctl", "is-enabled", "etcd"); out != "enabled\n" {
			t.Errorf("is-enabled: %s", out)
		}
	}
	if got := c.memberIDs(); got != ids {
		t.Errorf("the members are %s, and were %s", got, ids)
	}
	if a, b := c.run(1, "cat", "/etc/default/etcd"), c.run(2, "cat", "/etc/default/etcd"); a != b {
		t.Errorf("the env files differ:\n%s\n%s", a, b)
	}
	c.agrees()
	if out, err := c.host(1).Run(t.Context(), "etcd-node", "adopt"); err == nil || !strings.Contains(err.Error(), "there is nothing to adopt") {
		t.Errorf("adopted twice: %s, %v", out, err)
	}
	if release != "" { // all are 3.7 now, and so is the cluster in a moment
		storage := func(version string) {
			t.Helper()
			poll.Eventually(t, func() error {
				if out := c.run(1, "sh", "-c", "etcd-node ctl endpoint status --cluster -w json"); strings.Count(out, `"storageVersion":"`+version+`"`) != len(c.Hosts) {
					return fmt.Errorf("the members are not at %s: %s", version, out)
				}
				return nil
			})
		}
		storage("3.7.0")
		if out, err := c.host(1).Run(t.Context(), "etcd-node", "adopt", "--undo"); err == nil || !strings.Contains(err.Error(), "etcd-node ctl downgrade enable 3.6") {
			t.Errorf("back to %s without a downgrade: %s, %v", release, out, err)
		}
		c.run(1, "sh", "-c", "etcd-node ctl downgrade validate 3.6 && etcd-node ctl downgrade enable 3.6")
		storage("3.6.0")
	}
	for i := range c.Hosts {
		under("undo", i+1, func() {
			c.run(i+1, "etcd-node", "adopt", "--undo")
			c.healthy()
		})
	}
	written.check()
	if got := c.memberIDs(); got != ids {
		t.Errorf("the members are %s, and were %s", got, ids)
	}
	if got := c.run(1, "cat", "/etc/systemd/system/etcd.service"); got != original {
		t.Errorf("the unit is\n%s\nand was\n%s", got, original)
	}
	if got := c.run(1, "cat", "/etc/default/etcd"); got != installed {
		t.Errorf("the env file is\n%s\nand was\n%s", got, installed)
	}
	if out := c.run(1, "sh", "-c", "ps -o args= -p $(systemctl show -P MainPID etcd); find /var/lib/etcd -name reserve; systemctl is-enabled etcd"); !strings.HasPrefix(out, "/usr/bin/etcd ") || strings.Contains(out, "reserve") || !strings.Contains(out, "enabled") {
		t.Errorf("after the undo: %s", out)
	}
}

// healthy waits until each member answers a linearizable read.
func (c *cluster) healthy() {
	c.t.Helper()
	poll.Eventually(c.t, func() error {
		for i := range c.Hosts {
			if out, err := c.host(i+1).Run(c.t.Context(), "/usr/bin/etcdctl", "--endpoints=http://"+c.host(i+1).IP+":2379", "endpoint", "health"); err != nil {
				return fmt.Errorf("%w: %s", err, out)
			}
		}
		return nil
	})
}

// The units of Debian, Fedora and kubespray, and data that lies elsewhere.
func TestAdoptUnits(t *testing.T) {
	c := stocks(t, "")
	pki := NewPKI(c.Hosts)
	c.each(func(h *Host) error { return pki.Install(t.Context(), h) })
	adopts := func(i int, wants ...string) {
		t.Helper()
		c.await(i, "serving stock etcd", func(u Unit) bool { return u.ActiveState == "active" })
		before := c.run(i, "cat", "/etc/systemd/system/etcd.service")
		out := c.run(i, "etcd-node", "adopt", "--write")
		if !containsAll(out, append(wants, "come out the same", "adopt: done")...) {
			t.Errorf("%s: %s", c.host(i).Name, out)
		}
		c.run(i, "systemctl", "restart", "etcd")
		c.run(i, "etcd-node", "adopt", "--undo")
		c.await(i, "serving stock etcd", func(u Unit) bool { return u.ActiveState == "active" })
		if after := c.run(i, "cat", "/etc/systemd/system/etcd.service"); after != before {
			t.Errorf("%s: the unit is %s", c.host(i).Name, after)
		}
	}
	t.Run("Debian", func(t *testing.T) {
		c.runsStock(1, debianUnit, nil)
		adopts(1, "ETCD_DATA_DIR=/var/lib/etcd/default\n", "ETCD_NAME=etcd-1")
	})
	t.Run("Fedora", func(t *testing.T) {
		// As it is with etcd 3.7, which does not take a flag and its variable.
		unit := strings.Replace(fedoraUnit, ` --name=\"${ETCD_NAME}\" --data-dir=\"${ETCD_DATA_DIR}\" --listen-client-urls=\"${ETCD_LISTEN_CLIENT_URLS}\"`, "", 1)
		c.runsStock(2, unit, map[string]string{"/etc/etcd/etcd.conf": fedoraConf})
		adopts(2, "  data-dir=/var/lib/etcd/default.etcd\n")
	})
	t.Run("kubespray", func(t *testing.T) {
		env := strings.ReplaceAll(kubesprayEnv, "ETCD_PROXY=off\n", "") + strings.Join(pki.Env(), "\n") + "\n"
		c.runsStock(3, kubesprayUnit, map[string]string{"/etc/etcd.env": env})
		adopts(3, "ETCD_CERT_FILE=", "ETCD_HEARTBEAT_INTERVAL=250")
	})
	t.Run("elsewhere, as root", func(t *testing.T) {
		c.run(1, "sh", "-ec", "systemctl stop etcd; rm -rf /var/lib/etcd; mkdir -p /srv/etcd; chmod 0700 /srv/etcd")
		if _, err := c.host(1).Sh(t.Context(), "etcd-node forget"); err != nil {
			t.Fatal(err)
		}
		unit := strings.NewReplacer("User=etcd\n", "", "StateDirectory=etcd\n", "", "StateDirectoryMode=0700\n", "").Replace(c.twelveFlags(c.host(1), "/srv/etcd"))
		unit = strings.Replace(unit, "--initial-cluster="+strings.TrimPrefix(c.initialCluster(), "ETCD_INITIAL_CLUSTER="), "--initial-cluster=etcd-1=http://IP:2380", 1)
		c.runsStock(1, unit, nil)
		adopts(1, "ETCD_DATA_DIR=/srv/etcd\n", "write /etc/systemd/system/etcd.service.d/adopted.conf")
		if out := c.run(1, "stat", "-c", "%U", "/srv/etcd/member/snap/db"); out != "root\n" {
			t.Errorf("after the undo the data is %s's", out)
		}
	})
}

// An adoption that was killed in the middle is taken back by --undo, and not begun again
// on what it left; while another member is down none is begun.
func TestAdoptInterrupted(t *testing.T) {
	c := stocks(t, "")
	// Stock etcd that takes its time to stop.
	for i, h := range c.Hosts {
		slow := strings.Replace(c.twelveFlags(h, "/var/lib/etcd"), "[Install]", "ExecStop=/bin/sleep 3\n\n[Install]", 1)
		c.runsStock(i+1, slow, map[string]string{"/etc/systemd/system/etcd.service.d/more.conf": "[Service]\nNice=-5\n"})
	}
	c.healthy()
	c.run(1, "etcd-node", "ctl", "put", "k", "v")
	state := func() string {
		return c.run(1, "sh", "-c", "cat /etc/systemd/system/etcd.service /etc/systemd/system/etcd.service.d/* /etc/default/etcd; stat -c '%U %a %n' /var/lib/etcd /var/lib/etcd/member/snap/db; systemctl is-enabled etcd; ls /etc/systemd/system/etcd.service.d; ls /var/lib/etcd-node/pin.json 2>/dev/null || true")
	}
	before := state()

	c.run(2, "systemctl", "stop", "etcd")
	if out, err := c.host(1).Run(t.Context(), "etcd-node", "adopt", "--write"); err == nil || !containsAll(err.Error(), "the other members are needed while this one is down", "etcd-2 does not answer") {
		t.Errorf("while a member is down: %v\n%s", err, out)
	}
	if after := state(); after != before {
		t.Errorf("it was refused, and now there is\n%s\nbefore\n%s", after, before)
	}
	c.run(2, "systemctl", "start", "etcd")
	c.healthy()

	c.run(1, "sh", "-c", "etcd-node adopt --write >/tmp/adopt.log 2>&1 & echo $! >/run/adopt.pid")
	poll.Eventually(t, func() error {
		if out := c.run(1, "cat", "/tmp/adopt.log"); !strings.Contains(out, "stopping etcd.service") {
			return fmt.Errorf("it has not come to the stop: %s", out)
		}
		return nil
	})
	c.run(1, "sh", "-c", "kill -KILL $(cat /run/adopt.pid); rm /tmp/adopt.log")
	c.await(1, "stopped", func(u Unit) bool { return u.ActiveState == "inactive" })
	// What the other etcd reads is as it was, for it was to stop first.
	if after := state(); strings.Replace(after, "disabled\n", "enabled\n", 1) != before {
		t.Errorf("before the other etcd had stopped there was\n%s\nbefore\n%s", after, before)
	}
	for _, command := range []string{"etcd-node adopt", "etcd-node adopt --write"} {
		if _, err := c.host(1).Run(t.Context(), "sh", "-c", command); err == nil || !strings.Contains(err.Error(), "was interrupted: etcd-node adopt --undo") {
			t.Errorf("once more: %v", err)
		}
	}
	c.run(1, "etcd-node", "adopt", "--undo")
	c.healthy()
	if after := state(); after != before {
		t.Errorf("after the undo there is\n%s\nbefore\n%s", after, before)
	}
	if out := c.run(1, "etcd-node", "adopt", "--write"); !containsAll(out, "adopt: done", "Nice=-5 of /etc/systemd/system/etcd.service.d/more.conf is not taken over", "LimitNOFILE=65536 of", "ExecStop=/bin/sleep 3") {
		t.Errorf("%s", out)
	}
	if out := c.run(1, "sh", "-c", "etcd-node ctl get k; ls /etc/systemd/system/etcd.service.d"); !strings.Contains(out, "k\nv\n") || strings.Contains(out, "more.conf") {
		t.Errorf("%s", out)
	}

	// Without a quorum the member does not serve, and is given back all the same.
	c.run(2, "systemctl", "stop", "etcd")
	c.run(3, "systemctl", "stop", "etcd")
	c.run(1, "systemctl", "restart", "--no-block", "etcd")
	c.status(1, "joining: ")
	c.run(1, "sh", "-c", "etcd-node adopt --undo --force >/tmp/undo.log 2>&1 &")
	poll.Eventually(t, func() error {
		if out := c.run(1, "cat", "/tmp/undo.log"); !strings.Contains(out, "starting etcd.service") {
			return fmt.Errorf("the undo: %s", out)
		}
		return nil
	})
	c.run(2, "systemctl", "start", "--no-block", "etcd")
	c.run(3, "systemctl", "start", "--no-block", "etcd")
	c.healthy()
	poll.Eventually(t, func() error {
		if out := c.run(1, "cat", "/tmp/undo.log"); !strings.Contains(out, "undo: done") {
			return fmt.Errorf("the undo: %s", out)
		}
		return nil
	})
	c.run(1, "rm", "/tmp/undo.log")
	if after := state(); after != before {
		t.Errorf("after the undo there is\n%s\nbefore\n%s", after, before)
	}
}
