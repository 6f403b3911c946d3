package netdetect

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// inNamespace says whether the test runs in a network namespace of its own.
// Outside of one it runs the test again, in a process that is, and reports
// what came of it: so the namespace ends with the process, and every thread
// and goroutine of the test is inside.
func inNamespace(t *testing.T) bool {
	const mark = "NETDETECT_TEST_NAMESPACE"
	if os.Getenv(mark) == t.Name() {
		must(t, netlink.LinkSetUp(link(t, "lo")))
		return true
	}
	if os.Geteuid() != 0 {
		t.Skip("not root: cannot make a network namespace with interfaces of its own")
	}
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout=60s")
	cmd.Env = append(os.Environ(), mark+"="+t.Name(), "GORACE=atexit_sleep_ms=0")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	out, err := cmd.CombinedOutput()
	switch {
	case errors.Is(err, syscall.EPERM):
		t.Skip("root, but not allowed to make a network namespace (a container without CAP_SYS_ADMIN?)")
	case err != nil:
		t.Errorf("%v\n%s", err, out)
	case strings.Contains(string(out), "--- SKIP"):
		t.Skipf("%s", out)
	case !strings.Contains(string(out), "--- PASS: "+t.Name()):
		t.Errorf("the test did not run in its namespace:\n%s", out)
	}
	return false
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func link(t *testing.T, name string) netlink.Link {
	t.Helper()
	l, err := netlink.LinkByName(name)
	must(t, err)
	return l
}

// elsewhere is the namespace that the far ends of all cables are in.
var elsewhere = sync.OnceValues(func() (netns.NsHandle, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	here, err := netns.Get()
	if err != nil {
		return 0, err
	}
	defer here.Close()
	there, err := netns.New()
	return there, errors.Join(err, netns.Set(here))
})

// cable makes an interface whose far end is elsewhere; plug brings that up.
func cable(t *testing.T, name string) (plug func()) {
	t.Helper()
	there, err := elsewhere()
	must(t, err)
	add(t, &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: name}, PeerName: name + "far", PeerNamespace: netlink.NsFd(there)})
	return func() {
		t.Helper()
		h, err := netlink.NewHandleAt(there)
		must(t, err)
		defer h.Close()
		far, err := h.LinkByName(name + "far")
		must(t, err)
		must(t, h.LinkSetUp(far))
	}
}

// nic makes an interface that is up and has these addresses.
func nic(t *testing.T, name string, addrs ...string) {
	t.Helper()
	cable(t, name)()
	must(t, netlink.LinkSetUp(link(t, name)))
	for _, a := range addrs {
		address(t, name, a)
	}
}

func add(t *testing.T, l netlink.Link) {
	t.Helper()
	err := netlink.LinkAdd(l)
	if errors.Is(err, unix.EOPNOTSUPP) {
		t.Skipf("this kernel has no %s interfaces", l.Type())
	}
	must(t, err)
}

func address(t *testing.T, name, cidr string) {
	t.Helper()
	a, err := netlink.ParseAddr(cidr)
	must(t, err)
	if a.IP.To4() == nil {
		a.Flags = unix.IFA_F_NODAD
	}
	must(t, netlink.AddrAdd(link(t, name), a))
}

// settled polls until no global address is tentative: without duplicate address
// detection that is as soon as the kernel has seen the carrier.
func settled(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		rows, err := System().Addresses()
		must(t, err)
		left := table(rows).filter(func(a Address) bool { return a.Up && a.global() && a.Tentative })
		if len(left) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("still tentative: %v", left)
		}
	}
}

func defaultRoute(t *testing.T, dev, dst, gw string, metric int) {
	t.Helper()
	_, all, err := net.ParseCIDR(dst)
	must(t, err)
	must(t, netlink.RouteAdd(&netlink.Route{LinkIndex: link(t, dev).Attrs().Index, Dst: all, Gw: net.ParseIP(gw), Priority: metric}))
}

// system is the real Host, but for the names.
func system(hostname string, dns map[string]string) *Host {
	h := System()
	h.Lookup = machine{dns: dns}.host(nil).Lookup
	h.Hostname = func() (string, error) { return hostname, nil }
	return h
}

// waitReal waits on the real tables; each reason, once said, starts the next step.
func waitReal(t *testing.T, host *Host, req Request, steps ...func(reason string)) string {
	t.Helper()
	r, err := Wait(t.Context(), host, req, Patience{Limit: 30 * time.Second, Absent: true}, func(reason string) {
		t.Logf("waiting: %s", reason)
		if len(steps) > 0 {
			steps[0](reason)
			steps = steps[1:]
		}
	})
	if len(steps) > 0 {
		t.Errorf("%d steps were not waited for", len(steps))
	}
	return answer(r, err)
}
