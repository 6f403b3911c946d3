package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/etcd-node/etcd-node/pkg/status"
	"github.com/etcd-node/etcd-node/test/poll"
)

// watch runs `etcd-node status --watch` with more flags until it is interrupted, and
// returns the lines that it prints.
func (n *node) watch(flags ...string) (lines <-chan string, complaints func() string, end func()) {
	n.t.Helper()
	cmd := program(n.t, "etcd-node", append([]string{"status", "--watch"}, flags...)...)
	cmd.Env, cmd.Dir = append(n.Environ(), n.env...), n.Dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // not even the end of this process is outlived
	said := new(lockedText)
	cmd.Stderr = said
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() { _ = cmd.Process.Kill() })
	come := make(chan string, 1000)
	go func() {
		defer close(come)
		for in := bufio.NewScanner(out); in.Scan(); {
			come <- in.Text()
		}
	}()
	return come, said.String, func() {
		_ = cmd.Process.Signal(os.Interrupt)
		for range come { // to the end, as Wait wants it
		}
		if err := cmd.Wait(); err != nil {
			n.t.Errorf("interrupted: %v", err)
		}
	}
}

// lockedText is what a program has written so far.
type lockedText struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lockedText) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *lockedText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// A program that watches sees the member come and go, and the daemon too, and goes
// on until it is told to stop.
func TestWatchAsJSON(t *testing.T) {
	t.Parallel()
	n := running(t)
	lines, complaints, end := n.watch("-o", "json")
	until := func(what string, ok func(status.Status) bool) {
		t.Helper()
		for late := time.After(poll.Patience); ; {
			select {
			case line := <-lines:
				var st status.Status
				if err := json.Unmarshal([]byte(line), &st); err != nil {
					t.Fatalf("%q: %v", line, err)
				}
				if ok(st) {
					return
				}
			case <-late:
				t.Fatalf("never %s", what)
			}
		}
	}
	until("serving", serving)
	syscall.Kill(n.status().MemberPID, syscall.SIGKILL)
	until("serving again", func(st status.Status) bool { return serving(st) && st.Restarts == 1 })
	n.stop()
	poll.Eventually(t, func() error {
		if said := complaints(); !strings.HasPrefix(said, "etcd-node: no answer from the daemon") {
			return fmt.Errorf("complaints: %q", said)
		}
		return nil
	})
	n.up()
	until("the next daemon", func(st status.Status) bool { return serving(st) && st.Restarts == 0 })
	n.stop()
	end()
}

// Elsewhere than at a terminal each change is printed, and no more.
func TestWatchAsText(t *testing.T) {
	t.Parallel()
	n := running(t)
	lines, _, end := n.watch()
	if first := <-lines; !strings.HasPrefix(first, "a: serving: leader, 1 of 1 member") {
		t.Errorf("%q", first)
	}
	n.stop()
	served := 1
	for late := time.After(poll.Patience); ; {
		select {
		case line := <-lines:
			if strings.Contains(line, "\x1b") {
				t.Errorf("%q", line)
			}
			if strings.HasPrefix(line, "a: serving") {
				served++
			}
			if !strings.HasPrefix(line, "a: stop") {
				continue
			}
		case <-late:
			t.Error("the stop is not seen")
		}
		break
	}
	// Its disk may have been measured meanwhile.
	if end(); served > 2 {
		t.Errorf("that it serves was said %d times", served)
	}
}

// At a terminal it stays in view.
func TestWatchAtTerminal(t *testing.T) {
	t.Parallel()
	n := running(t)
	s, end := n.commandAtTerminal("status", "--watch")
	s.await(t, "\x1b[H\x1b[32ma: serving\x1b[0m: leader, 1 of 1 member\x1b[K")
	n.stop()
	s.await(t, "\x1b[Hetcd-node: no answer from the daemon")
	n.up()
	s.await(t, "\x1b[J\x1b[H\x1b[32ma: serving")
	drawn := func() (times int) {
		for _, l := range s.all() {
			times += strings.Count(l, "\x1b[H\x1b[32ma: serving")
		}
		return times
	}
	before := drawn()
	poll.Eventually(t, func() error { // its age
		if drawn() == before {
			return fmt.Errorf("drawn %d times", before)
		}
		return nil
	})
	if code := end(); code != 0 {
		t.Errorf("Ctrl-C: exit code %d", code)
	}
}
