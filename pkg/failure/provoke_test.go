package failure

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/etcd-node/etcd-node/test/poll"
)

// provocation is one row: what is done to the real etcd, in a process of its
// own, and as what the catalogue must recognise what etcd says then.
type provocation struct {
	name string
	want string // ID
	says string // the pattern that must have matched; "" any of the entry's
	as   user
	do   func(*child)
}

type user int

const (
	anyone  user = iota
	nobody       // not root: permissions count
	mounter      // root, with a view of the mounts of its own
)

// unprovoked are patterns that no row provokes, and why.
var unprovoked = map[string]string{
	"lookup …no such host":                         "which of the three it is depends on this machine's DNS",
	"lookup …server misbehaving":                   "as above",
	"lookup …i/o timeout":                          "as above",
	"failed to resolve…to match --initial-cluster": "etcd asks the DNS for 30 s before it says so",
	"disk quota exceeded":                          "the kernel's word (EDQUOT); quotas need a file system of their own",
	"read-only file system":                        "the kernel's word (EROFS)",
	"runtime: out of memory":                       "the Go runtime's word, and another one under the race detector",
	"runtime: cannot allocate memory":              "as above",
	"incompatible with current running cluster":    "needs an etcd of another version as a peer",
	"invalid freelist page":                        "bbolt's word for a damage that random bytes hit rarely",
	"invalid page type: ":                          "as above",
	"freepages: ":                                  "as above",
	"unexpected fault address":                     "Go's other word for SIGBUS",
	"mux: server closed":                           "which of the four it is depends on the moment",
	"mux: listener closed":                         "as above",
	"use of closed network connection":             "as above",
	"accept4: invalid argument":                    "as above",
}

// TestMain makes the test binary the process in which etcd is provoked.
func TestMain(m *testing.M) {
	if name := os.Getenv("FAILURE_PROVOKE"); name != "" {
		i := slices.IndexFunc(provocations, func(p provocation) bool { return p.name == name })
		runChild(os.Getenv("FAILURE_DIR"), provocations[i].do)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// Every message on which the catalogue depends is what this version of etcd
// says. Where one was reworded this names the row; correct the pattern.
func TestProvoked(t *testing.T) {
	if testing.Short() {
		t.Skip("starts some fifty etcd processes")
	}
	seen := make([]chan heard, len(provocations))
	// More at once than processors: they mostly wait, one of them for 10 s.
	slots := make(chan struct{}, 4)
	for i, p := range provocations {
		seen[i] = make(chan heard, 1)
		go func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			seen[i] <- p.run()
		}()
	}
	patterns, skipped := map[string]bool{}, false
	for i, p := range provocations {
		h := <-seen[i]
		t.Run(p.name, func(t *testing.T) {
			if h.skip != "" {
				skipped = true
				t.Skip(h.skip)
			}
			e, pattern, text := h.recognise()
			patterns[pattern] = true
			if e.ID != p.want || p.says != "" && pattern != p.says {
				t.Errorf("is %q by %q, want %q by %q\nsaid: %q\ncrash: %.2000s\nended: %v\nlog:\n%s", e.ID, pattern, p.want, p.says, h.said, h.crash, h.end, h.log)
			}
			t.Logf("%.300s", text)
		})
	}
	if skipped || t.Failed() {
		return
	}
	stale := maps.Clone(unprovoked)
	for _, e := range catalogue {
		for _, p := range e.Texts {
			if _, excused := unprovoked[p]; !patterns[p] && !excused {
				t.Errorf("%s: no row provokes %q", e.ID, p)
			}
			delete(stale, p)
		}
	}
	for p := range stale {
		t.Errorf("%q is excused, but nothing matches on it", p)
	}
}

// heard is what a child left behind.
type heard struct {
	said  []string
	crash string
	end   string
	log   string
	skip  string
}

// recognise does what a member and its supervisor do: the first of what etcd
// said that is known, else the crash.
func (h heard) recognise() (Entry, string, string) {
	for _, s := range h.said {
		if e, p, ok := match(s); ok {
			return e, p, firstLine(s)
		}
	}
	f := FromCrash(h.crash)
	if f == nil {
		return Entry{}, "", ""
	}
	if e, p, ok := match(h.crash); ok && e.ID == f.ID {
		return e, p, f.Detail
	}
	e, _ := byID(f.ID)
	return e, "", f.Detail // by the stack
}

func (p provocation) run() (h heard) {
	if p.as != anyone && os.Getuid() != 0 {
		if p.as == mounter {
			return heard{skip: "needs root for a small file system"}
		}
		p.as = anyone // is nobody already
	}
	// Not t.TempDir: nobody must be able to get there.
	dir, err := os.MkdirTemp("", "failure-")
	if err != nil {
		return heard{end: err.Error()}
	}
	defer func() {
		// Some rows take the rights away that this needs.
		filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				os.Chmod(path, 0o700)
			}
			return err
		})
		os.RemoveAll(dir)
	}()
	ctx, cancel := context.WithTimeout(context.Background(), poll.Patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "/proc/self/exe")
	// etcd of its own, not of this process's environment.
	cmd.Env = []string{"FAILURE_PROVOKE=" + p.name, "FAILURE_DIR=" + dir, "PATH=" + os.Getenv("PATH"), "TMPDIR=" + dir}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	switch p.as {
	case nobody:
		const id = 65534
		if err := os.Chown(dir, id, id); err != nil {
			return heard{end: err.Error()}
		}
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: id, Gid: id}
	case mounter:
		cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWNS
	}
	var out, crash bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &crash
	h.end = fmt.Sprint(cmd.Run())
	h.said = strings.Split(strings.TrimSuffix(out.String(), record), record)
	h.crash = crash.String()
	b, _ := os.ReadFile(filepath.Join(dir, "log"))
	h.log = string(b[max(0, len(b)-3000):])
	return h
}
