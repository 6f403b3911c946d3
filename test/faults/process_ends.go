package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/etcd-node/etcd-node/pkg/failure"
)

// ends are the ways in which a process ends, or stops moving.
func (p *product) ends() []fault {
	return []fault{
		{"SIGKILL of the member, cluster of one", failure.IDKilled, back, goalServing, p.on(func(s *stage) (string, time.Duration) {
			return s.single().killed()
		})},
		{"SIGKILL of the leader", failure.IDKilled, back, goalServing, p.on(func(s *stage) (string, time.Duration) {
			leader, others := s.leads(s.three())
			seen, took := leader.killed()
			others[0].kept()
			return seen, took
		})},
		{"SIGKILL of a follower", failure.IDKilled, back, goalServing, p.on(func(s *stage) (string, time.Duration) {
			_, others := s.leads(s.three())
			return others[0].killed()
		})},
		{"SIGTERM sent to the member instead of the unit", failure.IDSignalled, back, goalServing, p.on(func(s *stage) (string, time.Duration) {
			n := s.single()
			n.Mark()
			at := time.Now()
			n.signal(n.member(), syscall.SIGTERM)
			n.waits(failure.IDSignalled)
			return n.back(at)
		})},
		{"SIGKILL of the supervisor, started again at once", failure.IDKilled, back, goalServing, p.on(func(s *stage) (string, time.Duration) {
			n := s.single()
			n.Kill()
			n.start() // ports and locks must be free
			return n.back(n.begun)
		})},
		{"SIGKILL of the leader's supervisor, started again at once", failure.IDKilled, back, goalServing, p.on(func(s *stage) (string, time.Duration) {
			leader, others := s.leads(s.three())
			leader.Kill()
			leader.start()
			seen, took := leader.back(leader.begun)
			others[0].kept()
			return seen, took
		})},
		{"no memory: the Go runtime ends the member", failure.IDOutOfMemory, back, goalServing, p.on(func(s *stage) (string, time.Duration) {
			n := s.single()
			pid := n.member()
			n.Mark()
			// All it has it may keep. The next process has no such limit.
			s.must(unix.Prlimit(pid, unix.RLIMIT_AS, &unix.Rlimit{Cur: 1 << 20, Max: 1 << 20}, nil))
			go n.burden()
			x := n.await("STATUS=backoff: " + failure.New(failure.IDOutOfMemory, "").Cause)
			n.explained(failure.IDOutOfMemory)
			return n.back(x.At)
		})},
		{"SIGSTOP of the member for good", failure.IDHang, "killed after ETCD_NODE_HANG_LIMIT, and " + back, goalExplained, p.on(func(s *stage) (string, time.Duration) {
			n := s.single()
			at := time.Now()
			n.Mark()
			n.signal(n.member(), syscall.SIGSTOP)
			seen, _ := n.waits(failure.IDHang)
			line, took := n.back(at)
			return then(seen, line), took
		})},
		{"a member that hangs, and can still say what it does", failure.IDHang, "its goroutines are in the recorder; killed, and " + back, goalExplained, p.on(func(s *stage) (string, time.Duration) {
			n := s.single()
			at := time.Now()
			n.Mark()
			pid := n.member()
			n.signal(pid, syscall.SIGSTOP)
			// It moves again when it is asked, as a process does whose loop
			// alone hangs.
			n.logged("asking what its goroutines do")
			n.signal(pid, syscall.SIGCONT)
			_, took := n.back(at)
			if dump := n.command("history"); !strings.Contains(dump, "goroutine ") || !strings.Contains(dump, "etcdserver") {
				s.fail("no goroutines in the history:\n%s", dump)
			}
			return "history: the member's goroutines; " + n.essence(n.Last()), took
		})},
		{"a listening socket closed under it", "listener-lost", back, goalServing, p.on(func(s *stage) (string, time.Duration) {
			n := s.single()
			n.Mark()
			at := time.Now()
			n.shutListener(n.Client)
			n.waits("listener-lost")
			return n.back(at)
		})},
	}
}

// killed kills the member process and waits until there is another.
func (n *local) killed() (string, time.Duration) {
	pid := n.member()
	n.Mark()
	at := time.Now()
	n.signal(pid, syscall.SIGKILL)
	n.await("STATUS=backoff: killed by signal 9")
	seen, took := n.back(at)
	n.explained(failure.IDKilled)
	return seen, took
}

// burden makes the member need memory until it has ended.
func (n *local) burden() {
	c := n.etcd()
	for i := range 200 {
		if _, err := c.Put(n.s.ctx, fmt.Sprint("burden", i), strings.Repeat("x", 1<<20)); err != nil {
			return
		}
	}
}

// shutListener shuts the listening socket behind a URL, from outside, as
// nothing in etcd would: through a duplicate of it.
func (n *local) shutListener(url string) {
	pid := n.member()
	pidfd, err := unix.PidfdOpen(pid, 0)
	n.s.must(err)
	defer unix.Close(pidfd)
	fds, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	n.s.must(err)
	for _, x := range fds {
		number, _ := strconv.Atoi(x.Name()) // it is one
		fd, err := unix.PidfdGetfd(pidfd, number, 0)
		if err != nil {
			continue // closed meanwhile
		}
		defer unix.Close(fd)
		listens, _ := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN) // 0: no socket
		addr, err := unix.Getsockname(fd)
		if a, ok := addr.(*unix.SockaddrInet4); err == nil && ok && listens == 1 && strings.HasSuffix(url, fmt.Sprintf(":%d", a.Port)) {
			n.s.must(unix.Shutdown(fd, unix.SHUT_RDWR))
			return
		}
	}
	n.s.fail("%s does not listen on %s", n.Name, url)
}

// removeAll empties a directory and leaves it there.
func (s *stage) removeAll(dir string) {
	s.must(os.RemoveAll(dir))
	s.must(os.Mkdir(dir, 0o700))
}
