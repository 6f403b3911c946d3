package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/etcd-node/etcd-node/pkg/failure"
)

// disk are file systems that are full or read-only. They are small ones in
// memory, in a mount namespace of the daemon's own; data on a real disk that is
// full is the hosts' part.
func (p *product) disk() []fault {
	return []fault{
		{"the database's file system full for 5 s, the WAL's not", failure.IDDiskFull, back, goalServing, p.on(func(s *stage) (string, time.Duration) {
			n := s.cluster("a")[0]
			s.must(os.Mkdir(n.Data(), 0o700))
			n.setup = "mount -t tmpfs -o size=512m,mode=0700 tmpfs " + n.Data()
			n.set("ETCD_WAL_DIR", n.Dir+"/wal")
			n.set("ETCD_NODE_DISK_RESERVE", "0")
			n.up()
			n.put()
			n.Mark()
			n.inside("head -c 1G /dev/zero >" + n.Data() + "/ballast || true")
			go n.burden()
			seen, at := n.waits(failure.IDDiskFull)
			n.rest(at.Add(heldFor))
			n.Mark()
			n.inside("rm " + n.Data() + "/ballast")
			line, took := n.back(time.Now())
			return then(seen, line), took
		})},
		{"the WAL's file system full for 5 s at the very first start", failure.IDDiskFull, back, goalServing, p.on(func(s *stage) (string, time.Duration) {
			n := s.cluster("a")[0]
			disk := n.Dir + "/disk"
			s.must(os.Mkdir(disk, 0o700))
			n.setup = "mount -t tmpfs -o size=32m,mode=0700 tmpfs " + disk // a WAL file has 64 MB
			n.set("ETCD_WAL_DIR", disk+"/wal")
			n.start()
			seen, at := n.waits(failure.IDDiskFull)
			n.rest(at.Add(heldFor))
			n.Mark()
			n.inside("mount -o remount,size=1g " + disk)
			line, took := n.back(time.Now())
			return then(seen, line), took
		})},
		{"the data's file system is read-only", "disk-read-only", named, goalExplained, p.on(func(s *stage) (string, time.Duration) {
			n := s.used()
			n.setup = fmt.Sprintf("mount --bind %[1]s %[1]s; mount -o remount,bind,ro %[1]s", n.Data())
			n.start()
			seen, at := n.waits("disk-read-only")
			n.Mark()
			n.inside("mount -o remount,bind,rw " + n.Data())
			n.back(at)
			return seen, at.Sub(n.begun)
		})},
		{"the recorder's and the pin's file systems full", failure.IDCannotRecord, carrying, goalExplained, p.on(func(s *stage) (string, time.Duration) {
			n := s.used()
			for _, dir := range []string{n.Log(), n.Pins()} {
				n.setup += fmt.Sprintf("mount -t tmpfs -o size=64k,mode=0700 tmpfs %[1]s; head -c 1M /dev/zero >%[1]s/ballast 2>/dev/null || true\n", dir)
			}
			n.up()
			n.kept()
			if line := n.logged("an empty data dir will not be recognised as a lost one"); !strings.Contains(line, failure.IDCannotRecord) {
				s.fail("the line does not name its entry: %s", line)
			}
			return n.complains()
		})},
	}
}

// inside runs a shell command where the daemon's mounts are.
func (n *local) inside(script string) {
	if out, err := n.s.sh(fmt.Sprintf("nsenter --target=%d --mount -- sh -ec '%s'", n.PID(), script)); err != nil {
		n.s.fail("%s: %v: %s", script, err, out)
	}
}
