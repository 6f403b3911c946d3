package failure

import (
	"net"
	"os"
	"slices"
	"syscall"

	"go.etcd.io/etcd/client/pkg/v3/fileutil"
	"go.etcd.io/etcd/server/v3/embed"
	"golang.org/x/sys/unix"

	"github.com/etcd-node/etcd-node/test/loopback"
)

// provocations is the table.
var provocations = slices.Concat(provokeStart, provokeData, provokeDisk, provokeCluster)

// onSpoilt makes sound data, lets f spoil it, and starts etcd on it.
func onSpoilt(f func(*child)) func(*child) {
	return func(c *child) {
		c.made(c.member())
		f(c)
		c.watch(c.start(c.member()))
	}
}

// with starts etcd, without data, with a changed configuration.
func with(f func(*child, *embed.Config)) func(*child) {
	return func(c *child) {
		cfg := c.member()
		f(c, cfg)
		c.watch(c.start(cfg))
	}
}

// provokeStart: what keeps etcd from starting though its data is sound.
var provokeStart = []provocation{
	// Ports.
	{"client port busy", "port-busy", "bind: address already in use", anyone, with(func(c *child, cfg *embed.Config) {
		cfg.ListenClientUrls = loopback.URLs("http://" + c.busy())
	})},
	{"peer port busy", "port-busy", "", anyone, with(func(c *child, cfg *embed.Config) {
		cfg.ListenPeerUrls = loopback.URLs("http://" + c.busy())
	})},
	{"metrics port busy", "port-busy", "", anyone, with(func(c *child, cfg *embed.Config) {
		cfg.ListenMetricsUrls = loopback.URLs("http://" + c.busy())
	})},
	{"address of another machine", IDAddressGone, "", anyone, with(func(_ *child, cfg *embed.Config) {
		cfg.ListenClientUrls = loopback.URLs("http://192.0.2.1:0") // TEST-NET-1
	})},
	{"port not allowed", "port-forbidden", "", anyone, with(func(c *child, _ *embed.Config) {
		c.failing(unix.SYS_BIND, unix.EACCES)
	})},
	{"few descriptors", "no-descriptors", "file descriptor limit of etcd process is too low", anyone, with(func(c *child, _ *embed.Config) {
		c.limit(unix.RLIMIT_NOFILE, 150)
	})},
	{"descriptors used up", "no-descriptors", "too many open files", anyone, with(func(c *child, _ *embed.Config) {
		c.limit(unix.RLIMIT_NOFILE, 151)
		for {
			f, err := os.Open("/dev/null")
			if err != nil {
				return
			}
			c.held = append(c.held, f)
		}
	})},
	{"listener closed", "listener-lost", "", anyone, func(c *child) {
		e := c.serve(c.member())
		e.Clients[0].Close()
		c.watch(e)
	}},

	// The configuration.
	{"name not in the list", IDConfiguration, "couldn't find local name", anyone, with(func(_ *child, cfg *embed.Config) { cfg.Name = "b" })},
	{"other URL than the list", IDConfiguration, "--initial-cluster has…but missing from --initial-advertise-peer-urls", anyone, with(func(_ *child, cfg *embed.Config) {
		cfg.InitialCluster = "a=http://127.0.0.1:1"
	})},
	{"more URLs than the list", IDConfiguration, "--initial-advertise-peer-urls has…but missing from --initial-cluster", anyone, with(func(_ *child, cfg *embed.Config) {
		cfg.AdvertisePeerUrls = append(cfg.AdvertisePeerUrls, loopback.URLs("http://127.0.0.1:1")...)
	})},
	{"list twice the same", IDConfiguration, "has duplicate url", anyone, with(func(_ *child, cfg *embed.Config) {
		cfg.InitialCluster += ",b=" + cfg.AdvertisePeerUrls[0].String()
	})},
	{"list is none", IDConfiguration, "error setting up initial cluster", anyone, with(func(_ *child, cfg *embed.Config) {
		cfg.InitialCluster = "a"
	})},
	{"name does not resolve", "name-resolution", "", anyone, with(func(_ *child, cfg *embed.Config) {
		cfg.InitialCluster, cfg.DNSCluster = "", "etcd.invalid"
	})},
	{"nobody to join", "peers-unreachable", "", anyone, with(func(c *child, cfg *embed.Config) {
		cfg.ClusterState = embed.ClusterStateFlagExisting
		cfg.InitialCluster += ",b=http://" + loopback.Address()
	})},

	// Rights, and files of another kind.
	{"data dir not allowed", IDDirAccess, "cannot access data directory", nobody, with(func(c *child, _ *embed.Config) {
		c.must(os.Mkdir(c.path(), 0))
	})},
	{"member is a file", IDDirAccess, "cannot access member directory", anyone, with(func(c *child, _ *embed.Config) {
		c.must(os.Mkdir(c.path(), 0o700))
		c.must(os.WriteFile(c.path("member"), nil, 0o600))
	})},
	{"snap is a file", IDDirAccess, "failed to create snapshot directory", anyone, with(func(c *child, _ *embed.Config) {
		c.must(os.MkdirAll(c.path("member"), 0o700))
		c.must(os.WriteFile(c.path("member/snap"), nil, 0o600))
	})},
	{"separate WAL dir not allowed", IDDirAccess, "failed to create WAL", nobody, with(func(c *child, cfg *embed.Config) {
		c.must(os.Mkdir(c.dir+"/disk", 0o500))
		cfg.WalDir = c.dir + "/disk/wal"
	})},
	{"WAL dir not allowed", IDDirAccess, "failed to create WAL", nobody, onSpoilt(func(c *child) { c.must(os.Chmod(c.path("member/wal"), 0)) })},
	{"WAL dir read-only", IDDirAccess, "cannot write to WAL directory", nobody, onSpoilt(func(c *child) {
		c.must(os.Chmod(c.path("member/wal"), 0o500))
	})},
	{"WAL file not allowed", IDDirAccess, "os.OpenFile failed…permission denied", nobody, onSpoilt(func(c *child) { c.must(os.Chmod(c.firstWAL(), 0)) })},
	{"database not allowed", IDDirAccess, "failed to open database…permission denied", nobody, onSpoilt(func(c *child) {
		c.must(os.Chmod(c.path("member/snap/db"), 0))
	})},
	{"database is a directory", "database-unreadable", "failed to open database", anyone, onSpoilt(func(c *child) {
		c.must(os.Remove(c.path("member/snap/db")))
		c.must(os.Mkdir(c.path("member/snap/db"), 0o700))
	})},
	{"no room to map the database", "database-unreadable", "", anyone, onSpoilt(func(c *child) {
		c.limit(unix.RLIMIT_AS, 4<<30) // etcd asks for 10 GiB
	})},

	// Locks.
	{"WAL locked", IDLocked, "file already locked", anyone, onSpoilt(func(c *child) {
		f, err := fileutil.TryLockFile(c.firstWAL(), os.O_RDWR, 0o600)
		c.must(err)
		c.held = append(c.held, f)
	})},
	{"database locked", IDLocked, "db file is flocked by another process", anyone, func(c *child) {
		c.made(c.member())
		f, err := os.OpenFile(c.path("member/snap/db"), os.O_RDWR, 0)
		c.must(err)
		c.must(syscall.Flock(int(f.Fd()), syscall.LOCK_EX))
		c.held = append(c.held, f)
		go c.start(c.member()) // never returns
		c.logged("flocked")
	}},

	// The process.
	{"stopped before it was ready", IDServerStopped, "server is stopping", anyone, with(func(c *child, cfg *embed.Config) {
		cfg.InitialCluster += ",b=http://" + loopback.Address()
		e := c.start(cfg)
		go e.Server.HardStop()
		c.said((<-e.Err()).Error())
		os.Exit(1)
	})},
}

// busy is an address on which somebody listens.
func (c *child) busy() string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	c.must(err)
	c.held = append(c.held, l)
	return l.Addr().String()
}
