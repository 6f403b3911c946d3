package lab

import (
	"context"
	"crypto/tls"
	"strings"
	"testing"
	"time"

	"github.com/etcd-node/etcd-node/test/prober"
)

const (
	// gapLimit is how long a client may not be able to write in the middle of it.
	gapLimit = 500 * time.Millisecond
	// clientPatience is how long such a client waits for an answer. A put that is
	// on its way to a leader which hands over may get none; the next one does.
	clientPatience = 300 * time.Millisecond
)

// TestTLSWalk does what docs/operations.md says about TLS on a live cluster,
// while clients write: first the members among each other, then the clients.
func TestTLSWalk(t *testing.T) {
	c := hosts(t)
	c.env(c.initialCluster())
	c.start()
	c.serves(nil)
	pki := NewPKI(c.Hosts)
	c.each(func(h *Host) error { return pki.Install(t.Context(), h) })
	list := strings.ReplaceAll(c.initialCluster(), "http://", "https://")

	// Members: a round of restarts with the files, and one with `member update`.
	w := c.writing(nil, "2379")
	c.env(append(pki.Peers(), list)...)
	for i := range c.Hosts {
		c.status(i+1, "serving: ", "3 of 3 members")
		out := c.run(i+1, "etcd-node", "config") // stderr is not here
		if !strings.Contains(out, "https://"+c.host(i+1).IP+":2380") {
			t.Errorf("config:\n%s", out)
		}
		w.restart(i + 1)
		c.connected()
		c.status(i+1, "the data knows this member under http://"+c.host(i+1).IP+":2380, the list says https://"+c.host(i+1).IP+":2380",
			"first `etcd-node ctl member update")
	}
	for i := range c.Hosts {
		c.run(i+1, "sh", "-ec", `$(etcd-node explain other-urls | grep -m 1 '^ *etcd-node ctl member update')`)
		w.restart(i + 1)
		c.connected()
	}
	w.stop()
	c.well()
	for i, h := range c.Hosts {
		if conn, err := c.Dial(t.Context(), h.IP+":2380"); err != nil {
			t.Error(err)
		} else {
			shake := tls.Client(conn, &tls.Config{InsecureSkipVerify: true})
			if err := shake.HandshakeContext(t.Context()); err != nil && !strings.Contains(err.Error(), "certificate required") {
				t.Errorf("peer port of %s: %v", h.Name, err)
			}
			conn.Close()
		}
		if out := c.run(i+1, "etcdctl", "member", "list"); strings.Contains(out, "http://"+h.IP+":2380") || !strings.Contains(out, "https://"+h.IP+":2380") {
			t.Errorf("member list:\n%s", out)
		}
	}

	// Clients: TLS on a second port, then on the first one, then only there.
	w = c.writing(nil, "2379")
	c.env(append(pki.Env(), list, "ETCD_LISTEN_CLIENT_URLS=http://0.0.0.0:2379,https://0.0.0.0:2377")...)
	w.round()
	w.stop()
	w = c.writing(pki.TLS(), "2377")
	c.env(append(pki.Env(), list, "ETCD_LISTEN_CLIENT_URLS=https://0.0.0.0:2379,https://0.0.0.0:2377")...)
	w.round()
	w.stop()
	w = c.writing(pki.TLS(), "2379")
	c.env(append(pki.Env(), list)...)
	w.round()
	w.stop()
	c.serves(pki.TLS())
	c.well()
	// etcdctl takes port and files from this node.
	if out := c.run(2, "etcd-node", "ctl", "endpoint", "health"); !strings.Contains(out, "https://"+c.host(2).IP+":2379 is healthy") {
		t.Errorf("etcd-node ctl: %s", out)
	}
}

// The same in the wrong order: nothing comes to a halt, and what is shown names
// the right one.
func TestTLSInTheWrongOrder(t *testing.T) {
	c := hosts(t)
	c.env(c.initialCluster())
	c.start()
	c.serves(nil)
	pki := NewPKI(c.Hosts)
	list := strings.ReplaceAll(c.initialCluster(), "http://", "https://")

	// `member update` before there are certificates.
	w := c.writing(nil, "2379")
	id := strings.Fields(c.run(1, "sh", "-c", `etcd-node status | grep 'this member'`))
	c.run(1, "etcdctl", "member", "update", id[len(id)-1], "--peer-urls=https://"+c.host(1).IP+":2380")
	c.status(1, "for which it has no certificate; if they have theirs, give it its own and the list of https, else take it back: `etcd-node ctl member update "+id[len(id)-1]+" --peer-urls=http://"+c.host(1).IP+":2380 --endpoints=http://"+c.host(1).IP+":2379`")
	c.run(1, "etcdctl", "member", "update", id[len(id)-1], "--peer-urls=http://"+c.host(1).IP+":2380")
	c.connected()

	// One machine goes all the way before the others have their certificates: they
	// cannot dial it, but it dials them.
	c.each(func(h *Host) error { return pki.Install(t.Context(), h) })
	file := strings.Join(append(pki.Peers(), list), "\n") + "\n"
	if err := c.host(1).Write(t.Context(), "/etc/default/etcd", file, 0o644); err != nil {
		t.Fatal(err)
	}
	w.restart(1)
	c.connected()
	c.run(1, "etcdctl", "member", "update", id[len(id)-1], "--peer-urls=https://"+c.host(1).IP+":2380")
	w.restart(1)
	c.status(2, "serving: ", "missing etcd-1", "TLS")
	c.status(3, "serving: ", "missing etcd-1", "TLS")
	c.env(append(pki.Peers(), list)...)
	for i := 2; i <= 3; i++ {
		w.restart(i)
		c.status(i, "serving: ", "3 of 3 members")
	}
	c.run(1, "etcdctl", "member", "update", id[len(id)-1], "--peer-urls=http://"+c.host(1).IP+":2380") // and back
	w.restart(1)
	w.stop()

	// All machines restarted with the list of https, and no `member update`.
	w = c.writing(nil, "2379")
	w.round()
	w.stop()
	for i := range c.Hosts {
		c.status(i+1, "3 of 3 members", "the data counts, and it listens without TLS", "first `etcd-node ctl member update")
	}
	// And all at once, which takes a cluster down for as long as it starts.
	c.each(func(h *Host) error {
		_, err := h.Run(t.Context(), "systemctl", "restart", "etcd")
		return err
	})
	c.connected()
}

// well: serving, all connected, and nothing wrong.
func (c *cluster) well() {
	c.t.Helper()
	c.connected()
	for i, h := range c.Hosts {
		if out := c.run(i+1, "etcd-node", "status"); strings.Contains(out, "warning") {
			c.t.Errorf("%s:\n%s", h.Name, out)
		}
	}
}

// connected: every member serves and sees all others.
func (c *cluster) connected() {
	c.t.Helper()
	for i := range c.Hosts {
		c.status(i+1, "serving: ", "3 of 3 members")
	}
}

// writing is clients that write while something is done to the cluster: one
// that knows all members, and one of each member alone.
type writing struct {
	c        *cluster
	any      *prober.Prober
	machine  *prober.Prober
	targets  []prober.Target
	worst    time.Duration
	worstOf  string
	restarts int
}

// writing begins to write, through the client port given.
func (c *cluster) writing(config *tls.Config, port string) *writing {
	c.t.Helper()
	w := &writing{c: c}
	scheme := map[bool]string{false: "http://", true: "https://"}[config != nil]
	var all []string
	for _, h := range c.Hosts {
		endpoint := scheme + h.IP + ":" + port
		all = append(all, endpoint)
		cli, err := c.clientOf(config, endpoint)
		if err != nil {
			c.t.Fatal(err)
		}
		c.t.Cleanup(func() { cli.Close() })
		w.targets = append(w.targets, prober.Put(h.Name, cli))
	}
	cli, err := c.clientOf(config, all...)
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { cli.Close() })
	w.any = prober.StartClosed(clientPatience, prober.Put("any", cli))
	// What this machine itself holds up is not the cluster's.
	w.machine = prober.Start(10*time.Millisecond, time.Second, prober.Target{Name: "machine", Try: func(context.Context) error { return nil }})
	return w
}

// restart restarts the member of host i, while clients of the two others write.
func (w *writing) restart(i int) {
	w.c.t.Helper()
	var others []prober.Target
	for j, x := range w.targets {
		if j != i-1 {
			others = append(others, x)
		}
	}
	open, closed := prober.Start(10*time.Millisecond, 5*time.Second, others...), prober.StartClosed(clientPatience, others...)
	time.Sleep(100 * time.Millisecond) // they have connected
	open.Mark()
	closed.Mark()
	w.c.run(i, "systemctl", "restart", "etcd")
	for _, results := range [][]prober.Result{closed.Stop(), open.Stop()} {
		for j, r := range results {
			w.restarts++
			w.c.t.Logf("restart of %s: gap through %s %v, %d of %d puts failed (%v)", w.c.host(i).Name, others[j].Name, r.Gap.Round(time.Millisecond), r.Failures, r.Tries, r.LastErr)
			if r.Gap > w.worst {
				w.worst, w.worstOf = r.Gap, others[j].Name+" while "+w.c.host(i).Name+" was restarted"
			}
		}
	}
}

// round restarts one after the other, as docs/operations.md has it.
func (w *writing) round() {
	w.c.t.Helper()
	for i := range w.c.Hosts {
		w.restart(i + 1)
		w.c.connected()
	}
}

// stop ends it, and judges the gaps.
func (w *writing) stop() {
	w.c.t.Helper()
	r, machine := w.any.Stop()[0], w.machine.Stop()[0].Gap
	w.c.t.Logf("closed loop through any member: gap %v, %d of %d puts failed (%v); worst through one that stayed: %v, %s; this machine: %v",
		r.Gap.Round(time.Millisecond), r.Failures, r.Tries, r.LastErr, w.worst.Round(time.Millisecond), w.worstOf, machine.Round(time.Millisecond))
	// A put goes through three processes, and each may be held up as this one is.
	if limit := gapLimit + 3*machine; r.Gap > limit || w.worst > limit {
		w.c.t.Errorf("gaps of %v and %v: more than %v", r.Gap, w.worst, limit)
	}
}
