package main

import (
	"time"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/test/lab"
)

// Files that belong to root, as a restore or a copy by hand leaves them.
var fileFaults = []fault{
	{
		name: "member/ belongs to root after a restore as root", id: failure.IDDirOwner, goal: goalExplained,
		expected: "it waits, tries again every 30 s, and says so; the others serve on",
		run: onHosts(func(s *scene) (string, time.Duration) {
			from := s.ownedByRoot()
			seen, at := s.says(3, "backoff: ", failure.New(failure.IDDirOwner, "").Cause)
			s.explained(3, failure.IDDirOwner, "chown -R etcd:etcd "+dataDir)
			return seen, at - from
		}),
	},
	{
		name: "member/ given back to the service user", id: failure.IDDirOwner, goal: 37 * time.Second,
		expected: "back with its next attempt, every 30 s",
		run: onHosts(func(s *scene) (string, time.Duration) {
			s.ownedByRoot()
			s.says(3, "backoff: ", failure.New(failure.IDDirOwner, "").Cause)
			s.put(1, 2)
			from := lab.Now()
			s.run(3, "chown", "-R", "etcd:etcd", dataDir) // as explained
			took := s.serves(3) - from
			seen, _ := s.says(3, "serving: ", "3 of 3 members", "last: ")
			return seen, took
		}),
	},
}

// ownedByRoot is one of three whose member directory root has taken, started at
// from.
func (s *scene) ownedByRoot() (from time.Duration) {
	s.three()
	s.put(3)
	s.sh(3, "systemctl stop etcd; chown -R root:root "+dataDir+"/member")
	s.put(1, 2)
	return s.begin(3)
}
