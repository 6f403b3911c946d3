package failure

import (
	"syscall"

	"go.etcd.io/etcd/server/v3/embed"
)

// provokeDisk: a disk that is full or fails while etcd serves.
var provokeDisk = []provocation{
	{"WAL's disk full", IDDiskFull, "no space left on device", mounter, func(c *child) {
		c.small(c.dir+"/disk", "4m") // two segments of 1 MB, and a third to come
		cfg := c.member()
		cfg.WalDir = c.dir + "/disk/wal"
		e := c.serve(cfg)
		c.fill(c.dir + "/disk")
		c.putUntilEnd(e, 10<<10)
	}},
	{"database's disk full", IDDiskFull, "no space left on device", mounter, func(c *child) {
		c.small(c.path(), "4m")
		cfg := c.member()
		cfg.WalDir = c.dir + "/wal"
		e := c.serve(cfg)
		c.fill(c.path())
		c.putUntilEnd(e, 10<<10)
	}},
	{"disk full at the first start", IDDiskFull, "", mounter, func(c *child) {
		c.small(c.path(), "1m")
		c.fill(c.path())
		c.watch(c.start(c.member()))
	}},
	{"fdatasync fails", IDDiskIO, "input/output error", anyone, serving(func(c *child, e *embed.Etcd) {
		c.failing(syscall.SYS_FDATASYNC, syscall.EIO)
		c.putUntilEnd(e, 10)
	})},
	{"writes to the database fail", IDDiskIO, "input/output error", anyone, serving(func(c *child, e *embed.Etcd) {
		c.failing(syscall.SYS_PWRITE64, syscall.EIO)
		c.putUntilEnd(e, 10)
	})},
}

func serving(f func(*child, *embed.Etcd)) func(*child) {
	return func(c *child) { f(c, c.serve(c.member())) }
}
