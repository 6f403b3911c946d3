package main

import (
	"sync"
	"time"

	"github.com/etcd-node/etcd-node/pkg/failure"
)

// A machine without power leaves no FIN and no last word; its disk has what was
// synced. Seconds count from the start of the daemon: what the machine itself
// needs to boot is not ours.
var powerFaults = []fault{
	{
		name: "power loss of a follower's machine", id: failure.IDKilled, goal: goalServing,
		expected: "the others serve on; back by itself with the power",
		run: onHosts(func(s *scene) (string, time.Duration) {
			s.three()
			return s.powerLoss(s.leader()%3 + 1)
		}),
	},
	{
		name: "power loss of the leader's machine", id: failure.IDKilled, goal: goalServing,
		expected: "the others elect a leader and serve on; back by itself with the power",
		run: onHosts(func(s *scene) (string, time.Duration) {
			s.three()
			return s.powerLoss(s.leader())
		}),
	},
	{
		name: "power loss of all three machines", id: failure.IDKilled, goal: 3 * time.Second,
		expected: "back by itself with the power of two, with everything acknowledged; an election is due, and machines do not boot in step",
		run:      onHosts((*scene).blackout),
	},
}

// powerLoss turns host i off and on.
func (s *scene) powerLoss(i int) (string, time.Duration) {
	s.put(i)
	s.must(s.host(i).PowerLoss(s.ctx))
	s.put(others(i)...)
	booted := s.power(i)
	served := s.serves(i)
	s.must(<-booted)
	took := served - s.unit(i).MainStart
	seen, _ := s.says(i, "serving: ", "3 of 3 members")
	return seen, took
}

// power turns host i on. The power comes at once, the channel's error when it
// has booted.
func (s *scene) power(i int) <-chan error {
	done := make(chan error, 1)
	go func() { done <- s.host(i).Boot(s.ctx) }()
	return done
}

func (s *scene) blackout() (string, time.Duration) {
	s.three()
	s.put(1, 2, 3)
	var off sync.WaitGroup
	errs := make([]error, 3)
	for i, h := range s.Hosts {
		off.Go(func() { errs[i] = h.PowerLoss(s.ctx) })
	}
	off.Wait()
	for _, err := range errs {
		s.must(err)
	}
	var booted []<-chan error
	for i := range s.Hosts {
		booted = append(booted, s.power(i+1))
	}
	served := s.serves(1)
	for i := 2; i <= 3; i++ {
		served = s.serves(i)
	}
	var starts []time.Duration
	for i := range s.Hosts {
		s.must(<-booted[i])
		starts = append(starts, s.unit(i+1).MainStart)
	}
	seen, _ := s.says(1, "serving: ", "3 of 3 members")
	return seen, served - second(starts)
}

// second is the time when two of three were there.
func second(of []time.Duration) time.Duration {
	least, most := min(of[0], of[1], of[2]), max(of[0], of[1], of[2])
	return of[0] + of[1] + of[2] - least - most
}
