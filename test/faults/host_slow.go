package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/test/lab"
)

// A disk that does not answer, or answers with errors.
var diskFaults = []fault{
	{
		name: "the disk of one of three hangs", id: failure.IDDiskSlow, goal: goalExplained,
		expected: "it names file and device, and does not restart; the others serve on",
		run: onHosts(func(s *scene) (string, time.Duration) {
			i, thaw, from := s.hangingDisk()
			_, at := s.shows(i, failure.IDDiskSlow)
			seen, _ := s.says(i, "the disk hangs: ")
			s.put(others(i)...)
			thaw()
			s.serves(i)
			return seen, at - from
		}),
	},
	{
		name: "that disk answers again after 30 s", id: failure.IDDiskSlow, goal: goalServing,
		expected: "back with the disk, same process",
		run: onHosts(func(s *scene) (string, time.Duration) {
			i, thaw, _ := s.hangingDisk()
			_, before := s.procs(i)
			s.shows(i, failure.IDDiskSlow)
			s.wait(30 * time.Second)
			s.put(others(i)...)
			from := lab.Now()
			thaw()
			took := s.serves(i) - from
			s.same(i, before)
			s.await("past it", func() error {
				if line := s.status(i); strings.Contains(line, "hangs") {
					return fmt.Errorf("it still says %s", line)
				}
				return nil
			})
			seen, _ := s.says(i, "serving: ", "3 of 3 members")
			return seen, took
		}),
	},
	{
		name: "the disk of the database, not of the WAL, hangs while a peer restarts", id: failure.IDDiskSlow, goal: goalServing,
		expected: "it names file and device, and is not taken for a hanging member; back with the disk, same process",
		run:      onHosts((*scene).hangUnderMembers),
	},
	{
		name: "the disk of one of three reports input/output errors", id: failure.IDDiskIO, goal: goalExplained,
		expected: "it waits, tries again every 30 s, and says so; the others serve on",
		run: onHosts(func(s *scene) (string, time.Duration) {
			i, _, from := s.brokenDisk()
			seen, at := s.says(i, "backoff: ", "reports an input/output error")
			s.explained(i, failure.IDDiskIO, "dmesg", "etcd-node ctl member remove ")
			return seen, at - from
		}),
	},
	{
		// The unit sees its data dir through a mount of its own: what is
		// mounted beside a running unit, it never sees.
		name: "that disk mended: etcd stopped, file system checked and mounted again, etcd started", id: failure.IDDiskIO, goal: 3 * time.Second,
		expected: "serves; what it was promised is with the others",
		run: onHosts(func(s *scene) (string, time.Duration) {
			i, mend, _ := s.brokenDisk()
			s.says(i, "backoff: ", "reports an input/output error")
			s.put(others(i)...)
			s.run(i, "systemctl", "stop", "etcd")
			mend()
			from := s.begin(i)
			took := s.serves(i) - from
			seen, _ := s.says(i, "serving: ", "3 of 3 members")
			return seen, took
		}),
	},
}

// hangingDisk is a follower whose disk has stopped to answer, at from.
func (s *scene) hangingDisk() (i int, thaw func(), from time.Duration) {
	i = 3
	s.dataDisk(i, diskSize)
	s.three()
	s.put(i)
	from = lab.Now()
	thaw = s.freezeDisk(i)
	s.put(others(i)...) // what it has to write
	return i, thaw, from
}

// hangUnderMembers stops the database of a member in the middle of a commit, and
// has a peer publish itself then. The WAL has a disk of its own, so raft goes
// on, and etcd locks the list of members until the commit is done.
func (s *scene) hangUnderMembers() (string, time.Duration) {
	const i = 3
	s.dataDisk(i, diskSize)
	s.three("ETCD_WAL_DIR=/var/lib/etcd-node/wal")
	if s.leader() == i {
		s.run(i, "systemctl", "restart", "etcd")
	}
	leader := s.leader()
	s.put(i)
	s.wait(time.Second) // until that is committed
	_, before := s.procs(i)
	thaw := s.freezeDisk(i)
	s.put(leader) // one: a second would wait for the commit of the first, and the peer's news after it
	s.shows(i, failure.IDDiskSlow)
	for _, peer := range others(i) {
		if peer != leader {
			s.run(peer, "systemctl", "restart", "etcd")
		}
	}
	s.wait(15 * time.Second) // longer than a member may be silent
	s.same(i, before)
	seen, _ := s.says(i, "the disk hangs: ")
	from := lab.Now()
	thaw()
	took := s.serves(i) - from
	s.same(i, before)
	s.says(i, "serving: ", "3 of 3 members")
	return seen, took
}

// brokenDisk is a member whose disk cannot take what it is given, from then on:
// it is thinly provisioned, a file in memory, and the memory is used up.
func (s *scene) brokenDisk() (i int, mend func(), from time.Duration) {
	i = 3
	s.inMounts(i, "mkdir -p /run/thin; mount -t tmpfs -o size=600m tmpfs /run/thin; truncate -s 1G /run/thin/data")
	s.later(func(ctx context.Context) error {
		_, err := s.host(i).Run(ctx, "umount", "/run/thin")
		return err
	})
	image := "/proc/" + s.pid1(i) + "/root/run/thin/data"
	s.mountImage(i, image)
	s.three()
	s.put(i)
	from = lab.Now()
	used := strings.TrimSpace(s.inMounts(i, "df --output=used -B1 /run/thin | tail -1"))
	s.inMounts(i, "mount -o remount,size="+used+" /run/thin")
	stop := s.load(others(i)...)
	s.says(i, "backoff: ")
	stop()
	return i, func() {
		s.inMounts(i, "mount -o remount,size=600m /run/thin; umount "+dataDir)
		s.command("sh", "-c", "e2fsck -p -f "+image+" || [ $? -le 1 ]") // 1: mended
		s.mount(i, image)
	}, from
}
