package main

import (
	"context"
	"strings"
	"time"

	"github.com/etcd-node/etcd-node/pkg/failure"
)

// An empty directory over the data dir: the data disk is not mounted.
var mountFaults = []fault{
	{
		name: "empty directory mounted over a single member's data dir", id: failure.IDWiped, goal: goalExplained,
		expected: "it waits and says for what; old data untouched; serves once it is unmounted and started anew",
		run: onHosts(func(s *scene) (string, time.Duration) {
			s.single()
			s.put(1)
			return s.covered(1)
		}),
	},
	{
		name: "empty directory mounted over the data dir of one of three", id: failure.IDWiped, goal: goalExplained,
		expected: "it waits and says for what; old data untouched; the others serve on; serves once it is unmounted and started anew",
		run: onHosts(func(s *scene) (string, time.Duration) {
			s.three()
			s.put(3)
			return s.covered(3, 1, 2)
		}),
	},
	{
		name: "the same, with ETCD_INITIAL_CLUSTER_STATE=existing", id: failure.IDWiped, goal: goalExplained,
		expected: "it waits and says for what: the cluster lists no new member for this node; old data untouched; serves once it is unmounted and started anew",
		run: onHosts(func(s *scene) (string, time.Duration) {
			s.three()
			s.put(3)
			s.env("ETCD_INITIAL_CLUSTER="+s.initialCluster(s.Hosts...), "ETCD_INITIAL_CLUSTER_STATE=existing")
			return s.covered(3, 1, 2)
		}),
	},
}

// covered mounts an empty directory over the data of host i, which the unit may
// not take for a new beginning.
func (s *scene) covered(i int, others ...int) (string, time.Duration) {
	const sums = "find " + dataDir + " -type f -exec sha256sum {} + | sort"
	s.run(i, "systemctl", "stop", "etcd")
	if len(others) > 0 {
		s.put(others...)
	}
	before := s.sh(i, sums)
	s.inMounts(i, "mount -t tmpfs -o mode=0700 tmpfs "+dataDir)
	covers := true
	s.later(func(ctx context.Context) (err error) {
		if covers {
			_, err = s.host(i).Run(ctx, "umount", "--lazy", dataDir)
		}
		return err
	})

	from := s.begin(i)
	seen, at := s.says(i, "waiting for its disk to be mounted: the data dir "+dataDir+" is empty where a member used to be")
	s.explained(i, failure.IDWiped, "findmnt -T "+dataDir, "etcd-node forget")
	if left := s.sh(i, "find "+dataDir+" -mindepth 1"); left != "" {
		s.failf("it has begun something: %s", strings.TrimSpace(left))
	}
	s.run(i, "umount", dataDir)
	covers = false
	if after := s.sh(i, sums); after != before {
		s.failf("the old data was touched:\n%s\nthen\n%s", before, after)
	}
	s.run(i, "systemctl", "stop", "etcd")
	s.start(i)
	s.serves(i)
	return seen, at - from
}
