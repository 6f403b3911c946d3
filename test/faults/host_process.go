package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/test/lab"
)

// What systemd and the kernel do to the processes of the unit.
var unitFaults = []fault{
	{
		name: "the kernel's OOM killer takes the member", id: failure.IDOutOfMemory, goal: goalServing,
		expected: "back by itself under the same supervisor; memory is named where the unit's cgroup counts it, else the signal",
		run:      onHosts((*scene).outOfMemory),
	},
	{
		// 1 s of it is RestartSec=.
		name: "the binary replaced by garbage, the unit restarted; then put back", id: failure.IDCannotExecute, goal: 3 * time.Second,
		expected: "systemd says 203/EXEC once a second, and it is back by itself; the others serve on",
		run:      onHosts((*scene).garbageBinary),
	},
	{
		name: "the binary replaced by garbage, the member killed", id: failure.IDKilled, goal: goalServing,
		expected: "back by itself: the supervisor starts what it itself was started from",
		run: onHosts(func(s *scene) (string, time.Duration) {
			s.three()
			s.put(3)
			s.breakBinary(3)
			_, member := s.procs(3)
			from := lab.Now()
			s.must(member.Signal(unix.SIGKILL))
			s.gone(member)
			took := s.serves(3) - from
			seen, _ := s.says(3, "serving: ", "3 of 3 members", "last: killed by signal 9")
			return seen, took
		}),
	},
}

// outOfMemory lets the kernel kill a member that asks for more memory than its
// cgroup may have: of version 1, from outside, where the machine has bound the
// memory controller to that.
func (s *scene) outOfMemory() (string, time.Duration) {
	const root = "/sys/fs/cgroup/memory"
	if _, err := os.Stat(root + "/memory.limit_in_bytes"); err != nil {
		s.must(skip("the lab's cgroups cannot limit memory"))
	}
	s.three()
	s.put(3)
	before, member := s.procs(3)
	group := filepath.Join(root, s.name)
	s.must(os.Mkdir(group, 0o755))
	s.later(func(context.Context) error { return os.Remove(group) })
	set := func(file, value string) { s.must(os.WriteFile(filepath.Join(group, file), []byte(value), 0o644)) }
	set("cgroup.procs", strconv.Itoa(member.PID))
	// What it has stays counted where it was: the next few megabytes are too many.
	set("memory.limit_in_bytes", strconv.Itoa(4<<20))
	stop := s.load(1, 2)
	s.gone(member)
	from := lab.Now()
	took := s.serves(3) - from
	stop() // what was on its way to a leader that died takes seconds to give up
	raw, err := os.ReadFile(filepath.Join(group, "memory.oom_control"))
	s.must(err)
	if !strings.Contains(string(raw), "oom_kill 1") {
		s.failf("it was not the OOM killer: %q", raw)
	}
	if after, _ := s.procs(3); after.PID != before.PID {
		s.failf("supervisor %d, then %d", before.Host, after.Host)
	}
	seen, _ := s.says(3, "serving: ", "last: ")
	return seen, took
}

const binary = "/usr/local/bin/etcd-node"

// breakBinary puts garbage in the binary's place, and returns what puts it
// back. Renamed, as an upgrade does: the running one cannot be written to.
func (s *scene) breakBinary(i int) (mend func()) {
	s.sh(i, "cp "+binary+" "+binary+".kept; head -c 4096 /dev/urandom >"+binary+".new; chmod 0755 "+binary+".new; mv "+binary+".new "+binary)
	back := []string{"sh", "-ec", "[ ! -e " + binary + ".kept ] || mv " + binary + ".kept " + binary}
	s.later(func(ctx context.Context) error {
		_, err := s.host(i).Run(ctx, back...)
		return err
	})
	return func() { s.run(i, back...) }
}

func (s *scene) garbageBinary() (string, time.Duration) {
	s.three()
	s.put(3)
	mend := s.breakBinary(3)
	_, err := s.host(3).Run(s.ctx, "systemctl", "restart", "etcd")
	if err == nil {
		s.failf("systemctl restart does not fail with garbage for a binary")
	}
	s.put(1, 2)
	s.await("tried three times", func() error {
		if u := s.unit(3); u.NRestarts < 3 {
			return fmt.Errorf("%v", u)
		}
		return nil
	})
	mend()
	from := lab.Now()
	took := s.serves(3) - from
	seen, _ := s.says(3, "serving: ", "3 of 3 members")
	return s.logged(3, "203/EXEC") + "; then: " + seen, took
}

// gone waits for the end of a process.
func (s *scene) gone(p lab.Proc) {
	for deadline := time.Now().Add(patience); !p.Gone(); s.wait(time.Millisecond) {
		if time.Now().After(deadline) {
			s.failf("process %d has not ended after %v", p.Host, patience)
		}
	}
}
