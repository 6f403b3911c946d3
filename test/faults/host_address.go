package main

import (
	"time"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/test/lab"
)

// The machine's own address.
var addressFaults = []fault{
	{
		name: "address gone from eth0 of a running member", id: failure.IDNoQuorum, goal: goalExplained,
		expected: "it stays up and says whom it misses and why",
		run: onHosts(func(s *scene) (string, time.Duration) {
			i := s.withoutAddress()
			from := lab.Now()
			seen, at := s.says(i, "no leader", "missing ", "unreachable")
			s.run(i, "ip", "address", "add", s.host(i).IP+"/24", "dev", "eth0")
			s.serves(i)
			return seen, at - from
		}),
	},
	{
		name: "address back on eth0 of a running member", id: failure.IDNoQuorum, goal: goalServing,
		expected: "back by itself, same process",
		run: onHosts(func(s *scene) (string, time.Duration) {
			i := s.withoutAddress()
			s.says(i, "no leader")
			_, before := s.procs(i)
			from := lab.Now()
			s.run(i, "ip", "address", "add", s.host(i).IP+"/24", "dev", "eth0")
			took := s.serves(i) - from
			s.same(i, before)
			seen, _ := s.says(i, "serving: ", "3 of 3 members")
			return seen, took
		}),
	},
	{
		name: "no address on eth0 at the start", id: failure.IDNoAddress, goal: goalExplained,
		expected: "it waits and says for what",
		run: onHosts(func(s *scene) (string, time.Duration) {
			i := s.lateAddress()
			from := s.begin(i)
			seen, at := s.says(i, "address", "eth0")
			return seen, at - from
		}),
	},
	{
		name: "address comes late", id: failure.IDNoAddress, goal: goalServing,
		expected: "starts by itself as soon as the address is there",
		run: onHosts(func(s *scene) (string, time.Duration) {
			i := s.lateAddress()
			s.begin(i)
			s.says(i, "address", "eth0")
			from := lab.Now()
			s.run(i, "ip", "address", "add", s.host(i).IP+"/24", "dev", "eth0")
			took := s.serves(i) - from
			seen, _ := s.says(i, "serving: ", "3 of 3 members")
			return seen, took
		}),
	},
}

// withoutAddress takes the address from a follower's interface and returns its
// number. The others serve on.
func (s *scene) withoutAddress() int {
	s.three()
	i := s.leader()%3 + 1
	s.put(i)
	s.run(i, "ip", "address", "flush", "dev", "eth0", "scope", "global")
	s.put(others(i)...)
	return i
}

// lateAddress is a host without an address, in a cluster that serves.
func (s *scene) lateAddress() int {
	s.three()
	s.put(3)
	s.run(3, "systemctl", "stop", "etcd")
	s.run(3, "ip", "address", "flush", "dev", "eth0", "scope", "global")
	s.put(1, 2)
	return 3
}
