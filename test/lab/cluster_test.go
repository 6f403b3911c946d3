package lab

import (
	"context"
	"crypto/tls"
	"fmt"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// The same env file on three hosts, systemctl start, one cluster.
func TestOneFileOneCluster(t *testing.T) {
	t.Run("ETCD_INITIAL_CLUSTER", func(t *testing.T) {
		c := hosts(t)
		c.env(c.initialCluster(), "ETCD_INITIAL_CLUSTER_TOKEN=one-file")
		c.start()
		c.serves(nil)
	})

	// The lines of the shell snippet that operators paste into each machine's
	// terminal today, with what systemd does not expand.
	t.Run("pasted snippet", func(t *testing.T) {
		c := hosts(t)
		lines := []string{
			`ETCD_PEER=$(ip addr show eth0 | grep "inet\b" | awk '{print $2}' | cut -d/ -f1)`,
			`ETCD_NAME=$(hostname -s)`,
			`ETCD_TOKEN=one-file`,
		}
		for i, h := range c.Hosts {
			lines = append(lines, fmt.Sprintf("ETCD_%d=%s", i+1, h.Name), fmt.Sprintf("ETCD_IP_%d=%s", i+1, h.IP))
		}
		c.env(lines...)
		c.start()
		c.serves(nil)
	})

	t.Run("TLS", func(t *testing.T) {
		c := hosts(t)
		pki := NewPKI(c.Hosts)
		c.each(func(h *Host) error { return pki.Install(t.Context(), h) })
		c.env(append(pki.Env(), strings.ReplaceAll(c.initialCluster(), "http://", "https://"))...)
		c.start()
		c.serves(pki.TLS())
	})

	t.Run("DNS names", func(t *testing.T) {
		c := hosts(t)
		// As Debian's installer leaves it: one's own name is a loopback address.
		c.each(func(h *Host) error {
			_, err := h.Sh(t.Context(), "sed -i '1i 127.0.1.1 "+h.Name+".lab.example "+h.Name+"' /etc/hosts")
			return err
		})
		lines := c.initialCluster()
		for _, h := range c.Hosts {
			lines = strings.ReplaceAll(lines, h.IP, h.Name+".lab.example")
		}
		c.env(lines)
		c.start()
		c.serves(nil)
	})

	t.Run("IPv6", func(t *testing.T) {
		c := hosts(t)
		lines := c.initialCluster()
		for i, h := range c.Hosts {
			ip6 := fmt.Sprintf("fd00:7ab::%d", i+1)
			// Duplicate address detection: tentative for a second or two.
			c.run(i+1, "ip", "address", "add", ip6+"/64", "dev", "eth0")
			lines = strings.ReplaceAll(lines, h.IP, "["+ip6+"]")
		}
		c.env(lines)
		c.start()
		c.agrees()
	})
}

// serves: what is put on one host is read on every other, and systemctl status
// tells who leads and who is there.
func (c *cluster) serves(config *tls.Config) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), soon)
	defer cancel()
	for i, h := range c.Hosts {
		cli, err := c.Client(config, h)
		if err != nil {
			c.t.Fatal(err)
		}
		defer cli.Close()
		if i == 0 {
			if _, err := cli.Put(ctx, "from", h.Name); err != nil {
				c.t.Fatalf("put on %s: %v", h.Name, err)
			}
		}
		got, err := cli.Get(ctx, "from")
		if err != nil {
			c.t.Fatalf("get on %s: %v", h.Name, err)
		}
		if len(got.Kvs) != 1 || string(got.Kvs[0].Value) != c.Hosts[0].Name {
			c.t.Fatalf("%s has %v, want what was put on %s", h.Name, got.Kvs, c.Hosts[0].Name)
		}
	}
	c.agrees()
}

// agrees: `systemctl status` on each host names the same leader and counts
// three members.
func (c *cluster) agrees() {
	c.t.Helper()
	leader := c.leader()
	for i, h := range c.Hosts {
		want := "serving: follower of " + c.host(leader).Name + ", 3 of 3 members"
		if i+1 == leader {
			want = "serving: leader, 3 of 3 members"
		}
		c.status(i+1, want)
		if out := c.run(i+1, "systemctl", "--no-pager", "--full", "status", "etcd"); !strings.Contains(out, want) {
			c.t.Errorf("systemctl status on %s does not say %q:\n%s", h.Name, want, out)
		}
	}
}

// With the file as make install laid it down: one member, and nothing on the
// network that nobody asked for.
func TestNothingConfigured(t *testing.T) {
	c := hosts(t)
	c.start(1)
	c.status(1, "serving: leader, 1 of 1 member")
	conn, err := c.host(1).Dial(t.Context(), "127.0.0.1:2379")
	if err != nil {
		t.Fatalf("no client port on loopback: %v", err)
	}
	conn.Close()
	for _, port := range []string{":2379", ":2380"} {
		if conn, err := c.Dial(t.Context(), c.host(1).IP+port); err == nil {
			conn.Close()
			t.Errorf("port %s is open on the network", port)
		}
	}
}

// ETCD_NODE_READY=all: serving is not enough, everybody has to be there.
func TestReadyAll(t *testing.T) {
	c := hosts(t)
	c.env(c.initialCluster(), "ETCD_NODE_READY=all")
	c.run(1, "systemctl", "start", "--no-block", "etcd")
	c.run(2, "systemctl", "start", "--no-block", "etcd")
	for i := 1; i <= 2; i++ {
		c.status(i, "joining: 2 of 3 members", "ETCD_NODE_READY=all", "etcd-3")
		if u := c.unit(i); u.ActiveState != "activating" {
			t.Errorf("%s: %v, want activating while etcd-3 is missing", c.host(i).Name, u)
		}
	}
	// Not ready for systemd, but a quorum for clients.
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	if _, err := c.client(c.host(1)).Put(ctx, "k", "v"); err != nil {
		t.Errorf("put while waiting for etcd-3: %v", err)
	}
	c.start(3)
	for i := 1; i <= 3; i++ {
		c.await(i, "active", func(u Unit) bool { return u.ActiveState == "active" })
	}
}

// Clients with an open watch and a lease that is kept alive, as in real life:
// they are what makes stock etcd slow to stop.
func (c *cluster) busyClients() {
	c.t.Helper()
	for _, h := range c.Hosts {
		cli := c.client(h)
		ctx, cancel := context.WithTimeout(c.t.Context(), soon)
		lease, err := cli.Grant(ctx, 60)
		cancel()
		if err != nil {
			c.t.Fatalf("grant a lease on %s: %v", h.Name, err)
		}
		if _, err := cli.KeepAlive(c.t.Context(), lease.ID); err != nil {
			c.t.Fatal(err)
		}
		watch := cli.Watch(clientv3.WithRequireLeader(c.t.Context()), "w", clientv3.WithPrefix(), clientv3.WithCreatedNotify())
		select {
		case <-watch:
		case <-time.After(soon):
			c.t.Fatalf("no watch on %s", h.Name)
		}
	}
}
