package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-node/etcd-node/test/poll"
)

// soon is how long a test waits for what takes a second or two on a machine
// with nothing else to do. How long things may take is for test/bench.
const soon = poll.Patience

// The lab is booted once, when the first test asks for it, with etcd-node
// installed on its hosts; each test then gets three of them as good as new. The
// fourth is for the one test that adds a machine.
var booted = sync.OnceValues(func() (*Lab, error) {
	// Two runs on one machine do not meet.
	l, err := Start(context.Background(), fmt.Sprintf("test%d", os.Getpid()), 4, os.Stderr)
	if err != nil {
		return nil, err
	}
	ended = append(ended, l.Close)
	return l, l.Install(context.Background())
})

var ended []func() error

func TestMain(m *testing.M) {
	code := m.Run()
	for _, end := range ended {
		if err := end(); err != nil {
			fmt.Fprintln(os.Stderr, "close the lab:", err)
			code = 1
		}
	}
	os.Exit(code)
}

// cluster is the three hosts, for the length of one test.
type cluster struct {
	*Lab
	t     *testing.T
	since string // when the test began, for journalctl
}

// hosts gives a test three hosts on which etcd has never run.
func hosts(t *testing.T) *cluster {
	t.Helper()
	l, err := booted()
	if errors.Is(err, ErrCannot) && os.Getenv("CI") != "true" {
		t.Skipf("needs three hosts with a real systemd: %v", err)
	} else if err != nil {
		t.Fatal(err)
	}
	c := &cluster{Lab: l.First(3), t: t}
	c.each(l.reset)
	c.since = c.run(1, "date", "+%s.%N")
	t.Cleanup(func() {
		if t.Failed() {
			c.describe()
		}
	})
	return c
}

// reset makes a host as good as new without a boot.
func (l *Lab) reset(h *Host) error {
	if err := h.Heal(context.Background()); err != nil {
		return err
	}
	_, err := h.Sh(context.Background(), `
		systemctl kill --signal=KILL etcd.service 2>/dev/null || true
		systemctl stop etcd.service
		systemctl reset-failed etcd.service 2>/dev/null || true
		rm -rf /var/lib/etcd /var/lib/etcd-node /var/log/etcd-node /etc/etcd /etc/systemd/system/etcd.service.d
		systemctl daemon-reload
		[ -e /etc/hosts.lab ] || cp /etc/hosts /etc/hosts.lab
		cp /etc/hosts.lab /etc/hosts
		[ -e /etc/default/etcd.installed ] || cp /etc/default/etcd /etc/default/etcd.installed
		cp /etc/default/etcd.installed /etc/default/etcd
		ip link del eth1 2>/dev/null || true
		ip address flush dev eth0 scope global
		ip address add `+h.IP+`/24 dev eth0`)
	return err
}

// describe prints what an operator would look at first.
func (c *cluster) describe() {
	for _, h := range c.Hosts {
		out, _ := h.Sh(context.Background(), `
			systemctl --no-pager --full --lines=0 status etcd || true
			journalctl --no-pager --output=short-precise --unit=etcd --since=@`+strings.TrimSpace(c.since)+` | tail -40
			grep -v -e '^#' -e '^$' /etc/default/etcd || true
			ip -brief address`)
		c.t.Logf("%s:\n%s", h.Name, out)
	}
}

func (c *cluster) host(i int) *Host { return c.Hosts[i-1] }

// each runs f for every host at once.
func (c *cluster) each(f func(*Host) error) {
	c.t.Helper()
	if err := c.Each(f); err != nil {
		c.t.Fatal(err)
	}
}

// run runs a command on host i.
func (c *cluster) run(i int, cmd ...string) string {
	c.t.Helper()
	out, err := c.host(i).Run(c.t.Context(), cmd...)
	if err != nil {
		c.t.Fatalf("%s: %v\n%s", c.host(i).Name, err, out)
	}
	return out
}

// warnings is what the catalogue has an operator read on host i. That is the
// log from level warn up: nothing of a lower one, and no priority as text.
func (c *cluster) warnings(i int) string {
	c.t.Helper()
	out := c.run(i, "journalctl", "-u", "etcd", "-p", "warning", "-n", "50", "--no-pager", "--output=cat", "--since=@"+strings.TrimSpace(c.since))
	if strings.Contains(out, `"level":"info"`) || strings.Contains("\n"+out, "\n<") {
		c.t.Errorf("journalctl -p warning:\n%s", out)
	}
	return out
}

// env writes the same /etc/default/etcd to every host.
func (c *cluster) env(lines ...string) {
	c.t.Helper()
	c.each(func(h *Host) error {
		return h.Write(c.t.Context(), "/etc/default/etcd", strings.Join(lines, "\n")+"\n", 0o644)
	})
}

// dropIn adds to the unit on host i, as `systemctl edit` would.
func (c *cluster) dropIn(i int, lines string) {
	c.t.Helper()
	if err := c.host(i).Write(c.t.Context(), "/etc/systemd/system/etcd.service.d/test.conf", lines, 0o644); err != nil {
		c.t.Fatal(err)
	}
	c.run(i, "systemctl", "daemon-reload")
}

// start starts etcd on the hosts at the same time (none given: on all) and
// returns when systemd calls it active.
func (c *cluster) start(hosts ...int) {
	c.t.Helper()
	if len(hosts) == 0 {
		hosts = []int{1, 2, 3}
	}
	errs := make([]error, len(hosts))
	var wg sync.WaitGroup
	ctx, cancel := context.WithTimeout(c.t.Context(), soon)
	defer cancel()
	for n, i := range hosts {
		wg.Go(func() { _, errs[n] = c.host(i).Run(ctx, "systemctl", "start", "etcd") })
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		c.t.Fatal(err)
	}
	for _, i := range hosts {
		if u := c.unit(i); u.ActiveState != "active" {
			c.t.Fatalf("%s after systemctl start: %v", c.host(i).Name, u)
		}
	}
}

func (c *cluster) unit(i int) Unit {
	c.t.Helper()
	u, err := c.host(i).Unit(c.t.Context(), "etcd.service")
	if err != nil {
		c.t.Fatal(err)
	}
	return u
}

// await polls the unit on host i until it is as wanted.
func (c *cluster) await(i int, what string, ok func(Unit) bool) Unit {
	c.t.Helper()
	var u Unit
	poll.Eventually(c.t, func() error {
		if u = c.unit(i); !ok(u) {
			return fmt.Errorf("%s is not %s: %v", c.host(i).Name, what, u)
		}
		return nil
	})
	return u
}

// status waits until the STATUS of host i holds all the texts.
func (c *cluster) status(i int, texts ...string) Unit {
	c.t.Helper()
	return c.await(i, fmt.Sprintf("saying %q", texts), func(u Unit) bool { return containsAll(u.StatusText, texts...) })
}

func containsAll(s string, texts ...string) bool {
	for _, text := range texts {
		if !strings.Contains(s, text) {
			return false
		}
	}
	return true
}

// procs are the supervisor and the member on host i.
func (c *cluster) procs(i int) (supervisor, member Proc) {
	c.t.Helper()
	main := c.unit(i).MainPID
	procs, err := c.host(i).Procs("etcd.service")
	if err != nil {
		c.t.Fatal(err)
	}
	for _, p := range procs {
		if p.Host == main {
			supervisor = p
		} else if len(p.Args) > 1 && p.Args[1] == "member" {
			member = p
		}
	}
	if supervisor.PID == 0 || member.PID == 0 || len(procs) != 2 {
		c.t.Fatalf("%s: want one supervisor and one member, got %+v (main pid %d)", c.host(i).Name, procs, main)
	}
	return supervisor, member
}

// leader is the number of the host whose member leads.
func (c *cluster) leader() (leader int) {
	c.t.Helper()
	poll.Eventually(c.t, func() error {
		for i := range c.Hosts {
			if strings.HasPrefix(c.unit(i+1).StatusText, "serving: leader") {
				leader = i + 1
				return nil
			}
		}
		return errors.New("no host says it leads")
	})
	return leader
}

// client is an http client of the hosts given.
func (c *cluster) client(hosts ...*Host) *clientv3.Client {
	c.t.Helper()
	cli, err := c.Client(nil, hosts...)
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { cli.Close() })
	return cli
}

// initialCluster is the ETCD_INITIAL_CLUSTER line of the three hosts.
func (c *cluster) initialCluster() string {
	var entries []string
	for _, h := range c.Hosts {
		entries = append(entries, h.Name+"=http://"+h.IP+":2380")
	}
	return "ETCD_INITIAL_CLUSTER=" + strings.Join(entries, ",")
}
