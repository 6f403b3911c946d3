package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/etcd-node/etcd-node/pkg/status"
	"github.com/etcd-node/etcd-node/test/poll"
)

// watch runs `etcd-node status --watch` with more flags until it is interrupted, and
// returns the lines that it prints.
func (n *node) watch(flags ...string) (lines <-chan string, end func() (complaints string)) {
	n.t.Helper()
	cmd := program(n.t, "etcd-node", append([]string{"status", "--watch"}, flags...)...)
	cmd.Env, cmd.Dir = append(n.Environ(), n.env...), n.Dir
	var complaints strings.Builder
	cmd.Stderr = &complaints
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		n.t.Fatal(err)
	}
	come := make(chan string, 1000)
	go func() {
		defer close(come)
		for in := bufio.NewScanner(out); in.Scan(); {
			come <- in.Text()
		}
	}()
	return come, func() string {
		_ = cmd.Process.Signal(os.Interrupt)
		for range come { // to the end, as Wait wants it
		}
		if err := cmd.Wait(); err != nil {
			n.t.Errorf("interrupted: %v", err)
		}
		return complaints.String()
	}
}

// A program that watches sees the member come and go, and the daemon too, and goes
// on until it is told to stop.
func TestWatchAsJSON(t *testing.T) {
	t.Parallel()
	n := running(t)
	lines, end := n.watch("-o", "json")
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
	n.up()
	until("the next daemon", func(st status.Status) bool { return serving(st) && st.Restarts == 0 })
	n.stop()
	if said := end(); !strings.HasPrefix(said, "etcd-node: no answer from the daemon") {
		t.Errorf("complaints: %q", said)
	}
}

// Elsewhere than at a terminal each change is printed, and no more.
func TestWatchAsText(t *testing.T) {
	t.Parallel()
	n := running(t)
	lines, end := n.watch()
	if first := <-lines; !strings.HasPrefix(first, "a: serving: leader, 1 of 1 member") {
		t.Errorf("%q", first)
	}
	n.stop()
	for line := range lines {
		if strings.Contains(line, "\x1b") {
			t.Errorf("%q", line)
		}
		if strings.HasPrefix(line, "a: stopping") {
			break
		}
	}
	end()
}

// At a terminal it stays in view.
func TestWatchAtTerminal(t *testing.T) {
	t.Parallel()
	n := running(t)
	s, end := n.commandAtTerminal("status", "--watch")
	s.await(t, "\x1b[Ha: serving: leader, 1 of 1 member\x1b[K")
	n.stop()
	s.await(t, "\x1b[Hetcd-node: no answer from the daemon")
	n.up()
	s.await(t, "\x1b[J\x1b[Ha: serving")
	drawn := func() (times int) {
		for _, l := range s.all() {
			times += strings.Count(l, "\x1b[Ha: serving")
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
