package lab

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/etcd-node/etcd-node/test/poll"
)

var update = flag.Bool("update", false, "write into docs/operations.md what the hosts say")

// TestOperations plays the sections of docs/operations.md on four hosts: the
// commands as they stand there, in their order, and each prints what the page
// says, but for numbers, times, IDs and who leads. With -update the page gets
// what they print where it says something else.
func TestOperations(t *testing.T) {
	c := hosts(t)
	c.Lab, _ = booted() // with the fourth host, which is to join
	if err := c.InstallStock(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.each(func(h *Host) error {
			_, err := h.Sh(context.Background(), "systemctl disable --now etcd etcd@events; rm -rf /var/backups/etcd-node /usr/bin/etcd /usr/bin/etcdctl /usr/bin/etcdutl "+leftBehind+
				"; systemctl daemon-reload; systemctl enable etcd")
			return err
		})
	})
	p := readPage(t, "../../docs/operations.md")
	sections := p.sections()
	if len(sections) < len(stages) {
		t.Errorf("only %d sections are played: %v", len(sections), sections)
	}
	type change struct {
		command
		text, printed string
	}
	var changes []change
	for _, s := range sections {
		t.Run(s.title, func(t *testing.T) {
			w := &walk{cluster: &cluster{Lab: c.Lab, t: t, since: c.since}, page: p, dir: t.TempDir()}
			w.begin(s.title)
			for _, block := range s.blocks {
				w.likewise = slices.ContainsFunc(block, func(c command) bool { return strings.HasPrefix(c.text, "etcdutl snapshot restore") })
				for _, cmd := range block {
					text, printed := w.do(cmd)
					changes = append(changes, change{cmd, text, printed})
				}
			}
		})
	}
	if !*update {
		return
	}
	for _, x := range slices.Backward(changes) {
		said := normal(strings.Join(p.printed(x.command), "\n"))
		if x.text == x.command.text && (len(said) > 0 || x.printed == "") && len(lacking(normal(x.printed), said)) == 0 {
			continue // it may leave lines out
		}
		mark := "# "
		if x.where == "$" {
			mark = " "
		}
		lines := strings.Split(x.where+mark+x.text, "\n")
		if x.printed != "" {
			lines = append(lines, strings.Split(strings.TrimSuffix(x.printed, "\n"), "\n")...)
		}
		p.lines = slices.Replace(p.lines, x.at, x.end, lines...)
	}
	if err := os.WriteFile(p.path, []byte(strings.Join(p.lines, "\n")), 0o644); err != nil {
		t.Fatal(err)
	}
}

// walk is an operator who reads one section.
type walk struct {
	*cluster
	page  *page
	dir   string // on the workstation
	added string // the ID of the member that was added last
	// likewise: what is shown for etcd-1 is done on the others with their values.
	likewise bool
}

const (
	operationsEnv = "ETCD_INITIAL_CLUSTER=etcd-1=http://192.168.122.5:2380,etcd-2=http://192.168.122.6:2380,etcd-3=http://192.168.122.7:2380"
	debianEnv     = operationsEnv + `
ETCD_INITIAL_CLUSTER_TOKEN=my-etcd
ETCD_LISTEN_PEER_URLS=http://IP:2380
ETCD_INITIAL_ADVERTISE_PEER_URLS=http://IP:2380
ETCD_LISTEN_CLIENT_URLS=http://IP:2379,http://127.0.0.1:2379
ETCD_ADVERTISE_CLIENT_URLS=http://IP:2379
`
)

// leftBehind are files that a section leaves on a host.
const leftBehind = "/etc/systemd/system/etcd.service /etc/systemd/system/etcd-backup.* /var/lib/etcd-backup /root/etcd* " +
	"/etc/default/etcd@events /var/lib/etcd@events /var/lib/etcd-node@events /var/log/etcd-node@events"

// stages are what has happened before a section is read, where that is not a
// cluster of three that serves.
var stages = map[string]func(w *walk){
	"Back up": func(w *walk) {
		w.sh(1, `etcdctl put foo bar; until etcdctl endpoint status --write-out=json | grep -q '"storageVersion":"3'; do sleep 0.1; done`)
	},
	"Replace a member": func(w *walk) {
		w.sh(3, "systemctl stop etcd; rm -rf /var/lib/etcd/member; systemctl start --no-block etcd")
		w.status(3, "is empty where a member used to be")
	},
	"Restore a snapshot": func(w *walk) {
		w.sh(1, "etcdctl put foo bar; etcdctl snapshot save /root/etcd.db")
		snapshot := w.run(1, "base64", "-w0", "/root/etcd.db")
		for i := 2; i <= 3; i++ {
			if _, err := w.host(i).Feed(w.t.Context(), strings.NewReader(snapshot), "sh", "-ec", "base64 -d >/root/etcd.db"); err != nil {
				w.t.Fatal(err)
			}
			w.sh(i, "systemctl kill --signal=KILL etcd; systemctl stop etcd; rm -rf /var/lib/etcd/member")
		}
		w.status(1, "no leader")
	},
	"Database full": func(w *walk) {
		err := w.First(3).Each(func(h *Host) error {
			_, err := h.Sh(w.t.Context(), "echo ETCD_QUOTA_BACKEND_BYTES=20000000 >>/etc/default/etcd; systemctl restart etcd")
			return err
		})
		if err != nil {
			w.t.Fatal(err)
		}
		w.sh(1, "head -c 700000 /dev/zero | tr '\\0' x >/tmp/x; for i in $(seq 60); do etcdctl put big </tmp/x || break; done")
		w.status(1, "NOSPACE")
	},
	"From stock etcd": func(w *walk) {
		err := w.First(3).Each(func(h *Host) error {
			_, err := h.Sh(w.t.Context(), "systemctl disable --now etcd; rm -rf /var/lib/etcd /var/lib/etcd-node; install -d -o etcd -g etcd -m 0700 /var/lib/etcd")
			if err == nil {
				err = h.Write(w.t.Context(), "/etc/default/etcd", strings.ReplaceAll(debianEnv, "IP", h.IP), 0o644)
			}
			if err == nil {
				err = h.Write(w.t.Context(), "/etc/systemd/system/etcd.service", strings.Replace(debianUnit, "%H", h.Name, 1), 0o644)
			}
			if err == nil {
				_, err = h.Sh(w.t.Context(), "systemctl daemon-reload; systemctl reenable etcd; systemctl start etcd")
			}
			return err
		})
		if err != nil {
			w.t.Fatal(err)
		}
	},
	// Where "From stock etcd" ends.
	"Back to stock etcd": nil,
}

func (w *walk) sh(i int, script string) {
	w.t.Helper()
	w.run(i, "bash", "-c", script)
}

// begin brings the hosts to where the section begins.
func (w *walk) begin(title string) {
	w.t.Helper()
	stage, special := stages[title]
	if special && stage == nil {
		if _, err := w.host(1).Run(w.t.Context(), "sh", "-c", "ls -d /var/backups/etcd-node/adopt-*[0-9]"); err != nil {
			w.t.Skip("it begins where the section before it ends")
		}
		return
	}
	w.each(w.reset)
	w.each(func(h *Host) error {
		_, err := h.Sh(w.t.Context(), "systemctl disable --now etcd@events; rm -rf "+leftBehind+"; systemctl daemon-reload; systemctl enable etcd")
		return err
	})
	first := &cluster{Lab: w.First(3), t: w.t, since: w.since}
	first.env(operationsEnv, "ETCD_INITIAL_CLUSTER_TOKEN=my-etcd")
	first.start()
	first.agrees()
	if stage != nil {
		stage(w)
	}
}

// do does what the page says, and returns the command as it was given and what
// it printed.
func (w *walk) do(c command) (text, printed string) {
	w.t.Helper()
	text = w.withIDs(c.text)
	if *update {
		printed = w.settled(c.where, text)
	} else {
		printed = w.checked(c.where, text, normal(strings.Join(w.page.printed(c), "\n")))
	}
	if m := addedMember.FindStringSubmatch(printed); m != nil {
		w.added = m[1]
	}
	return text, printed
}

var (
	// looks are commands that change nothing, and can be given again.
	looks = regexp.MustCompile(`^(etcd-node (status|explain|config|check)|systemctl (show|cat)|etcdctl (get|put|member list|endpoint)|ETCDCTL_USER|ETCD_NODE_UNIT)`)
	// anID is a member's or a cluster's.
	anID        = regexp.MustCompile(`\b[0-9a-f]{15,16}\b`)
	addedMember = regexp.MustCompile(`^Member +([0-9a-f]+) added`)
)

// checked gives a command until it prints what the page says: one that only
// looks, or that failed. After a change of members etcd refuses the next for a
// while.
func (w *walk) checked(where, text string, want []string) (printed string) {
	w.t.Helper()
	poll.Eventually(w.t, func() error {
		var err error
		printed, err = w.execute(where, text)
		missing := lacking(normal(printed), want)
		if len(missing) == 0 && (err == nil || len(want) > 0) {
			return nil
		}
		wrong := fmt.Errorf("%s# %s: %v\nit does not print %q, but\n%s", where, text, err, missing, printed)
		if err == nil && !looks.MatchString(text) {
			w.t.Fatal(wrong)
		}
		return wrong
	})
	return printed
}

// settled is what a command prints when it prints the same twice.
func (w *walk) settled(where, text string) string {
	w.t.Helper()
	var before []string
	for begun := time.Now(); ; time.Sleep(time.Second) {
		printed, err := w.execute(where, text)
		now := normal(printed)
		switch again := time.Since(begun); {
		case err == nil && !looks.MatchString(text):
			return printed
		case err == nil && again > 3*time.Second && slices.Equal(now, before), again > 15*time.Second:
			return printed
		}
		before = now
	}
}

// execute runs a command where the page has it run. What each machine prints is
// told by the first.
func (w *walk) execute(where, text string) (string, error) {
	switch where {
	case "$":
		return w.onWorkstation(text)
	case "etcd-N":
		var said string
		err := w.First(3).Each(func(h *Host) error {
			printed, err := onHost(w.t.Context(), h, text)
			if h == w.Hosts[0] {
				said = printed
			}
			return err
		})
		return said, err
	}
	i := slices.IndexFunc(w.Hosts, func(h *Host) bool { return h.Name == where })
	printed, err := onHost(w.t.Context(), w.Hosts[i], text)
	if err == nil && w.likewise {
		for _, h := range w.Hosts[1:3] {
			_, err = onHost(w.t.Context(), h, strings.NewReplacer("--name="+where, "--name="+h.Name, "-peer-urls=http://"+w.Hosts[i].IP, "-peer-urls=http://"+h.IP).Replace(text))
			if err != nil {
				break
			}
		}
	}
	return printed, err
}

func onHost(ctx context.Context, h *Host, text string) (string, error) {
	return h.Run(ctx, "bash", "-c", "cd; exec 2>&1\n"+text)
}

// onWorkstation runs a command beside the hosts, which it reaches by ssh.
func (w *walk) onWorkstation(text string) (string, error) {
	host := func(arg string) string { return "etcd-$((${" + arg + "##*.} - 4))" } // 192.168.122.5 is etcd-1
	for name, script := range map[string]string{
		"ssh": "h=$1; shift; exec " + w.script + " exec " + host("h") + ` sh -c "$*"`,
		"scp": "case $1 in *:*) h=${1%%:*}; exec " + w.script + " exec " + host("h") + ` cat "${1#*:}" >"$2";;` + "\n" +
			"*) h=${2%%:*}; exec " + w.script + ` put "$1" ` + host("h") + ` "${2#*:}";; esac`,
	} {
		if err := os.WriteFile(filepath.Join(w.dir, name), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
			return "", err
		}
	}
	cmd := exec.CommandContext(w.t.Context(), "bash", "-c", text)
	cmd.Dir, cmd.Env = w.dir, append(w.command(w.t.Context()).Env, "PATH="+w.dir+":"+os.Getenv("PATH"))
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// withIDs has the member that was added last in the place of one that this
// cluster does not know: its ID is another one each time.
func (w *walk) withIDs(text string) string {
	if w.added == "" || !strings.HasPrefix(text, "etcdctl member ") {
		return text
	}
	members := w.run(1, "etcdctl", "member", "list")
	return anID.ReplaceAllStringFunc(text, func(id string) string {
		if strings.Contains(members, id) {
			return id
		}
		return w.added
	})
}

// changing is what is another each time: who leads, and all numbers.
var changing = []struct {
	what *regexp.Regexp
	is   string
}{
	{regexp.MustCompile(`leader|follower of etcd-\d`), "ROLE"},
	{regexp.MustCompile(`ROLE, (connected|[0-9])`), "$1"},
	{regexp.MustCompile(`["']`), ""},                 // systemd 252 and 257 quote otherwise
	{regexp.MustCompile(`, ROLE$| of etcd-\d$`), ""}, // who raised the alarm
	{regexp.MustCompile(`\b[0-9a-f]{7,}\b|[0-9.]+([mµn]?s\b)?`), "0"},
	{regexp.MustCompile(`-+`), "-"},
	{regexp.MustCompile(`\s+`), " "},
}

// normal are the lines of a text without what changes.
func normal(text string) (lines []string) {
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		for _, c := range changing {
			line = c.what.ReplaceAllString(line, c.is)
		}
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// lacking are the lines that are wanted and not there. The page may leave out
// others, and show them in another order: that of the members' IDs.
func lacking(got, want []string) (missing []string) {
	for _, line := range want {
		if !slices.Contains(got, line) {
			missing = append(missing, line)
		}
	}
	return missing
}
