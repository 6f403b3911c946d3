package main

import (
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/etcd-node/etcd-node/test/pki"
	"github.com/etcd-node/etcd-node/test/poll"
)

// The commands of etcdctl's that explain prints work as they stand, where
// clients must show a certificate and where none is signed.
func TestExplainedEtcdctl(t *testing.T) {
	t.Parallel()
	ca := pki.Issue(nil, pki.Authority)
	own := pki.Issue(ca, nil)
	for name, flags := range map[string][]string{
		"trusted CA": {"--cert-file=own.crt", "--key-file=own.key", "--trusted-ca-file=ca.crt"},
		"auto-tls":   {"--auto-tls"},
		"none":       nil,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNode(t, "a")
			if flags != nil {
				n.Client = strings.Replace(n.Client, "http:", "https:", 1)
			}
			n.write("ca.crt", ca.Cert)
			n.write("own.crt", own.Cert)
			n.write("own.key", own.Key)
			cluster(n)
			n.flags = append(n.flags, flags...)
			n.up()
			n.shell(n.pasted("nospace-alarm"))
			n.stop()
		})
	}
}

// pasted are the commands of an entry as an operator pastes them, one after the
// other into one shell.
func (n *node) pasted(id string) string {
	n.t.Helper()
	return strings.ReplaceAll(strings.Join(n.explained(id), "\n"), "ENDPOINTS", n.Client)
}

// explained returns the commands of an entry as explain prints them; without
// an ID, of what explain finds.
func (n *node) explained(id ...string) (commands []string) {
	n.t.Helper()
	out := n.run(append([]string{"explain"}, id...)...)
	for line := range strings.Lines(out) {
		if c, ok := strings.CutPrefix(line, "      "); ok {
			commands = append(commands, strings.TrimSpace(c))
		}
	}
	if len(commands) == 0 {
		n.t.Fatalf("no commands in\n%s", out)
	}
	return commands
}

// recipe picks from commands how a snapshot is restored, up to the start.
func recipe(commands []string, snapshot string) []string {
	i := slices.IndexFunc(commands, func(c string) bool { return strings.HasPrefix(c, "etcd-node utl snapshot restore ") })
	j := slices.Index(commands[max(i, 0):], "systemctl start etcd")
	if i < 1 || j < 0 || !strings.HasPrefix(commands[i-1], "systemctl stop etcd && ") {
		return []string{"echo no recipe in explain; exit 1"}
	}
	picked := slices.Clone(commands[i-1 : i+j])
	for k := range picked {
		picked[k] = strings.Replace(picked[k], " SNAPSHOT ", " "+snapshot+" ", 1)
	}
	return picked
}

// shell runs a command as somebody would who types it on this node. Of the
// machine's own commands nothing is run that reaches beyond the node.
func (n *node) shell(command string) {
	n.t.Helper()
	if err := n.tryShell(command); err != nil {
		n.t.Error(err)
	}
}

// paste gives a command as it is printed, and does what it says to the unit. The
// commands of etcdctl's go to a member that serves.
func (n *node) paste(command string, live *node) {
	n.t.Helper()
	command = regexp.MustCompile(`--endpoints=\S+`).ReplaceAllString(command, "--endpoints="+live.Client)
	rest, stops := strings.CutPrefix(command, "systemctl stop etcd")
	if stops {
		n.stop()
	}
	switch rest = strings.TrimPrefix(rest, " && "); {
	case rest == "":
	case strings.HasPrefix(rest, "systemctl start "):
		if out, _ := n.try("status"); strings.Contains(out, "no answer from the daemon") { // else systemctl does nothing
			n.start(true)
		}
	case strings.HasPrefix(rest, "etcd-node ctl "): // etcd refuses changes for 5 s after the one before
		poll.Eventually(n.t, func() error { return n.tryShell(rest) })
	default:
		n.shell(rest)
	}
}

// tryShell is a command that may fail.
func (n *node) tryShell(command string) error {
	cmd := exec.Command("sh", "-ec", "systemctl() { :; }; chown() { :; }; "+command)
	cmd.Dir, cmd.Env = n.Dir, n.Environ()
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %v: %s", command, err, out)
	}
	return nil
}
