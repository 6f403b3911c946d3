package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/test/lab"
)

// A list with members of several clusters. A command to add a node that is pasted
// where it is printed must not make it a member of the wrong one.
var clusterFaults = []fault{
	{
		name: "a node without data, members of two clusters in its list", id: failure.IDSeveral, goal: goalExplained,
		expected: "it waits, begins nothing, names both and no command to add it to either; with a list of one of them it names that one's, and joins",
		run:      onHosts((*scene).mixedList),
	},
	{
		name: "a machine of another cluster in the list of a member that serves", id: failure.IDOtherMembers, goal: goalExplained,
		expected: "it serves, names the other cluster and no command to add that machine; that is over with the right list",
		run:      onHosts((*scene).foreignPeer),
	},
}

// twoClusters are clusters of one on hosts 1 and 2, each with its ID.
func (s *scene) twoClusters() (first, second string) {
	for i := 1; i <= 2; i++ {
		s.lists(i, s.host(i))
	}
	s.start(1, 2)
	return s.clusterID(1), s.clusterID(2)
}

// lists writes a host's env file.
func (s *scene) lists(i int, hosts ...*lab.Host) {
	s.must(s.host(i).Write(s.ctx, "/etc/default/etcd", "ETCD_INITIAL_CLUSTER="+s.initialCluster(hosts...)+"\n", 0o644))
}

func (s *scene) clusterID(i int) string {
	c := s.client(i)
	defer c.Close()
	r, err := c.MemberList(s.ctx)
	s.must(err)
	return fmt.Sprintf("%x", r.Header.ClusterId)
}

// members are how many host i's cluster has.
func (s *scene) members(i int) int { return strings.Count(s.ctl(i, "member", "list"), "\n") }

func (s *scene) mixedList() (string, time.Duration) {
	first, second := s.twoClusters()
	s.put(1)
	s.lists(3, s.Hosts...)
	from := s.begin(3)
	seen, at := s.says(3, "joining: ", "cluster "+first+" of etcd-1", "cluster "+second+" of etcd-2", "nothing is begun here", "leave only the members of the one that is meant")
	out := s.explained(3, failure.IDSeveral, "systemctl restart etcd")
	journal, err := s.host(3).Journal(s.ctx, unit, s.since)
	s.must(err)
	for _, said := range []string{s.status(3), out, journal} {
		if strings.Contains(said, "member add "+s.host(3).Name) {
			s.failf("it names a command, for one of two clusters: %s", said)
		}
	}
	if left := s.sh(3, "find "+dataDir+" -mindepth 1"); left != "" {
		s.failf("it has begun something: %s", strings.TrimSpace(left))
	}

	s.run(3, "systemctl", "stop", "etcd")
	s.lists(3, s.host(1), s.host(3)) // as explained
	s.begin(3)
	s.says(3, "cluster "+first+" of etcd-1 does not list etcd-3")
	_, command, ok := strings.Cut(s.status(3), "it joins by itself: ")
	if !ok {
		s.failf("no command in %q", s.status(3))
	}
	s.await("done: "+command, func() error { _, err := s.host(3).Sh(s.ctx, command); return err }) // etcd refuses it for 5 s after a start
	s.says(3, "serving: learner of etcd-1")
	if one, other := s.members(1), s.members(2); one != 2 || other != 1 {
		s.failf("the clusters have %d and %d members", one, other)
	}
	return seen, at - from
}

func (s *scene) foreignPeer() (string, time.Duration) {
	_, second := s.twoClusters()
	s.put(1)
	s.run(1, "systemctl", "stop", "etcd")
	s.lists(1, s.host(1), s.host(2))
	from := s.begin(1)
	seen, at := s.says(1, "serving: leader, 1 of 1 member", "etcd-2 of the list belongs to another cluster, "+second+": do not add it")
	if out := s.status(1) + s.explained(1, failure.IDOtherMembers); strings.Contains(out, "member add etcd-2") {
		s.failf("it names a command to add it: %s", out)
	}
	s.serves(1)
	s.run(1, "systemctl", "stop", "etcd")
	s.lists(1, s.host(1)) // as it says
	s.begin(1)
	s.serves(1)
	s.await("well", func() error {
		if line := s.status(1); line != "serving: leader, 1 of 1 member" {
			return fmt.Errorf("it says %q", line)
		}
		return nil
	})
	return seen, at - from
}
