package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/test/lab"
)

// A machine that stands still: a paused VM, a hypervisor out of memory.
var frozenFaults = []fault{
	{
		name: "a follower's machine stands still", id: failure.IDPeerFrozen, goal: goalExplained,
		expected: "the others serve on, and say who does not answer although its connection stands",
		run:      onHosts(func(s *scene) (string, time.Duration) { return s.standStill(false) }),
	},
	{
		name: "the leader's machine stands still", id: failure.IDPeerFrozen, goal: goalExplained,
		expected: "the others elect a leader, serve on, and say who does not answer although its connection stands",
		run:      onHosts(func(s *scene) (string, time.Duration) { return s.standStill(true) }),
	},
	{
		name: "a follower's machine goes on after 20 s", id: failure.IDPeerFrozen, goal: goalServing,
		expected: "back by itself, same process: the pause is not taken for a hanging member",
		run:      onHosts(func(s *scene) (string, time.Duration) { return s.goOn(false) }),
	},
	{
		name: "a former leader's machine goes on after 20 s", id: failure.IDPeerFrozen, goal: goalServing,
		expected: "back by itself as a follower, same process: the pause is not taken for a hanging member",
		run:      onHosts(func(s *scene) (string, time.Duration) { return s.goOn(true) }),
	},
	{
		// systemd has heard WATCHDOG=1 up to 15 s before, waits 30 s in all,
		// and 1 s before it starts the unit again.
		name: "SIGSTOP of the supervisor", id: failure.IDKilled, goal: 35 * time.Second,
		expected: "the member serves on meanwhile; systemd's watchdog ends both and starts them again",
		run:      onHosts((*scene).stopSupervisor),
	},
}

// freeze stops a whole host, and returns what lets it go on.
func (s *scene) freeze(i int) (thaw func()) {
	var box string
	for _, root := range []string{"/sys/fs/cgroup", "/sys/fs/cgroup/unified"} { // the second where version 1 is mounted too
		path := filepath.Join(root, s.name, s.host(i).Name, "box/cgroup.freeze")
		if _, err := os.Stat(path); err == nil {
			box = path
		}
	}
	set := func(to string) error { return os.WriteFile(box, []byte(to), 0o644) }
	s.later(func(context.Context) error { return set("0") })
	s.must(set("1"))
	return func() { s.must(set("0")) }
}

func (s *scene) standStill(leads bool) (string, time.Duration) {
	s.three()
	i := s.struck(leads)
	s.put(i)
	from := lab.Now()
	thaw := s.freeze(i)
	s.put(others(i)...)
	watcher := others(i)[0]
	_, at := s.shows(watcher, failure.IDPeerFrozen)
	seen, _ := s.says(watcher, "serving: ", "2 of 3 members", "missing "+s.host(i).Name)
	thaw()
	s.serves(i)
	return seen, at - from
}

func (s *scene) goOn(leads bool) (string, time.Duration) {
	s.three()
	i := s.struck(leads)
	s.put(i)
	_, before := s.procs(i)
	thaw := s.freeze(i)
	s.put(others(i)...)
	s.wait(20 * time.Second)
	s.put(others(i)...)
	from := lab.Now()
	thaw()
	took := s.serves(i) - from
	s.wait(12 * time.Second) // longer than a member may be silent
	s.same(i, before)
	seen, _ := s.says(i, "serving: follower of ", "3 of 3 members")
	return seen, took
}

func (s *scene) stopSupervisor() (string, time.Duration) {
	s.three()
	i := s.struck(true)
	s.put(i)
	supervisor, member := s.procs(i)
	before := s.unit(i)
	from := lab.Now()
	s.must(supervisor.Signal(unix.SIGSTOP))
	s.wait(3 * time.Second)
	s.put(i)
	for !member.Gone() {
		s.put(others(i)...)
		s.wait(100 * time.Millisecond)
		if lab.Now()-from > patience {
			s.failf("systemd's watchdog has not ended it after %v: %v", patience, s.unit(i))
		}
	}
	s.await("started again", func() error {
		if u := s.unit(i); u.MainPID == before.MainPID || u.ActiveState != "active" {
			return fmt.Errorf("%v", u)
		}
		return nil
	})
	took := s.serves(i) - from
	u := s.unit(i)
	if u.NRestarts != before.NRestarts+1 {
		s.failf("want one restart by systemd: %v", u)
	}
	seen, _ := s.says(i, "serving: ", "3 of 3 members")
	return s.logged(i, "Watchdog timeout") + " Then: " + seen, took
}
