package lab

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/etcd-node/etcd-node/test/poll"
)

// A cable is pulled for longer than etcd means to trust a silent stream, and
// plugged in again. Nothing that was sent into it is left for TCP to try again
// after ever longer pauses: what comes next takes a new connection.
func TestCablePulled(t *testing.T) {
	c := hosts(t)
	c.env(c.initialCluster())
	c.start()
	follower := c.leader()%3 + 1
	_, before := c.procs(follower)
	if err := c.host(follower).Cut(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.status(follower, "no leader", "1 of 3 members")
	// Both ends know that nothing arrives.
	pulled := time.Now()
	for i := 1; i <= 3; i++ {
		c.logs(i, "gave up connections with peers on which nothing has been acknowledged")
	}
	// TCP now tries again 12 s after it did last.
	time.Sleep(time.Until(pulled.Add(15 * time.Second)))
	if err := c.host(follower).Heal(t.Context()); err != nil {
		t.Fatal(err)
	}
	// Stock etcd needs 11 s here, and a put that is lost 7 s.
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if _, err := c.client(c.host(follower)).Put(ctx, "k", "v"); err != nil {
		t.Errorf("put through the member whose cable is back: %v", err)
	}
	for i := 1; i <= 3; i++ {
		c.status(i, "serving: ", "3 of 3 members")
	}
	if _, now := c.procs(follower); now.PID != before.PID {
		t.Errorf("the member was restarted: process %d, then %d", before.PID, now.PID)
	}
}

// logs waits until the unit on host i has logged the text.
func (c *cluster) logs(i int, text string) {
	c.t.Helper()
	poll.Eventually(c.t, func() error {
		journal, err := c.host(i).Journal(c.t.Context(), "etcd", c.since)
		if err == nil && !strings.Contains(journal, text) {
			err = fmt.Errorf("%s has not logged %q:\n%s", c.host(i).Name, text, journal)
		}
		return err
	})
}

// All machines have moved to another network, and the list says so. The data
// does not: what explain says brings the cluster back, with its data.
func TestAllAddressesChanged(t *testing.T) {
	c := hosts(t)
	c.env(c.initialCluster())
	c.start()
	c.serves(nil)
	c.each(func(h *Host) error {
		_, err := h.Sh(t.Context(), "systemctl stop etcd; ip address flush dev eth0 scope global; ip address add "+moved(h.IP)+"/24 dev eth0")
		return err
	})
	list := moved(c.initialCluster())
	c.env(list)
	for i := range c.Hosts {
		c.run(i+1, "systemctl", "start", "--no-block", "etcd")
	}
	for i, h := range c.Hosts {
		want := "the data knows this member under http://" + h.IP + ":2380, the list says http://" + moved(h.IP) + ":2380: the data counts; first `etcd-node ctl member update "
		c.status(i+1, "joining: 1 of 3 members", want)
		notices := c.run(i+1, "sh", "-c", "etcd-node config 2>&1 >/dev/null")
		for _, h := range c.Hosts {
			if want := "under http://" + h.IP + ":2380, the list says http://" + moved(h.IP) + ":2380"; !strings.Contains(notices, want) {
				t.Errorf("config does not say %q:\n%s", want, notices)
			}
		}
	}
	for i := range c.Hosts { // there is no leader for long enough by now, or there will be
		if out := c.run(i+1, "etcd-node", "explain"); strings.Contains(out, "snapshot restore") || !strings.Contains(out, "ETCD_LISTEN_PEER_URLS=http://0.0.0.0:2380") {
			t.Errorf("explain:\n%s", out)
		}
	}

	for i, h := range c.Hosts {
		c.run(i+1, "ip", "address", "add", h.IP+"/24", "dev", "eth0")
	}
	c.env(list, "ETCD_LISTEN_PEER_URLS=http://0.0.0.0:2380")
	for i := range c.Hosts {
		c.run(i+1, "systemctl", "restart", "--no-block", "etcd")
	}
	c.connected()
	for i := range c.Hosts {
		c.run(i+1, "sh", "-ec", `$(etcd-node explain other-urls | grep -m 1 '^ *etcd-node ctl member update')`)
	}
	c.env(list)
	for i, h := range c.Hosts {
		c.connected()
		c.run(i+1, "ip", "address", "del", h.IP+"/24", "dev", "eth0")
		c.run(i+1, "systemctl", "restart", "etcd")
	}
	c.well()
	if out := c.run(1, "etcdctl", "get", "from"); !strings.Contains(out, c.host(1).Name) {
		t.Errorf("what was put is lost: %q", out)
	}
}

// moved is a text with the addresses of another network.
func moved(s string) string { return strings.ReplaceAll(s, "192.168.122.", "10.20.0.") }

// A slow cable delays what goes through it, in both directions, and loses
// nothing, also of what the kernel sends as one large frame. Afterwards the old
// one is back.
func TestDelay(t *testing.T) {
	c := hosts(t)
	one, two := c.Hosts[0], c.Hosts[1]
	var l net.Listener
	if err := inside(c.name+"-"+two.Name, func() (err error) {
		l, err = net.Listen("tcp", two.IP+":7")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return // closed
			}
			_, _ = io.Copy(conn, conn) // the test sees what came back
			conn.Close()
		}
	}()
	sent := bytes.Repeat([]byte("0123456789"), 100_000)
	// It ends once the last byte is back.
	trip := func(data []byte) time.Duration {
		begin := time.Now()
		conn, err := one.Dial(t.Context(), l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		go func() { _, _ = conn.Write(data) }() // else it is not read back
		got := make([]byte, len(data))
		if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(conn, got); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, data) {
			t.Error("something else came back")
		}
		return time.Since(begin)
	}
	trip(sent[:1]) // and ARP
	restore, err := one.Delay(t.Context(), 50*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	trip(sent[:1])
	// One round trip for the connection, one for the byte.
	if took := trip(sent[:1]); took < 200*time.Millisecond || took > 400*time.Millisecond {
		t.Errorf("two round trips over a cable that delays 50 ms took %v", took)
	}
	trip(sent)
	if err := restore(); err != nil {
		t.Fatal(err)
	}
	trip(sent[:1])
	if took := trip(sent[:1]); took > 100*time.Millisecond {
		t.Errorf("with the old cable two round trips took %v", took)
	}
}

// A member that was cut off for so long that it gets a snapshot takes requests when
// it has it, also where nobody else asks anything: etcd refuses them until the next
// entry.
func TestFarBehind(t *testing.T) {
	c := hosts(t)
	c.env(c.initialCluster(), "ETCD_SNAPSHOT_COUNT=500", "ETCD_SNAPSHOT_CATCHUP_ENTRIES=100")
	c.start()
	behind := c.leader()%3 + 1
	if err := c.host(behind).Cut(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	other := c.client(c.host(behind%3 + 1))
	var putting sync.WaitGroup
	for range 64 {
		putting.Go(func() {
			for range 90 { // together more than the 5,000 of etcd's limit
				if _, err := other.Put(ctx, "k", "v"); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	putting.Wait()
	before, err := other.Get(ctx, "k")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.host(behind).Heal(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.logs(behind, "applied snapshot")
	cli := c.client(c.host(behind))
	poll.Eventually(t, func() error {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := cli.Put(ctx, "k", "through it")
		return err
	})
	after, err := other.Get(ctx, "k")
	if err != nil || after.Header.Revision != before.Header.Revision+1 {
		t.Errorf("revision %d, then %d, %v; want one more: the entry changes nothing", before.Header.Revision, after.Header.Revision, err)
	}
}
