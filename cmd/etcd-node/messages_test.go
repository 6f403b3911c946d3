package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/etcd-node/etcd-node/test/loopback"
	"github.com/etcd-node/etcd-node/test/poll"
)

// TestDropInMessages: where a script looks for a line of etcd's, it finds the
// same line here. Etcd's own main and ours run the same command lines at the
// same addresses. What one of them alone says stands in docs/dropin.md with its
// reason; what that table names is seen here. Lines of packages of our own come
// on top. Of a start that fails warnings and worse are compared, because how far
// it comes is not the same.
func TestDropInMessages(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	listed, seen, shared := listedDifferences(t), map[difference]bool{}, map[string]bool{}
	t.Run("lines", func(t *testing.T) {
		for _, c := range commandLines() {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				theirs, ours := c.said(t, "stock-etcd"), c.said(t, "etcd")
				mu.Lock()
				defer mu.Unlock()
				when := "fails"
				if theirs.has(saying{"info", "ready to serve client requests"}) || c.level != "" {
					when = "serves"
				}
				for _, d := range slices.Concat(theirs.without(ours, "etcd", when), ours.without(theirs, "etcd-node", when)) {
					seen[d] = true
					if timely := (difference{d.saying, either, d.when}); !slices.Contains(listed, d) && !slices.Contains(listed, timely) {
						t.Errorf("docs/dropin.md has no row | %s | %s | `%s` | %s |", d.when, d.level, d.text, d.only)
					}
				}
				for s, line := range theirs {
					if !slices.Contains(mains, s.text) || !ours.has(s) {
						continue
					}
					if shared[s.text] = true; !maps.Equal(line.fields, ours[s].fields) {
						t.Errorf("%s: fields %v, etcd has %v", s.text, ours[s].fields, line.fields)
					}
				}
			})
		}
	})
	for _, d := range listed {
		if !seen[d] && d.only != either {
			t.Errorf("docs/dropin.md: no command line shows %+v", d)
		}
	}
	for _, msg := range mains {
		if !shared[msg] {
			t.Errorf("no command line has both say %q", msg)
		}
	}
}

// mains are lines of etcd's main of which scripts read the fields too.
var mains = []string{
	"Running:", "recognized and used environment variable", "'data-dir' was empty; using default", "found invalid file under data directory",
	"server has already been initialized", "Initialize and start etcd server", "received signal; shutting down", "notifying init daemon",
	"successfully notified init daemon", "closing etcd server", "closed etcd server", "detected default host for advertise",
	"loaded server configuration, other configuration command line flags and environment variables will be ignored if provided",
}

// commandLine is one way to start etcd, and to end it.
type commandLine struct {
	name  string
	flags []string // after those of the addresses, unless bare
	env   []string
	bare  bool
	first bool      // it runs twice, and the second run counts
	file  [2]string // path and content of what is there before
	level string    // its log level, unless it is info

	peer, client string // addresses
}

func commandLines() []commandLine {
	// Each command line has addresses of its own in the place of @P@ and @C@.
	const config = "name: a\ndata-dir: data\nlisten-peer-urls: http://@P@\ninitial-advertise-peer-urls: http://@P@\n" +
		"listen-client-urls: http://@C@\nadvertise-client-urls: http://@C@\ninitial-cluster: a=http://@P@\nmax-snapshots: 7\n"
	list := []commandLine{
		{name: "plain"},
		{name: "again", first: true},
		{name: "max-snapshots", flags: []string{"--max-snapshots=7"}},
		{name: "v2-deprecation", flags: []string{"--v2-deprecation=write-only", "-max-snapshots=5"}},
		{name: "variables", bare: true, env: []string{"ETCD_NAME=a", "ETCD_DATA_DIR=data", "ETCD_MAX_SNAPSHOTS=3",
			"ETCD_LISTEN_PEER_URLS=http://@P@", "ETCD_INITIAL_ADVERTISE_PEER_URLS=http://@P@", "ETCD_INITIAL_CLUSTER=a=http://@P@",
			"ETCD_LISTEN_CLIENT_URLS=http://@C@", "ETCD_ADVERTISE_CLIENT_URLS=http://@C@"}},
		{name: "unknown variables", env: []string{"ETCD_NO_SUCH=1", "ETCD_VERSION=3.5.0"}},
		{name: "config file", bare: true, flags: []string{"--config-file=etcd.yml"}, file: [2]string{"etcd.yml", config}},
		{name: "no data dir", flags: []string{"--data-dir="}},
		{name: "stray file", file: [2]string{"data/stray", ""}},
		{name: "timeouts", flags: []string{"--raft-read-timeout=1s", "--raft-write-timeout=2s"}},
		{name: "timings", flags: []string{"--heartbeat-interval=50", "--election-timeout=500", "--snapshot-count=7", "--quota-backend-bytes=0"}},
		{name: "no pre-vote", flags: []string{"--pre-vote=false", "--initial-election-tick-advance=false"}},
		{name: "ignored", flags: []string{"--force", "--vv"}},
		{name: "features", flags: []string{"--feature-gates=InitialCorruptCheck=true", "--auto-compaction-retention=1", "--enable-pprof", "--metrics=extensive", "--cors=*"}},
		{name: "auto-tls", flags: []string{"--auto-tls", "--peer-auto-tls"}},
		{name: "all interfaces", bare: true, flags: []string{"--data-dir=data", "--listen-client-urls=http://0.0.0.0:@CP@", "--advertise-client-urls=http://@C@",
			"--listen-peer-urls=http://0.0.0.0:@PP@"}},
		{name: "new cluster", first: true, flags: []string{"--force-new-cluster"}},
		{name: "warnings only", flags: []string{"--log-level=warn", "--max-snapshots=7"}, env: []string{"ETCD_SNAPSHOT_COUNT=7"}, level: "warn"},
		{name: "unknown flag", flags: []string{"--no-such-flag"}},
		{name: "bad value", flags: []string{"--election-timeout=soon"}},
		{name: "not a flag", flags: []string{"start"}},
		{name: "bad combination", flags: []string{"--heartbeat-interval=1000", "--election-timeout=1000"}},
		{name: "not in the initial cluster", flags: []string{"--initial-cluster=b=http://127.0.0.1:1"}},
		{name: "no advertised URL", bare: true, flags: []string{"--data-dir=data", "--listen-client-urls=http://@C@"}},
		{name: "no such config file", bare: true, flags: []string{"--config-file=none.yml"}},
		{name: "data dir is a file", file: [2]string{"data", ""}},
		{name: "junk for a database", file: [2]string{"data/member/snap/db", strings.Repeat("junk", 10000)}},
	}
	for i := range list {
		list[i].peer, list[i].client = loopback.Address(), loopback.Address()
	}
	return list
}

// at are texts with the addresses of this command line.
func (c commandLine) at(texts ...string) []string {
	port := func(addr string) string { _, p, _ := strings.Cut(addr, ":"); return p }
	r := strings.NewReplacer("@P@", c.peer, "@C@", c.client, "@PP@", port(c.peer), "@CP@", port(c.client))
	var list []string
	for _, x := range texts {
		list = append(list, strings.ReplaceAll(r.Replace(x), "ETCD_LISTEN_"+c.peer, "ETCD_LISTEN_@P@"))
	}
	return list
}

func (c commandLine) args() []string {
	if c.bare {
		return c.at(c.flags...)
	}
	return c.at(append([]string{"--name=a", "--data-dir=data", "--listen-peer-urls=http://@P@", "--initial-advertise-peer-urls=http://@P@",
		"--listen-client-urls=http://@C@", "--advertise-client-urls=http://@C@", "--initial-cluster=a=http://@P@"}, c.flags...)...)
}

// saying is what a line says, whenever and of whomever it says so.
type saying struct{ level, text string }

type line struct {
	own    bool // of a package of ours
	fields map[string]string
}

type sayings map[saying]line

// has reports whether a line is there too. A line in plain text may have
// something before it, as the name of the program, and behind it.
func (s sayings) has(x saying) bool {
	_, ok := s[x]
	for y := range s {
		ok = ok || x.level == plain && y.level == plain && strings.Contains(y.text, x.text)
	}
	return ok
}

// without are the lines of s that others does not have, if they count: a line of
// ours does where it is one of etcd's main.
func (s sayings) without(others sayings, only, when string) (list []difference) {
	for x, line := range s {
		if (!line.own || slices.Contains(mains, x.text)) && !others.has(x) && (when == "serves" || x.level != "info") {
			list = append(list, difference{x, only, when})
		}
	}
	return list
}

const plain = "plain text"

// said is what a program says from the start to the end.
func (c commandLine) said(t *testing.T, called string) sayings {
	t.Helper()
	dir := t.TempDir()
	if c.file[0] != "" {
		path := filepath.Join(dir, c.file[0])
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(c.at(c.file[1])[0]), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	if c.first {
		before := c
		before.flags, before.first = nil, false
		before.run(t, called, dir)
	}
	return c.run(t, called, dir)
}

// run runs it until it ends by itself, or serves and has done all that follows
// from that; then it is told to stop.
func (c commandLine) run(t *testing.T, called, dir string) sayings {
	t.Helper()
	cmd := program(t, called, c.args()...)
	cmd.Dir, cmd.Env = dir, append(c.at(c.env...), "PATH="+os.Getenv("PATH"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cmd.Stdout, cmd.Stderr = w, w
	err = cmd.Start()
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	late := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
	defer func() {
		if _ = cmd.Wait(); !late.Stop() {
			t.Errorf("%s neither served nor ended", called)
		}
	}()
	waits := []string{"successfully notified init daemon", "serving client traffic", "updated storage version", "cluster version is updated"}
	if c.first {
		waits = append(waits[:2], "set cluster version from store")
	}
	if c.level == "warn" {
		waits = nil
		go func() {
			if c.serves(t.Context()) == nil {
				_ = cmd.Process.Signal(syscall.SIGTERM)
			}
		}()
	}
	heard := sayings{}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		s, l := parse(lines.Text())
		heard[s] = l
		if s.text == "Usage:" || strings.HasPrefix(s.text, "panic: ") { // how to use it, and where it was
			break
		}
		left := slices.DeleteFunc(slices.Clone(waits), func(w string) bool { return strings.Contains(lines.Text(), w) })
		if len(left) == 0 && len(waits) > 0 {
			_ = cmd.Process.Signal(syscall.SIGTERM)
		}
		waits = left
	}
	_, _ = io.Copy(io.Discard, r)
	return heard
}

// serves waits until the member is healthy.
func (c commandLine) serves(ctx context.Context) error {
	return poll.Until(ctx, 20*time.Millisecond, func() error {
		r, err := http.Get("http://" + c.client + "/health")
		if err != nil {
			return err
		}
		defer r.Body.Close()
		if r.StatusCode != http.StatusOK {
			return errors.New(r.Status)
		}
		return nil
	})
}

// numbers are what differs from run to run: IDs, times, sizes, terms.
var numbers = regexp.MustCompile(`0x[0-9a-f]+|[0-9a-f]{12,}|\d+(\.\d+)*(µs|ms|s)?`)

// parse takes a line apart. A row of the table in docs/dropin.md has a … where
// the numbers are.
func parse(text string) (saying, line) {
	var entry map[string]json.RawMessage
	if json.Unmarshal([]byte(text), &entry) != nil {
		return saying{plain, text}, line{own: strings.HasPrefix(text, "etcd-node: ") || strings.HasPrefix(text, "  ")}
	}
	l := line{fields: map[string]string{}}
	for k, v := range entry {
		if k != "ts" && k != "caller" {
			l.fields[k] = strings.ReplaceAll(string(v), "stock-etcd", "etcd")
		}
	}
	unquoted := func(key string) (s string) { _ = json.Unmarshal(entry[key], &s); return s }
	pkg, _, _ := strings.Cut(unquoted("caller"), "/")
	l.own = slices.Contains(ownPackages, pkg)
	return saying{unquoted("level"), strings.TrimSpace(numbers.ReplaceAllString(unquoted("msg"), "…"))}, l
}

// ownPackages are the directories of ours that log.
var ownPackages = []string{"etcd-node", "supervisor", "member", "admission", "election", "peers", "disk", "config"}

// difference is a line that only one of the two has.
type difference struct {
	saying
	only string
	when string // what the start does: it serves, or fails
}

// either may have a line, or both: it is a matter of time.
const either = "either"

// listedDifferences are those of the table in docs/dropin.md.
func listedDifferences(t *testing.T) (list []difference) {
	t.Helper()
	page, err := os.ReadFile("../../docs/dropin.md")
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile("(?m)^\\| (serves|fails) \\| (.+?) \\| `(.+?)` \\| (etcd|etcd-node|either) \\| .+ \\|$")
	for _, m := range row.FindAllStringSubmatch(string(page), -1) {
		list = append(list, difference{saying{m[2], m[3]}, m[4], m[1]})
	}
	if len(list) == 0 {
		t.Error("docs/dropin.md has no table of lines")
	}
	return list
}
