package main

import (
	"bufio"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/etcd-node/etcd-node/test/poll"
)

// terminals are both ends of a new terminal.
func terminals(t *testing.T) (person, program *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip("no terminals here: ", err)
	}
	t.Cleanup(func() { person.Close() })
	if err := unix.IoctlSetPointerInt(int(person.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(person.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	return person, program
}

// seen is what a person at a terminal sees.
type seen struct {
	mu    sync.Mutex
	lines []string
}

func (s *seen) all() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.lines)
}

// await waits until a line holds the text.
func (s *seen) await(t *testing.T, text string) {
	t.Helper()
	poll.Eventually(t, func() error {
		all := s.all()
		if slices.ContainsFunc(all, func(l string) bool { return strings.Contains(l, text) }) {
			return nil
		}
		return fmt.Errorf("no line with %q:\n%s", text, strings.Join(all, "\n"))
	})
}

// atTerminal starts the daemon on a terminal.
func (n *node) atTerminal() (s *seen, end func() int) { return n.commandAtTerminal(n.flags...) }

// commandAtTerminal starts the program with other arguments there.
func (n *node) commandAtTerminal(args ...string) (s *seen, end func() int) {
	n.t.Helper()
	person, tty := terminals(n.t)
	called := n.called
	if called == "" {
		called = "etcd-node"
	}
	cmd := program(n.t, called, args...)
	cmd.Env, cmd.Dir = append(n.Environ(), n.env...), n.Dir
	cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, tty
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		n.t.Fatal(err)
	}
	tty.Close()
	s = &seen{}
	go func() {
		lines := bufio.NewScanner(person)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			s.mu.Lock()
			s.lines = append(s.lines, strings.TrimSuffix(lines.Text(), "\r"))
			s.mu.Unlock()
		}
	}()
	n.t.Cleanup(func() { _ = cmd.Process.Kill() })
	return s, func() int {
		_, _ = person.Write([]byte{3}) // Ctrl-C
		_ = cmd.Wait()
		return cmd.ProcessState.ExitCode()
	}
}

var forPeople = regexp.MustCompile(`^\d\d:\d\d:\d\d (WARN  |ERROR )?[^{]`)

// A first run on a terminal is for a person: few lines, none of JSON, and one
// that says that it is ready and what to do now.
func TestTerminal(t *testing.T) {
	t.Parallel()
	n := byHand(t, single(t))
	s, end := n.atTerminal()
	s.await(t, "ready; try: etcd-node ctl put a b --endpoints="+n.Client+"   (status: etcd-node status --data-dir="+n.Data()+"; stop: Ctrl-C)")
	if code := end(); code != 0 {
		t.Errorf("Ctrl-C: exit code %d", code)
	}
	s.await(t, "stopped as told")
	lines := s.all()
	for _, l := range lines {
		if l != "^C" && !forPeople.MatchString(strings.TrimPrefix(l, "^C")) {
			t.Errorf("not for people: %q", l)
		}
	}
	if len(lines) > 15 {
		t.Errorf("%d lines:\n%s", len(lines), strings.Join(lines, "\n"))
	}
	t.Logf("seen:\n%s", strings.Join(lines, "\n"))
}

// What goes wrong is seen there too, with what to do.
func TestTerminalShowsWhatIsWrong(t *testing.T) {
	t.Parallel()
	n := byHand(t, running(t)) // on its ports
	other := byHand(t, newNode(t, "b"))
	other.Client = n.Client
	cluster(other)
	s, end := other.atTerminal()
	s.await(t, "ERROR failed: a port of this member is in use by another process")
	if code := end(); code != 1 {
		t.Errorf("exit code %d", code)
	}
	s.await(t, "stop the other process; then start it again: ss ")
	if all := strings.Join(s.all(), "\n"); strings.Contains(all, "comes back by itself") || strings.Contains(all, `{"`) {
		t.Error(all)
	}
	t.Logf("seen:\n%s", strings.Join(s.all(), "\n"))
	if out, _ := other.asks(nil, "explain", "--data-dir="+other.Data()); !strings.Contains(out, "the daemon has ended") || strings.Contains(out, "comes back by itself") {
		t.Errorf("explain: %s", out)
	}
}

// Called etcd, with the log set, or not on a terminal, the log is etcd's.
func TestLogIsEtcdsOnATerminal(t *testing.T) {
	t.Parallel()
	for name, set := range map[string]func(n *node){
		"called etcd": func(n *node) { n.called = "etcd" },
		"format":      func(n *node) { n.env = append(n.env, "ETCD_LOG_FORMAT=json") },
		"logger":      func(n *node) { n.env = append(n.env, "ETCD_LOGGER=zap") },
		"level":       func(n *node) { n.flags = append(n.flags, "--log-level=info") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := byHand(t, single(t))
			set(n)
			s, end := n.atTerminal()
			s.await(t, `"msg":"ready to serve client requests"`)
			end()
			for _, l := range s.all() {
				if l = strings.TrimPrefix(l, "^C"); l != "" && !strings.HasPrefix(l, `{"level":`) {
					t.Errorf("not etcd's: %q", l)
				}
			}
		})
	}
}
