package lab

import (
	"strings"
	"testing"
)

// A machine with more addresses than one: the cluster list says which it is.
func TestManyAddresses(t *testing.T) {
	c := hosts(t)
	c.env(c.initialCluster())
	for i := range c.Hosts {
		c.secondNIC(i + 1)
		c.run(i+1, "ip", "address", "add", "fd00:7ab::5/64", "dev", "eth0", "nodad")
	}
	// keepalived's: on the first host only, and not marked secondary.
	c.run(1, "ip", "address", "add", "192.168.122.100/32", "dev", "eth0")
	c.start()
	c.serves(nil)
	for i, h := range c.Hosts {
		out := c.run(i+1, "etcd-node", "config")
		for _, want := range []string{"http://" + h.IP + ":2380", "eth0"} {
			if !strings.Contains(out, want) {
				t.Errorf("etcd-node config on %s does not name %s:\n%s", h.Name, want, out)
			}
		}
		for _, other := range []string{"10.99.0.", "192.168.122.100", "fd00"} {
			if strings.Contains(out, other) {
				t.Errorf("etcd-node config on %s took %s:\n%s", h.Name, other, out)
			}
		}
	}
}

// secondNIC gives host i another network, with the default route.
func (c *cluster) secondNIC(i int) {
	c.t.Helper()
	if _, err := c.host(i).Sh(c.t.Context(), `
		ip link add eth1 type veth peer name eth1-switch
		ip link set eth1-switch up
		ip link set eth1 up
		ip address add 10.99.0.5/24 dev eth1
		ip route add default via 10.99.0.1 dev eth1`); err != nil {
		c.t.Fatal(err)
	}
}

// ETCD_NODE_INTERFACE outranks eth0.
func TestInterface(t *testing.T) {
	c := hosts(t)
	c.secondNIC(1)
	c.env("ETCD_NODE_INTERFACE=eth1")
	c.start(1)
	if out := c.run(1, "etcd-node", "config"); !containsAll(out, "http://10.99.0.5:2379", "eth1") {
		t.Errorf("etcd-node config does not have the address of eth1:\n%s", out)
	}
	conn, err := c.host(1).Dial(t.Context(), "10.99.0.5:2379")
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
}

// DHCP is late: wait, say for what, and go on as soon as it is there.
func TestLateAddress(t *testing.T) {
	c := hosts(t)
	c.env(c.initialCluster(), "ETCD_NODE_BOOTSTRAP_WAIT=2s") // or the others wait for it
	c.run(1, "ip", "address", "flush", "dev", "eth0", "scope", "global")
	c.run(1, "systemctl", "start", "--no-block", "etcd")
	c.start(2, 3)
	u := c.status(1, "address", "eth0")
	if u.ActiveState != "activating" {
		t.Errorf("without an address: %v, want activating", u)
	}
	c.run(1, "ip", "address", "add", c.host(1).IP+"/24", "dev", "eth0")
	u = c.await(1, "active", func(u Unit) bool { return u.ActiveState == "active" })
	if u.NRestarts != 0 {
		t.Errorf("it took %d restarts, want it to wait", u.NRestarts)
	}
	c.agrees()
}

// A list without this machine's address: the interface with the listed one may
// still come, so the node waits, names both, and can be stopped.
func TestAddressNotInTheList(t *testing.T) {
	c := hosts(t)
	c.env(strings.ReplaceAll(c.initialCluster(), c.host(1).IP+":", "192.168.122.77:"))
	c.run(1, "systemctl", "start", "--no-block", "etcd")
	u := c.status(1, "no interface has 192.168.122.77 yet", "192.168.122.5", "correct ETCD_INITIAL_CLUSTER (/etc/default/etcd:1)")
	if u.ActiveState != "activating" {
		t.Errorf("%v, want activating", u)
	}
	c.env(c.initialCluster())
	c.run(1, "systemctl", "stop", "etcd")
	c.start()
	c.agrees()
}

// What would have to be guessed is refused: the unit fails, is not tried
// again, and what systemctl status shows names the variable that settles it.
func TestRefusals(t *testing.T) {
	for _, tc := range []struct {
		name string
		env  func(c *cluster) []string
		said []string
	}{{
		name: "a name that is not in the cluster",
		env:  func(c *cluster) []string { return []string{c.initialCluster(), "ETCD_NAME=etcd-9"} },
		said: []string{"etcd-9", "ETCD_NAME"},
	}, {
		name: "two lists that contradict each other",
		env: func(c *cluster) []string {
			return []string{c.initialCluster(), "ETCD_1=etcd-1", "ETCD_IP_1=192.168.122.77"}
		},
		said: []string{"ETCD_1", "ETCD_INITIAL_CLUSTER"},
	}, {
		name: "two addresses, and nothing that tells which",
		env: func(c *cluster) []string {
			c.run(1, "ip", "address", "add", "192.168.122.100/32", "dev", "eth0")
			return []string{"ETCD_NODE_INTERFACE=eth0"}
		},
		said: []string{"192.168.122.5", "192.168.122.100", "ETCD_PEER"},
	}} {
		t.Run(tc.name, func(t *testing.T) {
			c := hosts(t)
			c.env(tc.env(c)...)
			if out, err := c.host(1).Run(t.Context(), "systemctl", "start", "etcd"); err == nil {
				t.Fatalf("systemctl start succeeded: %s", out)
			}
			// A unit that systemd means to start again is activating until then.
			u := c.unit(1)
			if u.ActiveState != "failed" || u.ExitStatus != 78 || u.NRestarts != 0 {
				t.Errorf("%v\nwant failed with exit 78, and left alone", u)
			}
			if !containsAll(u.StatusText, append(tc.said, "failed: ")...) {
				t.Errorf("STATUS %q, want it to name %q", u.StatusText, tc.said)
			}
			if out, _ := c.host(1).Run(t.Context(), "systemctl", "--no-pager", "--full", "status", "etcd"); !containsAll(out, tc.said...) {
				t.Errorf("systemctl status does not name %q:\n%s", tc.said, out)
			}
			// Also what is said in plain text, before there is a log.
			if out := c.warnings(1); !containsAll(out, tc.said...) {
				t.Errorf("journalctl -p warning does not name %q:\n%s", tc.said, out)
			}
		})
	}
}

// A package's upgrade, or a hand, has put the empty template in the place of
// the configuration. The member would serve on, where nobody reaches it.
func TestConfigurationLost(t *testing.T) {
	c := hosts(t)
	c.env(c.initialCluster())
	c.start()
	c.serves(nil)
	c.run(1, "cp", "/etc/default/etcd", "/etc/default/etcd.old")
	c.run(1, "cp", "/dev/null", "/etc/default/etcd")
	if out, err := c.host(1).Run(t.Context(), "systemctl", "restart", "etcd"); err == nil {
		t.Fatalf("systemctl restart succeeded: %s", out)
	}
	u := c.unit(1)
	if said := []string{"failed: ", "nothing is configured", c.host(1).IP + ":2380", "OTHER-NODE:/etc/default/etcd"}; u.ExitStatus != 78 || !containsAll(u.StatusText, said...) {
		t.Errorf("%v, want exit 78 and STATUS to name %q", u, said)
	}
	c.run(1, "mv", "/etc/default/etcd.old", "/etc/default/etcd")
	c.start(1)
	c.serves(nil)
}
