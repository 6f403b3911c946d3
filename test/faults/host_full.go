package main

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/test/lab"
)

// A database of 200 MB on a file system of 1 GiB under one of three members,
// filled to the last byte.
var fullFaults = []fault{
	{
		name: "disk full to the last byte, and what is given up taken too: one of three, 200 MB database", id: failure.IDDiskFull, goal: goalExplained,
		expected: "the reserve is released and said to be; when that is gone too, the member waits and says why; the others serve on",
		run: onHosts(func(s *scene) (string, time.Duration) {
			s.loaded()
			from := lab.Now()
			free := s.fill(fullHost)
			stop := s.load(others(fullHost)...)
			first, _ := s.says(fullHost, "disk full: the reserve of 192 MiB is released")
			seen, at := s.says(fullHost, "backoff: ", "the disk under the data dir is full")
			s.explained(fullHost, failure.IDDiskFull, "df -h "+dataDir)
			stop()
			free()
			s.serves(fullHost)
			return first + " … " + seen, at - from
		}),
	},
	{
		name: "that disk freed", id: failure.IDDiskFull, goal: 5 * time.Second,
		expected: "back by itself",
		run:      onHosts(func(s *scene) (string, time.Duration) { return s.freed() }),
	},
	{
		name: "restart on that full disk, with the reserve", id: failure.IDDiskLow, goal: 5 * time.Second,
		expected: "starts, and can be compacted and defragmented",
		run:      onHosts((*scene).startFull),
	},
	{
		name: "disk full, ETCD_NODE_DISK_RESERVE=0", id: failure.IDDiskFull, goal: goalExplained,
		expected: "the member waits for space and says why",
		run: onHosts(func(s *scene) (string, time.Duration) {
			s.loaded("ETCD_NODE_DISK_RESERVE=0")
			from := lab.Now()
			s.fill(fullHost)
			stop := s.load(others(fullHost)...)
			seen, at := s.says(fullHost, "backoff: ", "the disk under the data dir is full")
			s.explained(fullHost, failure.IDDiskFull, "df -h "+dataDir)
			stop()
			return seen, at - from
		}),
	},
	{
		name: "that disk freed, ETCD_NODE_DISK_RESERVE=0", id: failure.IDDiskFull, goal: 5 * time.Second,
		expected: "back by itself",
		run:      onHosts(func(s *scene) (string, time.Duration) { return s.freed("ETCD_NODE_DISK_RESERVE=0") }),
	},
}

const (
	fullHost = 3
	diskSize = 1 << 30
	dbSize   = 200 << 20
	// perTxn values of valueSize stay below etcd's 1.5 MiB for a request and
	// 128 operations in it.
	valueSize, perTxn = 4 << 10, 100
)

// loaded is three members that serve, and a database of 200 MB in them, one on
// a small disk of its own.
func (s *scene) loaded(settings ...string) {
	s.dataDisk(fullHost, diskSize)
	s.three(settings...)
	s.put(fullHost)
	stop := s.load(1)
	s.await("of 200 MB", func() error {
		if size := s.size(fullHost); size < dbSize {
			return fmt.Errorf("the database is of %d MB", size>>20)
		}
		return nil
	})
	stop()
	s.put(fullHost)
}

// load puts values of 4 KiB on a few hundred keys, again and again, so that
// most of the database is old revisions. Stop it before the row ends.
func (s *scene) load(hosts ...int) (stop func()) {
	done := make(chan struct{})
	var wg sync.WaitGroup
	for _, i := range hosts {
		c := s.client(i)
		wg.Go(func() {
			defer c.Close()
			value := strings.Repeat("x", valueSize)
			for n := 0; ; n++ {
				select {
				case <-done:
					return
				case <-s.ctx.Done():
					return
				default:
				}
				var ops []clientv3.Op
				for k := range perTxn {
					ops = append(ops, clientv3.OpPut(fmt.Sprintf("load/%d/%d", n%5, k), value))
				}
				_, _ = c.Txn(s.ctx).Then(ops...).Commit() // it is the others that must not lose anything
			}
		})
	}
	return sync.OnceFunc(func() { close(done); wg.Wait() })
}

// freed fills the disk until the member waits for space, and frees it.
func (s *scene) freed(settings ...string) (string, time.Duration) {
	s.loaded(settings...)
	free := s.fill(fullHost)
	stop := s.load(others(fullHost)...)
	s.says(fullHost, "backoff: ", "the disk under the data dir is full")
	stop()
	s.put(others(fullHost)...)
	from := free()
	took := s.serves(fullHost) - from
	seen, _ := s.says(fullHost, "serving: ", "3 of 3 members")
	return seen, took
}

// startFull fills the disk of a member that is stopped, and starts it.
func (s *scene) startFull() (string, time.Duration) {
	s.loaded()
	s.run(fullHost, "systemctl", "stop", "etcd")
	s.put(others(fullHost)...)
	s.await("full", func() error {
		s.sh(fullHost, "touch "+ballast+"\n"+fillOnce)
		return s.isFull(fullHost)
	})
	from := s.begin(fullHost)
	took := s.serves(fullHost) - from
	seen, _ := s.says(fullHost, "serving: ", "reserve of 192 MiB is released")
	s.explained(fullHost, failure.IDDiskLow, "etcd-node ctl compact REVISION")

	ctl := "etcdctl --endpoints=http://" + s.host(fullHost).IP + ":2379 --command-timeout=60s "
	before := s.size(fullHost)
	s.sh(fullHost, ctl+`compact --physical $(`+ctl+`endpoint status -w fields | awk '$1 == "\"Revision\"" { print $3 }') && `+ctl+"defrag")
	if after := s.size(fullHost); after > before/4 {
		s.failf("the database was of %d MB and is of %d MB after compaction and defragmentation", before>>20, after>>20)
	}
	s.put(fullHost)
	return seen + fmt.Sprintf(" (compacted and defragmented: %d → %d MB)", before>>20, s.size(fullHost)>>20), took
}

// size is that of the database on host i.
func (s *scene) size(i int) int {
	n, err := strconv.Atoi(strings.TrimSpace(s.run(i, "stat", "-c", "%s", dataDir+"/member/snap/db")))
	s.must(err)
	return n
}
