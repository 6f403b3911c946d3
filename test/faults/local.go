package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/etcd-node/etcd-node/test/daemon"
	"github.com/etcd-node/etcd-node/test/loopback"
	"github.com/etcd-node/etcd-node/test/poll"
)

// patience bounds every wait for what must happen.
const patience = poll.Patience

// nobody is the user that plays the service user.
const nobody = 65534

// local is one daemon on loopback. Its settings are variables, as in the env
// file.
type local struct {
	*daemon.Daemon
	s    *stage
	vars []string
	user uint32 // who runs it
	// setup is what a shell does, in a mount namespace of its own, before it
	// becomes the daemon.
	setup string

	begun  time.Time // when the daemon was started last
	frozen int       // the member, while it is
}

func (s *stage) local(name string) *local {
	d, err := daemon.New(loopback.New(name, filepath.Join(s.dir, name)))
	s.must(err)
	n := &local{Daemon: d, s: s}
	s.locals = append(s.locals, n)
	return n
}

func (n *local) db() string { return filepath.Join(n.Data(), "member/snap/db") }

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
	return slices.Concat(n.Environ(), []string{
		"ETCD_NAME=" + n.Name, "ETCD_INITIAL_CLUSTER=" + n.Cluster,
		"ETCD_LISTEN_PEER_URLS=" + n.Peer, "ETCD_INITIAL_ADVERTISE_PEER_URLS=" + n.Peer,
		"ETCD_LISTEN_CLIENT_URLS=" + n.Client, "ETCD_ADVERTISE_CLIENT_URLS=" + n.Client,
	}, n.vars)
}

// belongsTo gives all that the node has to a user, who runs it from now on.
func (n *local) belongsTo(user uint32) {
	n.user = user
	n.s.must(filepath.WalkDir(n.Dir, func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, int(user), int(user))
	}))
}

// as is what a process of the node's user is started with.
func (n *local) as() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if n.user != 0 {
		attr.Credential = &syscall.Credential{Uid: n.user, Gid: n.user}
	}
	return attr
}

// start starts the daemon, as systemd does: with whatever it finds.
func (n *local) start(flags ...string) {
	args := append([]string{n.s.binary}, flags...)
	if n.setup != "" {
		args = append([]string{"unshare", "--mount", "--propagation", "private", "sh", "-ec", n.setup + "\nexec \"$0\" \"$@\""}, args...)
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env, cmd.SysProcAttr = n.environ(), n.as()
	n.begun = time.Now()
	n.s.must(n.Start(cmd, true))
}

// await waits until systemd was told something that begins with prefix, since
// the last mark.
func (n *local) await(prefix string) daemon.Note {
	x, err := n.Await(n.s.ctx, prefix)
	n.s.must(err)
	return x
}

// said reports whether systemd was told such a thing since the last mark.
func (n *local) said(prefix string) bool {
	return slices.ContainsFunc(n.Notes(), func(x daemon.Note) bool { return strings.HasPrefix(x.Text, prefix) })
}

// serves waits until it does.
func (n *local) serves() daemon.Note { return n.await("STATUS=serving") }

// up starts the daemon and waits until it serves.
func (n *local) up() {
	n.start()
	n.serves()
}

// logged waits for a line in the log.
func (n *local) logged(text string) string {
	line, err := n.Logged(n.s.ctx, text)
	n.s.must(err)
	return line
}

// exit waits for the daemon's end and returns its exit code.
func (n *local) exit() int {
	code, err := n.Exit(n.s.ctx)
	n.s.must(err)
	return code
}

// stop stops it as systemd does.
func (n *local) stop() {
	n.s.must(n.Signal(syscall.SIGTERM))
	if code := n.exit(); code != 0 {
		n.s.fail("%s: stopped with exit code %d", n.Name, code)
	}
}

func (n *local) signal(pid int, sig syscall.Signal) { n.s.must(syscall.Kill(pid, sig)) }
