package silence

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/etcd-node/etcd-node/pkg/member/peers"
	"github.com/etcd-node/etcd-node/test/poll"
)

// inNamespace says whether the test runs in a network of its own, in which lo
// is up; outside of one it runs the test again in a process that has one.
func inNamespace(t *testing.T) bool {
	const mark = "SILENCE_TEST_NAMESPACE"
	if os.Getenv(mark) == t.Name() {
		cable(t, true)
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

// cable plugs the cable of lo in or pulls it.
func cable(t *testing.T, in bool) {
	t.Helper()
	lo, err := netlink.LinkByName("lo")
	if err == nil && in {
		err = netlink.LinkSetUp(lo)
	} else if err == nil {
		err = netlink.LinkSetDown(lo)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// asked is a line to a server, and the Host at its end. reading reads what is
// answered.
func asked(t *testing.T, server *httptest.Server) (h *Host, line net.Conn) {
	t.Helper()
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	if err != nil {
		t.Fatal(err)
	}
	if server.TLS != nil {
		line, err = tls.Dial("tcp", u.Host, &tls.Config{InsecureSkipVerify: true})
	} else {
		line, err = net.Dial("tcp", u.Host)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { line.Close() })
	h = NewHost(func() ([]peers.Conn, error) { return peers.Ports{Peers: []uint64{port}}.Conns() })
	h.On(line)
	return h, line
}

func version(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("{}")) }

// The whole, with a real cut: a host that is gone is found out; one whose
// processes do nothing is not.
func TestCut(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	frozen := make(chan struct{}) // the process answers nothing
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-frozen }))
	defer server.Close()
	defer close(frozen)
	h, line := asked(t, server)
	var mu sync.Mutex
	is, asks := None, 0
	now := func() (Evidence, int) {
		mu.Lock()
		defer mu.Unlock()
		return is, asks
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	defer func() { cancel(); <-done }()
	go func() {
		defer close(done)
		Watch{
			Limit: 400 * ms, Look: h.Look, Refresh: h.Refresh,
			Ask: func() error {
				mu.Lock()
				asks++
				mu.Unlock()
				return h.Ask()
			},
			Quorum: func(context.Context) bool { return true },
			Dial: func(ctx context.Context) (bool, error) {
				c, err := new(net.Dialer).DialContext(ctx, "tcp", line.RemoteAddr().String())
				if err == nil {
					c.Close()
				} else if errors.Is(err, syscall.ENETUNREACH) { // lo is ours and the host's
					<-ctx.Done()
				}
				return err == nil, nil
			},
			Tell: func(e Evidence, _ time.Time) {
				mu.Lock()
				defer mu.Unlock()
				is = e
			},
		}.Run(ctx)
	}()
	poll.Eventually(t, func() error {
		if is, asks := now(); is != None || asks < 8 {
			return errors.New("frozen: asked " + strconv.Itoa(asks) + " times, evidence " + strconv.Itoa(int(is)))
		}
		return nil
	})
	for _, in := range []bool{false, true, false} {
		cable(t, in)
		poll.Eventually(t, func() error {
			if is, _ := now(); is == Whole == in {
				return errors.New("plugged in: " + strconv.FormatBool(in) + ", evidence " + strconv.Itoa(int(is)))
			}
			return nil
		})
	}
}

// Whoever waits for an answer of an abandoned host learns that none will come.
func TestAbandon(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer server.Close()
	h, line := asked(t, server)
	waits := make(chan error)
	go func() {
		resp, err := http.Post(server.URL, "", nil)
		if err == nil {
			resp.Body.Close()
		}
		waits <- err
	}()
	poll.Eventually(t, func() error {
		if h.Refresh(); len(h.with) < 2 {
			return errors.New("the request has no connection yet")
		}
		return nil
	})
	h.Abandon()
	if err := <-waits; err == nil {
		t.Error("answered")
	}
	if _, err := line.Read(make([]byte, 1)); err == nil {
		t.Error("the line stands")
	}
}

// What comes on raft's connections counts, whoever owns them.
func TestHeardElsewhere(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	streaming := make(chan func(), 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusOK)
		streaming <- func() { _, _ = w.Write([]byte("x")); _ = http.NewResponseController(w).Flush() }
		select {}
	}))
	h, _ := asked(t, server)
	stream, err := net.Dial("tcp", strings.TrimPrefix(server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	if _, err := stream.Write([]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	write := <-streaming
	h.Refresh()
	poll.Eventually(t, func() error {
		if l, _ := h.Look(); time.Since(l.Heard) < 300*ms {
			return errors.New("still heard")
		}
		return nil
	})
	before := time.Now()
	write()
	soon, cancel := context.WithTimeout(t.Context(), 5*time.Second) // later, Go asks on the line itself whether it stands
	defer cancel()
	if err := poll.Until(soon, 10*ms, func() error {
		if l, _ := h.Look(); l.Heard.Before(before.Add(-50 * ms)) {
			return errors.New("not heard")
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
}

func TestLoss(t *testing.T) {
	var l loss
	now := epoch
	at := func(conn uint64, sent, again uint32) {
		l.count(conn, tcpInfo(sent, again))
		l.settle(now)
	}
	l.settle(now)
	at(1, 1000, 500) // before we looked
	at(1, 1010, 502)
	if got := l.share(); got != 0 {
		t.Errorf("two are no rate, but %v", got)
	}
	at(1, 1090, 505)
	at(2, 10, 0)
	at(2, 20, 0)
	if got := l.share(); got != 0.05 {
		t.Errorf("share %v, want 0.05", got)
	}
	for range 8 {
		now = now.Add(memory)
		at(1, 1090, 505)
	}
	at(1, 1095, 505)
	if got := l.share(); got != 0 {
		t.Errorf("share %v after long", got)
	}
}

func tcpInfo(sent, again uint32) *unix.TCPInfo {
	return &unix.TCPInfo{Data_segs_out: sent, Total_retrans: again}
}
