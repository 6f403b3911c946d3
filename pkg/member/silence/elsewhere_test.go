package silence

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/etcd-node/etcd-node/pkg/member/peers"
)

// A leader is reached at one address (virtual) and speaks to us from another, its
// own. All of them are on lo, in a namespace of its own.
const virtual, own, another, ours = "10.7.0.9", "10.7.0.2", "10.7.0.3", "10.7.0.1"

// address adds an address to lo, or takes it away.
func address(t *testing.T, ip string, there bool) {
	t.Helper()
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		t.Fatal(err)
	}
	a, err := netlink.ParseAddr(ip + "/32")
	if err != nil {
		t.Fatal(err)
	}
	if there {
		err = netlink.AddrAdd(lo, a)
	} else {
		err = netlink.AddrDel(lo, a)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// from is a connection from an address to our peer port, which lasts until the
// test is over.
func from(t *testing.T, ip string, listener net.Listener) (theirs, here net.Conn) {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(ip)}}
	theirs, err := d.DialContext(t.Context(), "tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	here, err = listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { theirs.Close(); here.Close() })
	return theirs, here
}

func port(t *testing.T, l net.Listener) uint64 {
	t.Helper()
	_, p, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.ParseUint(p, 10, 16)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// The address in a leader's peer URL goes away, as a virtual one does, and the
// leader goes on speaking to us from its own: it is not silent. When it stops, it
// is, whatever another member says.
func TestHeardFromElsewhere(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	for _, ip := range []string{virtual, own, another, ours} {
		address(t, ip, true)
	}
	theirPort, err := net.Listen("tcp", virtual+":0")
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(version))
	server.Listener = theirPort
	server.Start()
	ourPort, err := net.Listen("tcp", ours+":0")
	if err != nil {
		t.Fatal(err)
	}
	defer ourPort.Close()
	stream, _ := from(t, own, ourPort)
	unrelated, _ := from(t, another, ourPort)
	beats := func(conn net.Conn, until <-chan struct{}) {
		go func() {
			for {
				select {
				case <-until:
					return
				case <-time.After(50 * ms): // raft's heartbeats
					_, _ = conn.Write([]byte("x"))
				}
			}
		}()
	}
	dies, over := make(chan struct{}), make(chan struct{})
	defer close(over)
	beats(stream, dies)
	beats(unrelated, over)

	line, err := (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(ours)}}).DialContext(t.Context(), "tcp", theirPort.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer line.Close()
	h := NewHost(func() ([]peers.Conn, error) {
		all, err := peers.Ports{Listen: []uint64{port(t, ourPort)}, Peers: []uint64{port(t, theirPort)}}.Conns()
		// This process is the leader and the other, too.
		mine := func(c peers.Conn) bool { return c.Remote != netip.MustParseAddr(ours) }
		return slices.DeleteFunc(all, func(c peers.Conn) bool { return !mine(c) }), err
	})
	h.On(line)
	if !h.Resolve(t.Context(), []string{"http://" + virtual + ":2380"}, [][]string{{"http://" + another + ":2380"}, {"http://" + ours + ":2380"}}) {
		t.Error("an address was not found")
	}
	told := make(chan Evidence, 10)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	defer func() { cancel(); <-done }()
	go func() {
		defer close(done)
		Watch{
			Limit: 400 * ms, Look: h.Look, Ask: h.Ask, Refresh: h.Refresh,
			Quorum: func(context.Context) bool { return true },
			Dial: func(ctx context.Context) (bool, error) {
				c, err := new(net.Dialer).DialContext(ctx, "tcp", line.RemoteAddr().String())
				if err == nil {
					c.Close()
				} else {
					<-ctx.Done()
				}
				return err == nil, nil
			},
			Tell: func(e Evidence, _ time.Time) { told <- e },
		}.Run(ctx)
	}()
	address(t, virtual, false)
	quiet := time.After(2 * time.Second)
	for waiting := true; waiting; {
		select {
		case is := <-told:
			if is == Whole {
				t.Fatal("silent, though it speaks from its own address")
			}
		case <-quiet:
			waiting = false
		}
	}
	close(dies)
	dead := time.After(5 * time.Second)
	for is := None; is != Whole; {
		select {
		case is = <-told:
		case <-dead:
			t.Fatal("it is gone, and is not found silent")
		}
	}
}

// What comes from an address that is nobody's is not the leader's to end.
func TestAbandonKnownOnly(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	for _, ip := range []string{virtual, own, another, ours} {
		address(t, ip, true)
	}
	ourPort, err := net.Listen("tcp", ours+":0")
	if err != nil {
		t.Fatal(err)
	}
	defer ourPort.Close()
	h := NewHost(func() ([]peers.Conn, error) { return peers.Ports{Listen: []uint64{port(t, ourPort)}}.Conns() })
	ends := map[string]bool{virtual: true, own: false, another: false}
	here := map[string]net.Conn{}
	for ip := range ends {
		_, here[ip] = from(t, ip, ourPort)
	}
	h.Resolve(t.Context(), []string{"http://" + virtual + ":2380"}, [][]string{{"http://" + another + ":2380"}})
	h.Abandon()
	for ip, end := range ends {
		_ = here[ip].SetReadDeadline(time.Now().Add(50 * ms))
		_, err := here[ip].Read(make([]byte, 1))
		if ended := !errors.Is(err, syscall.ETIMEDOUT) && !isTimeout(err); ended != end {
			t.Errorf("the connection from %s: %v", ip, err)
		}
	}
}

// What a voter has not acknowledged was sent a moment ago.
func TestVotersSent(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	address(t, own, true)
	address(t, ours, true)
	ourPort, err := net.Listen("tcp", ours+":0")
	if err != nil {
		t.Fatal(err)
	}
	defer ourPort.Close()
	_, here := from(t, own, ourPort)
	v := NewVoters(func() ([]peers.Conn, error) { return peers.Ports{Listen: []uint64{port(t, ourPort)}}.Conns() })
	v.Resolve(t.Context(), map[uint64][]string{1: {"http://" + own + ":2380"}})
	v.Refresh()
	if _, looks := v.Look(); !looks[1].Acked || !looks[1].Sent.IsZero() {
		t.Errorf("nothing was sent: %+v", looks[1])
	}
	cable(t, false)
	before := time.Now()
	if _, err := here.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, looks := v.Look(); looks[1].Acked || looks[1].Sent.Before(before.Add(-20*ms)) || looks[1].Sent.After(looks[1].At) { // in ticks of the kernel's
		t.Errorf("sent at %v: %+v", before, looks[1])
	}
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

// Names that cannot be looked up lead where they led, and are asked for again.
func TestResolve(t *testing.T) {
	h := NewHost(func() ([]peers.Conn, error) { return nil, nil })
	if h.Resolve(t.Context(), []string{"http://localhost:1", "http://10.7.0.9:1"}, [][]string{{"http://no-such-host.invalid:1"}}) {
		t.Error("all found")
	}
	there := slices.Clone(h.at)
	if !slices.Contains(there, netip.MustParseAddr(virtual)) || len(there) < 2 || len(h.others) > 0 || !h.changed() {
		t.Errorf("%v, %v", there, h.others)
	}
	const gone = "http://no-such-host.invalid:1"
	h.found[gone] = []netip.Addr{netip.MustParseAddr(own)}
	if h.Resolve(t.Context(), []string{"http://10.7.0.9:1", gone}, [][]string{{"http://[fe80::1%25lo]:1"}}) {
		t.Error("all found")
	}
	if !slices.Equal(h.at, []netip.Addr{netip.MustParseAddr(virtual), netip.MustParseAddr(own)}) || h.others[0] != netip.MustParseAddr("fe80::1") {
		t.Errorf("%v, %v", h.at, h.others)
	}
	h.Refresh()
	if h.changed() {
		t.Error("still to be listened to")
	}
}
