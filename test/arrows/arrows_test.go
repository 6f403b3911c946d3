// Package arrows_test holds the packages to the arrows between them that
// docs/ARCHITECTURE.md draws. It has no code but this test.
package arrows_test

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/etcd-node/etcd-node/"

// rule says what a package may import, and each package below it that has no
// rule of its own. Every package of the program has a rule.
type rule struct {
	of string
	// may lists what it may import beside the standard library: packages of ours
	// and modules of others, each with all below it.
	may string
	// never lists what must not be among all its dependencies, direct or not.
	never string
}

const (
	// words are the packages in which both processes meet.
	words = "pkg/pipe pkg/status pkg/failure pkg/identity pkg/journal pkg/metrics " + base
	// base are the packages that know nothing of etcd-node.
	base = "pkg/shown pkg/durable pkg/filewatch pkg/pace pkg/listener "
	// others are the modules of others, all of them.
	others = "* "
	etcd   = "go.etcd.io"
)

var rules = []rule{
	// The program may import all of itself, and links nothing that only writes the documentation.
	{of: "cmd/etcd-node", may: "pkg " + others, never: "pkg/config/reference"},

	// The two processes meet in the words alone, and one of them has no etcd.
	{of: "pkg/supervisor", may: "pkg/supervisor pkg/control pkg/config/settings " + words + others, never: etcd},
	{of: "pkg/member", may: "pkg/member " + words + others},
	{of: "pkg/member/silence", may: "pkg/member/peers pkg/pace golang.org/x/sys"},
	{of: "pkg/member/turn", may: "go.etcd.io/etcd golang.org/x/sys"},
	{of: "pkg/member/spare"},

	// A command looks at both from outside.
	{of: "pkg/thisnode", may: "pkg/config pkg/control pkg/supervisor/recorder pkg/member/datadir pkg/member/roster pkg/netdetect " + words},

	{of: "pkg/check", may: "pkg/config pkg/listener pkg/member/datadir pkg/member/disk pkg/member/peers " + words + others},

	{of: "pkg/adopt", may: "pkg/config pkg/durable pkg/identity pkg/member/datadir pkg/member/peers " + words + others},
	{of: "pkg/bundle", may: "pkg/config pkg/config/envfile pkg/shown pkg/supervisor/recorder"},

	// The configuration knows neither of them.
	{of: "pkg/config", may: "pkg/config pkg/netdetect pkg/failure pkg/journal pkg/shown " + others},
	// The resolved value is for the supervisor too, so it has no etcd either.
	{of: "pkg/config/settings", may: "pkg/shown"},
	{of: "pkg/config/etcdflags", may: "pkg/config/settings pkg/journal pkg/shown " + others},
	{of: "pkg/config/reference", may: "pkg/config pkg/failure"},
	{of: "pkg/config/unit", may: "pkg/config/envfile pkg/config/settings pkg/shown"},
	{of: "pkg/config/envfile"},
	{of: "pkg/config/preflight", may: "pkg/shown golang.org/x/sys"},
	{of: "pkg/tlsfiles", may: "pkg/config pkg/filewatch pkg/failure pkg/status go.uber.org/zap"},
	{of: "pkg/netdetect", may: "github.com/vishvananda/netlink golang.org/x/sys"},

	// The words import each other.
	{of: "pkg/pipe", may: words},
	{of: "pkg/status", may: words + "github.com/dustin/go-humanize"},
	{of: "pkg/metrics", may: "pkg/status pkg/failure github.com/prometheus/client_golang"},
	{of: "pkg/failure", may: words},
	{of: "pkg/identity", may: words},
	{of: "pkg/journal", may: "pkg/shown go.uber.org/zap github.com/coreos/go-systemd"},

	// Both ends of the socket, and the log at a terminal.
	{of: "pkg/control", may: "golang.org/x/sys go.uber.org/zap"},
	{of: "pkg/terminal", may: "pkg/shown go.uber.org/zap golang.org/x/sys"},

	{of: "pkg/etcdctl", may: "pkg/failure go.etcd.io/etcd github.com/spf13/cobra"},

	{of: "pkg/listener"},
	{of: "pkg/shown"},
	{of: "pkg/durable"},
	{of: "pkg/pace"},
	{of: "pkg/filewatch", may: "golang.org/x/sys"},
}

func TestArrows(t *testing.T) {
	for _, wrong := range check(rules, imports(t)) {
		t.Error(wrong)
	}
}

// graph is what each package imports, ours without the module's name.
type graph map[string][]string

// imports asks the go command for the program's graph, without its tests.
func imports(t *testing.T) graph {
	t.Helper()
	// Reading the files tells the go command when a cached result is out of date.
	for _, dir := range []string{"../../cmd", "../../pkg"} {
		if err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err == nil && filepath.Ext(path) == ".go" {
				_, err = os.ReadFile(path)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	list := exec.Command("go", "list", "-deps", "-f", `{{.ImportPath}} {{join .Imports " "}}`, module+"cmd/...", module+"pkg/...")
	list.Stderr = os.Stderr
	out, err := list.Output()
	if err != nil {
		t.Fatal("go list: ", err)
	}
	g := graph{}
	for line := range strings.Lines(strings.ReplaceAll(string(out), module, "")) {
		fields := strings.Fields(line)
		g[fields[0]] = fields[1:]
	}
	return g
}

// TestCheck holds the check against a graph that breaks each kind of rule once.
func TestCheck(t *testing.T) {
	rules := []rule{
		{of: "cmd/x", may: "pkg *", never: "pkg/page"},
		{of: "pkg/left", may: "pkg/left pkg/word example.com/log", never: "example.com/big"},
		{of: "pkg/left/leaf"},
		{of: "pkg/page"},
		{of: "pkg/word"},
	}
	sound := graph{
		"cmd/x":           {"os", "pkg/left", "example.com/any"},
		"pkg/left":        {"net/http", "pkg/left/part", "pkg/left/leaf", "pkg/word", "example.com/log/sub"},
		"pkg/left/part":   {"pkg/left/leaf"},
		"pkg/left/leaf":   {"fmt"},
		"pkg/page":        {"fmt"},
		"pkg/word":        {"unsafe"},
		"example.com/big": {"fmt"},
	}
	if wrong := check(rules, sound); len(wrong) > 0 {
		t.Errorf("a sound graph: %q", wrong)
	}
	for _, tc := range []struct{ from, to, want string }{
		{"pkg/word", "pkg/left", "pkg/word imports pkg/left;"},
		{"pkg/word", "example.com/log", "pkg/word imports example.com/log;"},
		{"pkg/left", "pkg/right", "pkg/left imports pkg/right;"},
		{"pkg/left/part", "pkg/right", "pkg/left/part imports pkg/right;"}, // has its parent's rule
		{"pkg/left/leaf", "pkg/word", "pkg/left/leaf imports pkg/word;"},   // has its own
		{"pkg/left", "pkg/leftover", "pkg/left imports pkg/leftover;"},
		{"pkg/left", "test/help", "pkg/left imports test/help;"},
		{"example.com/log/sub", "example.com/big", "pkg/left must not depend on example.com/big: pkg/left → example.com/log/sub → example.com/big"},
		{"cmd/x", "pkg/page", "cmd/x must not depend on pkg/page: cmd/x → pkg/page"},
		{"pkg/new", "fmt", "pkg/new has no rule"},
	} {
		g := maps.Clone(sound)
		g[tc.from] = append(slices.Clone(g[tc.from]), tc.to)
		if wrong := check(rules, g); len(wrong) != 1 || !strings.HasPrefix(wrong[0], tc.want) {
			t.Errorf("%s → %s: %q, want %q", tc.from, tc.to, wrong, tc.want)
		}
	}
	delete(sound, "pkg/word")
	if wrong := check(rules, sound); len(wrong) != 1 || !strings.HasSuffix(wrong[0], "the rule of pkg/word") {
		t.Errorf("a rule without its package: %q", wrong)
	}
}

// check names every arrow that no rule allows, every package without a rule,
// and every rule without a package.
func check(rules []rule, g graph) (wrong []string) {
	used := map[string]bool{}
	for _, p := range slices.Sorted(maps.Keys(g)) {
		if !ours(p) {
			continue
		}
		var r rule // the closest
		for _, x := range rules {
			if below(p, x.of) && len(x.of) > len(r.of) {
				r = x
			}
		}
		if r.of == "" {
			wrong = append(wrong, p+" has no rule: say in the table what it may import")
			continue
		}
		used[r.of] = true
		may := strings.Fields(r.may)
		for _, to := range g[p] {
			if standard(to) || slices.Contains(may, "*") && !ours(to) || slices.ContainsFunc(may, func(m string) bool { return below(to, m) }) {
				continue
			}
			wrong = append(wrong, fmt.Sprintf("%s imports %s; %s may import: %s", p, to, r.of, r.may))
		}
		for _, never := range strings.Fields(r.never) {
			if path := g.path(p, never); path != nil {
				wrong = append(wrong, fmt.Sprintf("%s must not depend on %s: %s", r.of, never, strings.Join(path, " → ")))
			}
		}
	}
	for _, r := range rules {
		if !used[r.of] {
			wrong = append(wrong, "there is no package for the rule of "+r.of)
		}
	}
	return wrong
}

// path is the shortest way by which from depends on a package at or below to.
func (g graph) path(from, to string) []string {
	seen := map[string]bool{from: true}
	for ways := [][]string{{from}}; len(ways) > 0; ways = ways[1:] {
		way := ways[0]
		for _, next := range g[way[len(way)-1]] {
			switch {
			case below(next, to):
				return append(way, next)
			case !seen[next]:
				seen[next] = true
				ways = append(ways, append(slices.Clone(way), next))
			}
		}
	}
	return nil
}

// below reports whether p is this package or one below it.
func below(p, tree string) bool { return p == tree || strings.HasPrefix(p, tree+"/") }

// top is the first part of a package's name.
func top(p string) string {
	first, _, _ := strings.Cut(p, "/")
	return first
}

func ours(p string) bool { return slices.Contains([]string{"cmd", "pkg", "test", "deploy"}, top(p)) }

// standard reports whether p is of the standard library: the first part of any
// other module's name has a dot.
func standard(p string) bool { return !ours(p) && !strings.Contains(top(p), ".") }
