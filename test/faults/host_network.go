package main

import (
	"context"
	"time"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/test/lab"
)

// The network: cables, and one direction of them. All cuts are silent.
var networkFaults = []fault{
	{
		name: "cable of a follower pulled", id: failure.IDNoQuorum, goal: goalExplained,
		expected: "it stays up and says that it has no quorum, and whom it misses; the others serve on",
		run:      onHosts(func(s *scene) (string, time.Duration) { return s.cutOff(false) }),
	},
	{
		name: "cable of the leader pulled", id: failure.IDNoQuorum, goal: goalExplained,
		expected: "it stays up and says that it has no quorum, and whom it misses; the others elect a leader and serve on",
		run:      onHosts(func(s *scene) (string, time.Duration) { return s.cutOff(true) }),
	},
	{
		name: "cable of a follower plugged in again after 15 s", id: failure.IDNoQuorum, goal: goalServing,
		expected: "back by itself, same process, no election",
		run:      onHosts(func(s *scene) (string, time.Duration) { return s.plugIn(false) }),
	},
	{
		name: "cable of a former leader plugged in again after 15 s", id: failure.IDNoQuorum, goal: goalServing,
		expected: "back by itself as a follower, same process, no election",
		run:      onHosts(func(s *scene) (string, time.Duration) { return s.plugIn(true) }),
	},
	{
		name: "all cables pulled, and plugged in again", id: failure.IDNoQuorum, goal: 3 * time.Second,
		expected: "each stays up and says that it has no quorum; back by themselves; an election is due",
		run:      onHosts((*scene).cutAll),
	},
	{
		name: "one direction: the leader hears the others, they do not hear it", id: failure.IDNoQuorum, goal: goalExplained,
		expected: "the others elect a leader and serve on; the old one steps down and says why",
		run: onHosts(func(s *scene) (string, time.Duration) {
			s.three()
			i := s.leader()
			s.put(i)
			from := lab.Now()
			s.mute(i, others(i)...)
			s.put(others(i)...)
			seen, at := s.says(i, "no leader", "missing ")
			s.unmute(i, others(i)...)
			s.serves(i)
			return seen, at - from
		}),
	},
	{
		name: "one direction, healed", id: failure.IDNoQuorum, goal: goalServing,
		expected: "back by itself, same process",
		run: onHosts(func(s *scene) (string, time.Duration) {
			s.three()
			i := s.leader()
			s.mute(i, others(i)...)
			s.put(others(i)...)
			s.says(i, "no leader")
			from := lab.Now()
			s.unmute(i, others(i)...)
			took := s.serves(i) - from
			seen, _ := s.says(i, "serving: follower of", "3 of 3 members")
			return seen, took
		}),
	},
	{
		name: "asymmetric: one follower and the leader do not reach each other, both reach the third", id: failure.IDPeerFrozen, goal: goalExplained,
		expected: "the cluster serves on; both ends name the other",
		run:      onHosts((*scene).asymmetric),
	},
}

// cut pulls a cable; it is plugged in again at the latest when the row is over.
func (s *scene) cut(i int) {
	s.later(s.host(i).Heal)
	s.must(s.host(i).Cut(s.ctx))
}

func (s *scene) cutOff(leads bool) (string, time.Duration) {
	s.three()
	i := s.struck(leads)
	s.put(i)
	_, before := s.procs(i)
	from := lab.Now()
	s.cut(i)
	s.put(others(i)...)
	s.says(i, "no leader (writes wait for a quorum)", "1 of 3 members", "missing ")
	_, at := s.shows(i, failure.IDNoQuorum)
	seen, _ := s.says(i, "no leader (writes wait for a quorum)", "1 of 3 members", "missing ")
	s.explained(i, failure.IDNoQuorum, "etcd-node ctl endpoint status")
	s.must(s.host(i).Heal(s.ctx))
	s.serves(i)
	s.same(i, before)
	return seen, at - from
}

func (s *scene) plugIn(leads bool) (string, time.Duration) {
	s.three()
	i := s.struck(leads)
	_, before := s.procs(i)
	s.cut(i)
	s.put(others(i)...)
	s.wait(15 * time.Second)
	s.put(others(i)...)
	term := s.term(others(i)[0])
	from := lab.Now()
	s.must(s.host(i).Heal(s.ctx))
	took := s.serves(i) - from
	s.same(i, before)
	if now := s.term(i); now != term {
		s.failf("%s came back with an election: term %d, then %d", s.host(i).Name, term, now)
	}
	seen, _ := s.says(i, "serving: follower of ", "3 of 3 members")
	return seen, took
}

func (s *scene) cutAll() (string, time.Duration) {
	s.three()
	s.put(1, 2, 3)
	for i := range s.Hosts {
		s.cut(i + 1)
	}
	for i := range s.Hosts {
		s.shows(i+1, failure.IDNoQuorum)
	}
	s.each(func(h *lab.Host) error { return h.Heal(s.ctx) })
	from := lab.Now()
	served := s.serves(1)
	for i := 2; i <= 3; i++ {
		served = s.serves(i)
	}
	seen, _ := s.says(1, "serving: ", "3 of 3 members")
	return seen, served - from
}

func (s *scene) asymmetric() (string, time.Duration) {
	s.three()
	leader := s.leader()
	i := leader%3 + 1
	third := s.host(6 - leader - i)
	s.put(i)
	from := lab.Now()
	s.mute(i, leader)
	s.mute(leader, i)
	seen, at := s.says(leader, "2 of 3 members", "missing "+s.host(i).Name)
	_, other := s.says(i, "missing "+s.host(leader).Name)
	s.put(leader, 6-leader-i)
	if got := s.status(6 - leader - i); !containsAll(got, "serving: ", "3 of 3 members") {
		s.failf("%s, which reaches both, says %q", third.Name, got)
	}
	s.unmute(i, leader)
	s.unmute(leader, i)
	s.serves(i)
	return seen, max(at, other) - from
}

// mute lets what host i sends to the others vanish: a wrong hardware address,
// which is silent and leaves the other direction alone.
func (s *scene) mute(i int, others ...int) {
	for _, j := range others {
		s.run(i, "ip", "neigh", "replace", s.host(j).IP, "lladdr", "02:00:00:00:00:99", "nud", "permanent", "dev", "eth0")
	}
	s.later(func(ctx context.Context) error {
		_, err := s.host(i).Run(ctx, "ip", "neigh", "flush", "nud", "permanent", "dev", "eth0")
		return err
	})
}

func (s *scene) unmute(i int, others ...int) {
	for _, j := range others {
		s.run(i, "ip", "neigh", "del", s.host(j).IP, "dev", "eth0")
	}
}

// same fails if the member on host i is not the process that it was.
func (s *scene) same(i int, before lab.Proc) {
	if _, now := s.procs(i); now.PID != before.PID {
		s.failf("%s was restarted: process %d, then %d; STATUS %q", s.host(i).Name, before.Host, now.Host, s.status(i))
	}
}
