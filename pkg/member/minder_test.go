package member

import (
	"fmt"
	"net/url"
	"os"
	"strconv"
	"testing"

	"go.etcd.io/etcd/server/v3/embed"
	"go.uber.org/zap"
	"golang.org/x/sys/unix"

	"github.com/etcd-node/etcd-node/test/loopback"
	"github.com/etcd-node/etcd-node/test/poll"
)

// Where the data has another port than the list, the connections that come in
// there are minded too.
func TestMindsWhereItListens(t *testing.T) {
	const scheme = "http://"
	a, listed, b := scheme+loopback.Address(), scheme+loopback.Address(), scheme+loopback.Address()
	config := func(name, dir, own, list string) *embed.Config {
		cfg := embed.NewConfig()
		cfg.Name, cfg.Dir, cfg.InitialCluster = name, dir, list
		cfg.TickMs, cfg.ElectionMs = 50, 500
		cfg.ListenPeerUrls, cfg.AdvertisePeerUrls = loopback.URLs(own), loopback.URLs(own)
		cfg.ListenClientUrls = loopback.URLs(scheme + loopback.Address())
		cfg.AdvertiseClientUrls = cfg.ListenClientUrls
		cfg.ZapLoggerBuilder = embed.NewZapLoggerBuilder(zap.NewNop())
		return cfg
	}
	dir := t.TempDir()
	start := func(name, dir, own string) *embed.Etcd {
		e, err := embed.StartEtcd(config(name, dir, own, "a="+a+",b="+b))
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	other := start("b", t.TempDir(), b)
	t.Cleanup(other.Close)
	before := start("a", dir, a)
	<-before.Server.ReadyNotify()
	before.Close()

	m := newTestMember()
	m.Config, m.Guard.Derived = config("a", dir, listed, "a="+listed+",b="+b), true
	m.Config.ZapLoggerBuilder = embed.NewZapLoggerBuilder(zap.New(m.streams))
	if err := m.Config.Validate(); err != nil {
		t.Fatal(err)
	}
	r := m.open(t.Context())
	if r.failed != nil {
		t.Fatal(r.failed)
	}
	t.Cleanup(r.etcd.Close)
	u, err := url.Parse(a)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(u.Port())
	if err != nil {
		t.Fatal(err)
	}
	poll.Eventually(t, func() error {
		if all, minded := keepIdle(t, port); all == 0 || minded < all {
			return fmt.Errorf("of %d connections at its port %d are minded", all, minded)
		}
		return nil
	})
}

// keepIdle counts this process's connections at a port of its own, and those of
// which it asks sooner than Go does whether the other end is alive.
func keepIdle(t *testing.T, port int) (all, minded int) {
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range fds {
		fd, _ := strconv.Atoi(f.Name())
		local, err := unix.Getsockname(fd)
		at, ok := local.(*unix.SockaddrInet4)
		if err != nil || !ok || at.Port != port {
			continue
		}
		if _, err := unix.Getpeername(fd); err != nil {
			continue // it listens
		}
		all++
		if idle, err := unix.GetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_KEEPIDLE); err == nil && idle < 15 {
			minded++
		}
	}
	return all, minded
}
