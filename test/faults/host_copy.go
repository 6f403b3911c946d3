package main

import (
	"strings"
	"time"

	"github.com/etcd-node/etcd-node/pkg/failure"
)

// A machine's disk on another one, while the machine itself has no power: nobody
// answers at its address, so only the list tells whose the data is.
var copyFaults = []fault{
	{
		name: "disk of one of three copied to another one's machine, the original without power", id: failure.IDCloned, goal: goalExplained,
		expected: refusal + "; all three serve when each has its own disk",
		run:      onHosts((*scene).copiedMember),
	},
	{
		name: "disk of a cluster of one copied to the machine that the list adds, the original without power", id: failure.IDCloned, goal: goalExplained,
		expected: refusal + "; moved aside as explained, it says how it is added to the original",
		run:      onHosts((*scene).copiedSingle),
	},
}

func (s *scene) copiedMember() (string, time.Duration) {
	s.three()
	s.put(3)
	s.run(3, "systemctl", "stop", "etcd")
	s.put(1, 2)
	s.copyDisk(3, 2)
	s.must(s.host(3).PowerLoss(s.ctx))
	seen, took := s.refusesCopy(2, 3)
	s.sh(2, "rm -rf "+onDisk+"; cd /var/lib/kept; mv etcd etcd-node /var/lib/")
	booted := s.power(3)
	s.start(2)
	s.must(<-booted)
	for i := range s.Hosts {
		s.serves(i + 1)
	}
	return seen, took
}

func (s *scene) copiedSingle() (string, time.Duration) {
	s.single()
	s.put(1)
	s.env("ETCD_INITIAL_CLUSTER=" + s.initialCluster(s.host(1), s.host(2)))
	s.run(1, "systemctl", "stop", "etcd")
	s.copyDisk(1, 2)
	s.must(s.host(1).PowerLoss(s.ctx))
	seen, took := s.refusesCopy(2, 1)
	s.sh(2, "mv -T "+dataDir+"/member "+dataDir+"/member.copied; etcd-node forget") // as explained
	s.begin(2)
	s.must(<-s.power(1))
	s.serves(1)
	s.says(2, "of "+s.host(1).Name+" does not list "+s.host(2).Name, "etcdctl member add "+s.host(2).Name+" --learner")
	return seen, took
}

// onDisk is what a member has on a machine's disk, but for its settings.
const onDisk = dataDir + " /var/lib/etcd-node"

// copyDisk puts data, pin and env file of a host, on which etcd is stopped, in the
// place of another one's, and keeps those.
func (s *scene) copyDisk(from, to int) {
	disk := s.sh(from, "tar -P -czS "+onDisk+" /etc/default/etcd | base64 -w0")
	s.sh(to, "systemctl stop etcd; rm -rf /var/lib/kept; mkdir /var/lib/kept; for d in "+onDisk+"; do [ ! -e $d ] || mv $d /var/lib/kept/; done")
	_, err := s.host(to).Feed(s.ctx, strings.NewReader(disk), "sh", "-ec", "base64 -d | tar -P -xz")
	s.must(err)
}

// refusesCopy starts etcd on host i, which has the disk of host of.
func (s *scene) refusesCopy(i, of int) (string, time.Duration) {
	const sums = "find " + onDisk + " -type f -exec sha256sum {} + | sort"
	original := s.host(of)
	before := s.sh(i, sums)
	from := s.begin(i)
	seen, at := s.says(i, "failed: ", "the data here is another machine's: its data is of "+original.Name+" (http://"+original.IP+":2380), which is another entry of the list",
		"this machine is "+s.host(i).Name)
	s.ends(i, failure.ExitForeign)
	s.explained(i, failure.IDCloned, "mv -T "+dataDir+"/member ", "etcd-node forget", "etcd-node config")
	if after := s.sh(i, sums); after != before {
		s.failf("the data was touched:\n%s\nthen\n%s", before, after)
	}
	return seen, at - from
}
