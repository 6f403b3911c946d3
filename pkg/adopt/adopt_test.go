package adopt

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/etcd-node/etcd-node/pkg/config"
	"github.com/etcd-node/etcd-node/pkg/config/settings"
	"github.com/etcd-node/etcd-node/pkg/config/unit"
)

// Data of 3.6 and 3.7 is taken over, an older etcd is told its way.
func TestTooOld(t *testing.T) {
	for running, want := range map[string]string{
		"": "", "3.7.3": "", "3.7.0": "", "3.6.5": "", "3.8.0": "etcdctl downgrade first",
		"3.5.16": ": 3.5 → 3.6; then adopt it", "3.4.23": ": 3.4 → 3.5 → 3.6; then adopt it",
	} {
		switch err := tooOld(running); {
		case want == "" && err != nil:
			t.Errorf("%s: %v", running, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: %v, want %q", running, err, want)
		}
	}
}

// An etcd that could not read the data any more is not started on it.
func TestTooNew(t *testing.T) {
	for _, tc := range []struct {
		storage, other string
		refused        bool
	}{{"3.7.0", "3.7.3", false}, {"3.7.0", "3.6.16", true}, {"3.6.0", "3.6.16", false}, {"", "3.6.16", false}, {"3.7.0", "", false}} {
		if err := tooNew(tc.storage, tc.other); (err != nil) != tc.refused {
			t.Errorf("%+v: %v", tc, err)
		}
	}
}

// resolver takes the settings as they are written, and derives the name and the data
// dir where they are not.
func resolver(ctx context.Context, u unit.File, in config.Input) (*settings.Resolved, error) {
	r := &settings.Resolved{}
	text := ""
	for _, f := range u.EnvFiles {
		read := in.ReadFile
		if read == nil {
			read = os.ReadFile
		}
		raw, err := read(f.Path)
		if err != nil {
			return nil, err
		}
		text += string(raw)
	}
	values := map[string]string{}
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && strings.HasPrefix(name, "ETCD_") {
			values[settings.Flag(name)] = value
		}
	}
	for _, a := range in.Args {
		name, value, _ := strings.Cut(strings.TrimPrefix(a, "--"), "=")
		values[name] = value
	}
	if values["refuse"] != "" {
		return nil, fmt.Errorf("refused")
	}
	for name, derived := range map[string]string{"name": "etcd-1", "data-dir": "/var/lib/etcd"} {
		if values[name] == "" {
			r.Settings = append(r.Settings, settings.Setting{Name: name, Value: derived, Origin: settings.FromDerivation})
		}
	}
	for name, value := range values {
		r.Settings = append(r.Settings, settings.Setting{Name: name, Value: value, Origin: settings.FromFlag})
	}
	slices.SortFunc(r.Settings, func(a, b settings.Setting) int { return strings.Compare(a.Name, b.Name) })
	r.DataDir = r.Value("data-dir")
	return r, nil
}

// What etcd-node would find anyway is not in the env file, and the rest is; what etcd
// would have by default is said where etcd-node would find something else.
func TestShorten(t *testing.T) {
	own := unit.File{Name: "etcd.service", Path: "/usr/lib/systemd/system/etcd.service", StateDirectory: []string{"/var/lib/etcd", "/var/lib/etcd-node"}}
	for _, tc := range []struct {
		args       []string
		has, lacks []string
	}{
		{[]string{"--name=etcd-1", "--data-dir=/var/lib/etcd", "--snapshot-count=5"}, []string{"ETCD_SNAPSHOT_COUNT=5"}, []string{"ETCD_NAME", "ETCD_DATA_DIR"}},
		{[]string{"--name=other", "--data-dir=rel"}, []string{"ETCD_NAME=other", "ETCD_DATA_DIR=/wd/rel"}, nil},
		{nil, []string{"ETCD_NAME=default", "ETCD_DATA_DIR=/wd/default.etcd", "ETCD_LISTEN_CLIENT_URLS=http://localhost:2379"}, nil},
	} {
		p := &Plan{Old: unit.File{Path: "/old", WorkingDirectory: "/wd"}, New: own}
		var err error
		if p.Then, err = before(t.Context(), p.Old, tc.args, resolver); err != nil {
			t.Fatal(err)
		}
		if err := p.shorten(t.Context(), map[string]string{"GOGC": "50"}, resolver); err != nil {
			t.Fatal(err)
		}
		for _, want := range append(tc.has, "GOGC=50") {
			if !strings.Contains(p.EnvFile, want+"\n") {
				t.Errorf("%q: no %s in\n%s", tc.args, want, p.EnvFile)
			}
		}
		for _, not := range tc.lacks {
			if strings.Contains(p.EnvFile, not) {
				t.Errorf("%q: %s in\n%s", tc.args, not, p.EnvFile)
			}
		}
		if d := p.Differences(); len(d) > 0 {
			t.Errorf("%q: %+v", tc.args, d)
		}
	}
	if _, err := before(t.Context(), unit.File{}, []string{"--data-dir=rel"}, resolver); err == nil {
		t.Error("a relative data dir in nobody knows which directory")
	}
}

// Lists in another order are the same, values that differ are not.
func TestDifferences(t *testing.T) {
	of := func(kv ...string) *settings.Resolved {
		r := &settings.Resolved{}
		for _, s := range kv {
			name, value, _ := strings.Cut(s, "=")
			r.Settings = append(r.Settings, settings.Setting{Name: name, Value: value})
		}
		return r
	}
	then := of("listen-client-urls=http://a:1,http://b:1", "initial-cluster=a=http://a:2,b=http://b:2", "initial-cluster-state=new", "name=a")
	if d := differences(then, of("listen-client-urls=http://b:1,http://a:1", "initial-cluster=b=http://b:2,a=http://a:2", "name=a")); len(d) > 0 {
		t.Errorf("%+v", d)
	}
	if d := differences(then, of("listen-client-urls=http://a:1", "initial-cluster=a=http://a:2,b=http://b:2", "name=b")); len(d) != 2 {
		t.Errorf("%+v", d)
	}
}

func TestOthers(t *testing.T) {
	kept, dropped := others(map[string]string{"GOMAXPROCS": "2", "ETCD_NAME": "a", "LANG": "C", "EMPTY": ""})
	if len(kept) != 1 || kept["GOMAXPROCS"] != "2" || len(dropped) != 1 || !strings.HasPrefix(dropped[0], "LANG ") {
		t.Errorf("%v, %q", kept, dropped)
	}
}

// What is kept comes back as it was: its text, its mode, a link as a link.
func TestKeep(t *testing.T) {
	dir, kept := t.TempDir(), t.TempDir()
	file, link := filepath.Join(dir, "file"), filepath.Join(dir, "link")
	for _, err := range []error{os.WriteFile(file, []byte("before"), 0o640), os.Symlink("file", link)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{file, link} {
		if err := keep(kept, path); err != nil {
			t.Fatal(err)
		}
		if err := replace(path, "after", 0o600); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Lstat(path); err != nil || info.Mode() != 0o600 {
			t.Errorf("%v, %v", info.Mode(), err)
		}
		if err := restore(kept, path); err != nil {
			t.Fatal(err)
		}
	}
	if raw, err := os.ReadFile(file); err != nil || string(raw) != "before" {
		t.Errorf("%q, %v", raw, err)
	}
	if info, err := os.Lstat(file); err != nil || info.Mode() != 0o640 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if to, err := os.Readlink(link); err != nil || to != "file" {
		t.Errorf("%q, %v", to, err)
	}
	if err := keep(kept, filepath.Join(dir, "none")); !os.IsNotExist(err) {
		t.Errorf("%v", err)
	}
}

// A tree is given to another user as a whole, and nothing beyond it.
func TestOwn(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("gives files away: needs root")
	}
	dir, beyond := t.TempDir(), t.TempDir()
	other := filepath.Join(beyond, "file")
	tree := filepath.Join(dir, "tree")
	for _, err := range []error{
		os.WriteFile(other, nil, 0o600), os.MkdirAll(filepath.Join(tree, "a/b"), 0o700), os.WriteFile(filepath.Join(tree, "a/b/c"), nil, 0o600),
		os.Symlink(other, filepath.Join(tree, "link")), os.Symlink(beyond, filepath.Join(tree, "a/dir")), os.Symlink(beyond, filepath.Join(dir, "itself")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	uid := func(path string) int {
		info, err := os.Lstat(path)
		if err != nil {
			t.Fatal(err)
		}
		return int(info.Sys().(*syscall.Stat_t).Uid)
	}
	if err := own(Ownership{tree, 65533, 65533}); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]int{tree: 65533, tree + "/a/b": 65533, tree + "/a/b/c": 65533, tree + "/link": 65533, tree + "/a/dir": 65533, other: 0, beyond: 0} {
		if got := uid(path); got != want {
			t.Errorf("%s is %d's, want %d", path, got, want)
		}
	}
	if err := own(Ownership{filepath.Join(dir, "itself"), 65533, 65533}); err == nil || uid(beyond) != 0 {
		t.Errorf("a link: %v", err)
	}
	// What was left halfway is finished, whoever the tree's own directory belongs to.
	if err := os.Lchown(filepath.Join(tree, "a/b/c"), 0, 0); err != nil {
		t.Fatal(err)
	}
	if err := own(Ownership{tree, 65533, 65533}); err != nil || uid(tree+"/a/b/c") != 65533 {
		t.Errorf("half of a tree: %v", err)
	}
	// A file with another name somewhere is not given away.
	if err := os.Link(other, filepath.Join(tree, "a/hard")); err != nil {
		t.Fatal(err)
	}
	if err := own(Ownership{tree, 65533, 65533}); err == nil || uid(other) != 0 {
		t.Errorf("a hard link: %v", err)
	}
}

// Data elsewhere gets a drop-in that names exactly its directories.
func TestDropIn(t *testing.T) {
	p := &Plan{New: unit.File{StateDirectory: []string{"/var/lib/etcd"}}, Now: &settings.Resolved{}}
	for _, tc := range []struct{ data, wal, want string }{
		{"/var/lib/etcd/default", "", ""},
		{"/srv/etcd", "", "RequiresMountsFor=/srv/etcd\n"},
		{"/srv/etcd", "/srv/etcd/wal", "ReadWritePaths=/srv/etcd\n"},
		{"/srv/etcd", "/wal dir/a", `ReadWritePaths=/srv/etcd "/wal dir/a"` + "\n"},
		{"/var/lib/etcd", "/wal/a", "ReadWritePaths=/wal/a\n"},
	} {
		p.Now.DataDir, p.Now.WALDir = tc.data, tc.wal
		if got := p.dropIn(); (got == "") != (tc.want == "") || !strings.Contains(got, tc.want) {
			t.Errorf("%+v: %q", tc, got)
		}
	}
}
