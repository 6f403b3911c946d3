package main

import (
	"strings"
	"time"

	"github.com/etcd-node/etcd-node/pkg/failure"
)

// A machine's disk on another one, while the machine itself has no power: nobody
// answers at its address, so only the list tells whose the data is.
var copyFaults = []fault{{
	name: "disk of one of three copied to another one's machine, the original without power", id: failure.IDOtherEntry, goal: goalExplained,
	expected: "it waits, and nothing is touched; all three serve when each has its own disk",
	run:      onHosts((*scene).copiedMember),
}}

func (s *scene) copiedMember() (string, time.Duration) {
	s.three()
	s.put(3)
	s.run(3, "systemctl", "stop", "etcd")
	s.put(1, 2)
	s.copyDisk(3, 2)
	s.must(s.host(3).PowerLoss(s.ctx))
	seen, took := s.distrustsCopy(2, 3)
	s.sh(2, "systemctl stop etcd; rm -rf "+onDisk+"; cd /var/lib/kept; mv etcd etcd-node /var/lib/")
	booted := s.power(3)
	s.start(2)
	s.must(<-booted)
	for i := range s.Hosts {
		s.serves(i + 1)
	}
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

// distrustsCopy starts etcd on host i, which has the disk of host of.
func (s *scene) distrustsCopy(i, of int) (string, time.Duration) {
	const sums = "find " + onDisk + " -type f -exec sha256sum {} + | sort"
	original := s.host(of)
	before := s.sh(i, sums)
	from := s.begin(i)
	seen, at := s.says(i, "joining: ", "waiting: the data is of "+original.Name+", which the list has at another address (http://"+original.IP+":2380)",
		"this machine is "+s.host(i).Name, "this may be a copy of a machine that is off")
	s.explained(i, failure.IDOtherEntry, "ETCD_INITIAL_ADVERTISE_PEER_URLS")
	if after := s.sh(i, sums); after != before {
		s.failf("the data was touched:\n%s\nthen\n%s", before, after)
	}
	return seen, at - from
}
