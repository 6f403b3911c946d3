package peers

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

const patience = 30 * time.Second

// inNamespace says whether the test runs in a network of its own, in which lo
// is up; outside of one it runs the test again in a process that has one.
func inNamespace(t *testing.T) bool {
	const mark = "PEERCONN_TEST_NAMESPACE"
	if os.Getenv(mark) == t.Name() {
		power(t, true)
		return true
	}
	if os.Geteuid() != 0 {
		t.Skip("not root: cannot make a network of its own, to cut it")
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout=60s")
	cmd.Env = append(os.Environ(), mark+"="+t.Name(), "GORACE=atexit_sleep_ms=0")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	out, err := cmd.CombinedOutput()
	switch {
	case errors.Is(err, syscall.EPERM):
		t.Skip("root, but not allowed to make a network namespace")
	case err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()):
		t.Errorf("%v\n%s", err, out)
	}
	return false
}

// power plugs the cable of lo in or pulls it.
func power(t *testing.T, on bool) {
	t.Helper()
	lo, err := netlink.LinkByName("lo")
	must(t, err)
	if on {
		must(t, netlink.LinkSetUp(lo))
		return
	}
	must(t, netlink.LinkSetDown(lo))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func port(a net.Addr) uint64 { return uint64(a.(*net.TCPAddr).Port) }

// pair is a connection, and the ports of whoever dialed it.
func pair(t *testing.T) (dialed, accepted *net.TCPConn, p Ports) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { l.Close() })
	d, err := net.Dial("tcp", l.Addr().String())
	must(t, err)
	a, err := l.Accept()
	must(t, err)
	t.Cleanup(func() { d.Close(); a.Close() })
	return d.(*net.TCPConn), a.(*net.TCPConn), Ports{Peers: []uint64{port(l.Addr())}}
}

func option(t *testing.T, c *net.TCPConn, name int) (value int) {
	t.Helper()
	raw, err := c.SyscallConn()
	must(t, err)
	must(t, raw.Control(func(fd uintptr) { value, err = unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, name) }))
	must(t, err)
	return value
}

func TestBound(t *testing.T) {
	dialed, accepted, p := pair(t)
	stranger, _, _ := pair(t)
	before := option(t, stranger, unix.TCP_KEEPIDLE)

	must(t, Bound(p, 5*time.Second))
	for name, want := range map[int]int{unix.TCP_KEEPIDLE: 2, unix.TCP_KEEPINTVL: 1, unix.TCP_KEEPCNT: 3} {
		if got := option(t, dialed, name); got != want {
			t.Errorf("option %d of the connection to a peer is %d, want %d", name, got, want)
		}
	}
	if got := option(t, stranger, unix.TCP_KEEPIDLE); got != before {
		t.Errorf("the connection with a stranger was touched: it is asked after %d s, before that %d s", got, before)
	}
	if got := option(t, accepted, unix.TCP_KEEPIDLE); got != before {
		t.Errorf("the other end, whose port is not ours, was touched: it is asked after %d s, before that %d s", got, before)
	}

	must(t, Bound(Ports{Listen: p.Peers}, 30*time.Second))
	if got := option(t, accepted, unix.TCP_KEEPIDLE); got != 12 {
		t.Errorf("the connection that a peer dialed is asked after %d s, want 12", got)
	}
}

// A reader has nothing to send, and so nothing would tell it.
func TestGoneEndIsNoticed(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	dialed, _, p := pair(t)
	must(t, Bound(p, time.Second))
	power(t, false)
	must(t, dialed.SetReadDeadline(time.Now().Add(patience)))
	if _, err := dialed.Read(make([]byte, 1)); !errors.Is(err, syscall.ETIMEDOUT) {
		t.Errorf("the read ended with %v, want the connection to time out", err)
	}
}

func TestAbandon(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	dialed, _, p := pair(t)
	quiet, _, q := pair(t)
	p.Peers = append(p.Peers, q.Peers...)
	// A peer without room acknowledges, and is not given up: the window's
	// probes are no retransmissions.
	full, _, q := pair(t)
	p.Peers = append(p.Peers, q.Peers...)
	must(t, full.SetWriteDeadline(time.Now().Add(time.Second/2)))
	for {
		if _, err := full.Write(make([]byte, 1<<20)); err != nil {
			break
		}
	}
	if n, err := Abandon(p, 0); n != 0 || err != nil {
		t.Fatalf("%d connections of a whole network were ended, %v", n, err)
	}

	power(t, false)
	_, err := dialed.Write([]byte("lost"))
	must(t, err)
	ended := 0
	for deadline := time.Now().Add(patience); ended == 0; {
		if time.Now().After(deadline) {
			t.Fatal("a connection into nowhere was not ended")
		}
		ended, err = Abandon(Ports{Peers: p.Peers[:2]}, time.Second)
		must(t, err)
	}
	if ended != 1 {
		t.Errorf("%d connections were ended, want the one on which something was sent", ended)
	}
	if _, err := dialed.Write([]byte("x")); err == nil {
		t.Error("the connection that was ended can be written to")
	}
	if _, err := quiet.Write([]byte("x")); err != nil {
		t.Errorf("the quiet connection was ended: %v", err)
	}
}

func TestHurry(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	// A cable into nothing: what is sent there meets silence.
	must(t, netlink.LinkAdd(&netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "void"}, PeerName: "far"}))
	far, err := netlink.LinkByName("far")
	must(t, err)
	must(t, netlink.LinkSetUp(far))
	void, err := netlink.LinkByName("void")
	must(t, err)
	addr, err := netlink.ParseAddr("192.0.2.1/24")
	must(t, err)
	must(t, netlink.AddrAdd(void, addr))
	must(t, netlink.LinkSetUp(void))
	must(t, netlink.NeighAdd(&netlink.Neigh{
		LinkIndex: void.Attrs().Index, IP: net.IPv4(192, 0, 2, 2), State: netlink.NUD_PERMANENT,
		HardwareAddr: net.HardwareAddr{2, 0, 0, 0, 0, 2},
	}))

	done := make(chan error, 2)
	dial := func(addr string) {
		_, err := (&net.Dialer{Timeout: patience}).Dial("tcp", addr)
		done <- err
	}
	go dial("192.0.2.2:2380")
	go dial("192.0.2.2:9999")
	p := Ports{Peers: []uint64{2380}}
	for deadline := time.Now().Add(patience); ; {
		n, err := Hurry(p)
		must(t, err)
		if n == 1 {
			break
		}
		if n > 1 || time.Now().After(deadline) {
			t.Fatalf("%d attempts were ended, want the one to the peer", n)
		}
	}
	if err := <-done; !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the attempt ended with %v, want a reset", err)
	}
	select {
	case err := <-done:
		t.Errorf("the attempt to reach a stranger ended too: %v", err)
	default:
	}
}
