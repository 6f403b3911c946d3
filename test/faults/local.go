package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// patience bounds every wait for what must happen; it is this long because the
// machine may be busy, and because an operator's repair is noticed within 36 s.
const patience = 60 * time.Second

// nobody is the user that plays the service user.
const nobody = 65534

// local is one daemon in real processes on loopback, amid what the unit would
// give it: its directories, its settings as variables, and a socket that plays
// systemd.
type local struct {
	s            *stage
	name, dir    string
	peer, client string // URLs
	vars         []string
	user         uint32 // who runs it
	// setup is what a shell does, in a mount namespace of its own, before it
	// becomes the daemon.
	setup string

	cmd    *exec.Cmd
	begun  time.Time // when the daemon was started last
	ended  chan struct{}
	frozen int // the member, while it is
	from   int // where in said to look: what was said before is of no interest any more

	mu   sync.Mutex
	said []note
	tail []string // log lines
}

// note is one datagram to systemd.
type note struct {
	text string
	at   time.Time
}

func (n *local) data() string { return filepath.Join(n.dir, "data") }
func (n *local) db() string   { return filepath.Join(n.data(), "member/snap/db") }
func (n *local) run() string  { return filepath.Join(n.dir, "run") }
func (n *local) pins() string { return filepath.Join(n.dir, "pin") }
func (n *local) log() string  { return filepath.Join(n.dir, "log") }

// set sets a variable, as the env file would.
func (n *local) set(key, value string) {
	n.unset(key)
	n.vars = append(n.vars, key+"="+value)
}

func (n *local) unset(key string) {
	n.vars = slices.DeleteFunc(n.vars, func(kv string) bool { return strings.HasPrefix(kv, key+"=") })
}

// environ is what the daemon and the commands see.
func (n *local) environ() []string {
	return append([]string{
		"PATH=" + os.Getenv("PATH"), "ETCD_NODE_ENV_FILE=/dev/null",
		"RUNTIME_DIRECTORY=" + n.run(), "LOGS_DIRECTORY=" + n.log(), "STATE_DIRECTORY=" + n.data() + ":" + n.pins(),
		"ETCD_NAME=" + n.name,
		"ETCD_LISTEN_PEER_URLS=" + n.peer, "ETCD_INITIAL_ADVERTISE_PEER_URLS=" + n.peer,
		"ETCD_LISTEN_CLIENT_URLS=" + n.client, "ETCD_ADVERTISE_CLIENT_URLS=" + n.client,
	}, n.vars...)
}

// belongsTo gives all that the node has to a user, who runs it from now on.
func (n *local) belongsTo(user uint32) {
	n.user = user
	n.s.must(filepath.WalkDir(n.dir, func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, int(user), int(user))
	}))
}

// start starts the daemon, as systemd does: with whatever it finds.
func (n *local) start(flags ...string) {
	socket := filepath.Join(n.run(), "notify")
	_ = os.Remove(socket) // of the start before
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	n.s.must(err)
	n.s.must(os.Chmod(socket, 0o666)) // the daemon may be another user

	args := append([]string{n.s.binary}, flags...)
	if n.setup != "" {
		args = append([]string{"unshare", "--mount", "--propagation", "private", "sh", "-ec", n.setup + "\nexec \"$0\" \"$@\""}, args...)
	}
	n.cmd = exec.Command(args[0], args[1:]...)
	n.cmd.Dir = n.dir
	n.cmd.Env = append(n.environ(), "NOTIFY_SOCKET="+socket)
	// Should this process be killed, so is the daemon, and its member.
	n.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if n.user != 0 {
		n.cmd.SysProcAttr.Credential = &syscall.Credential{Uid: n.user, Gid: n.user}
	}
	stderr, err := n.cmd.StderrPipe()
	n.s.must(err)
	n.mark()
	n.begun = time.Now()
	n.s.must(n.cmd.Start())

	go n.listen(c)
	cmd, ended := n.cmd, make(chan struct{})
	n.ended = ended
	go func() {
		defer close(ended)
		defer c.Close()
		lines := bufio.NewScanner(stderr)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			n.mu.Lock()
			n.tail = append(n.tail, lines.Text())
			n.mu.Unlock()
		}
		_, _ = io.Copy(io.Discard, stderr)
		_ = cmd.Wait() // the state says it
	}()
}

// listen is systemd's side of the socket.
func (n *local) listen(c *net.UnixConn) {
	buf := make([]byte, 64<<10)
	for {
		k, err := c.Read(buf)
		if err != nil {
			return
		}
		n.mu.Lock()
		n.said = append(n.said, note{string(buf[:k]), time.Now()})
		n.mu.Unlock()
	}
}

// mark forgets what was said: from now on only what is new counts.
func (n *local) mark() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.from = len(n.said)
}

func (n *local) notes() []note {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.said[n.from:])
}

func (n *local) lines() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.tail)
}

// await waits until systemd was told something that begins with prefix, since
// the last mark.
func (n *local) await(prefix string) note {
	for deadline := time.Now().Add(patience); ; n.pause(deadline, "it did not say %q", prefix) {
		ended := n.over()
		notes := n.notes()
		if i := slices.IndexFunc(notes, func(x note) bool { return strings.HasPrefix(x.text, prefix) }); i >= 0 {
			return notes[i]
		}
		if ended {
			n.s.fail("%s ended with exit code %d before it said %q; last: %s", n.name, n.cmd.ProcessState.ExitCode(), prefix, n.essence(n.last()))
		}
	}
}

// serves waits until it does.
func (n *local) serves() note { return n.await("STATUS=serving") }

// last is the last STATUS=.
func (n *local) last() string {
	notes := n.notes()
	for i := len(notes) - 1; i >= 0; i-- {
		if s, ok := strings.CutPrefix(notes[i].text, "STATUS="); ok {
			return s
		}
	}
	return "nothing"
}

// pause waits a little, or gives up when the time is over.
func (n *local) pause(deadline time.Time, format string, args ...any) {
	select {
	case <-n.s.ctx.Done():
		n.s.must(n.s.ctx.Err())
	case <-time.After(5 * time.Millisecond):
	}
	if time.Now().After(deadline) {
		n.s.fail("%s: %s; last: %s", n.name, fmt.Sprintf(format, args...), n.essence(n.last()))
	}
}

// over reports whether the daemon has ended, and all that it said was heard.
func (n *local) over() bool {
	select {
	case <-n.ended:
		return true
	default:
		return false
	}
}

// exit waits for the daemon's end and returns its exit code.
func (n *local) exit() int {
	for deadline := time.Now().Add(patience); !n.over(); n.pause(deadline, "it did not end") {
	}
	return n.cmd.ProcessState.ExitCode()
}

// stop stops it as systemd does.
func (n *local) stop() {
	n.signal(n.cmd.Process.Pid, syscall.SIGTERM)
	if code := n.exit(); code != 0 {
		n.s.fail("%s: stopped with exit code %d", n.name, code)
	}
}

// kill ends it, if it runs.
func (n *local) kill() {
	if n.cmd != nil && !n.over() {
		_ = n.cmd.Process.Kill()
		<-n.ended
	}
}

func (n *local) signal(pid int, sig syscall.Signal) { n.s.must(syscall.Kill(pid, sig)) }
