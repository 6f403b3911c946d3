package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/etcd-node/etcd-node/pkg/config/etcdflags"
	"github.com/etcd-node/etcd-node/pkg/config/settings"
	"github.com/etcd-node/etcd-node/test/stock"
)

// resolved runs one of the cases of TestResolve.
func resolved(t *testing.T, path string) *settings.Resolved {
	t.Helper()
	a, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	c := newCase(a)
	c.in.Host = goodHost()
	l, err := Load(c.in)
	if err != nil {
		t.Fatal(err)
	}
	r, err := l.Resolve(t.Context(), c.find)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func writtenIn(t *testing.T, r *settings.Resolved, format string, origins bool) string {
	t.Helper()
	var b bytes.Buffer
	if err := r.Write(&b, format, origins); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestExportsReadBack: over all cases, the env file that is printed gives the
// same settings again, and the command is, to etcd's own main, the
// configuration that the member gets.
func TestExportsReadBack(t *testing.T) {
	paths, err := filepath.Glob("testdata/resolve/*.txtar")
	if err != nil || len(paths) < 20 {
		t.Fatal(len(paths), err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			r := resolved(t, path)
			if r.ConfigFile != "" {
				if got, want := writtenIn(t, r, "command", false), "etcd \\\n  --config-file="+r.ConfigFile+"\n"; got != want {
					t.Errorf("got %q, want %q", got, want)
				}
				return
			}
			for _, origins := range []bool{false, true} {
				text := writtenIn(t, r, "env", origins)
				l, err := Load(Input{Host: goodHost(), EnvFile: "/x", ReadFile: func(string) ([]byte, error) { return []byte(text), nil }})
				if err != nil {
					t.Fatalf("%v\n%s", err, text)
				}
				again := make(map[string][]string)
				for name, list := range l.set {
					for _, s := range list {
						again[name] = append(again[name], s.Value)
					}
				}
				want := make(map[string][]string)
				for _, s := range r.Settings {
					if !s.Secret() {
						want[s.Name] = append(want[s.Name], s.Value)
					}
				}
				for name := range want {
					if strings.Join(again[name], ",") != strings.Join(want[name], ",") {
						t.Errorf("%s: %q, want %q\n%s", name, again[name], want[name], text)
					}
				}
				if len(again) != len(want) {
					t.Errorf("%q, want %q", sorted(again), sorted(want))
				}
			}
			// A shell takes the command apart.
			line := writtenIn(t, r, "command", true)
			out, err := exec.Command("sh", "-c", `etcd() { printf '%s\0' "$@"; }; `+line).Output()
			if err != nil {
				t.Fatalf("%v\n%s", err, line)
			}
			args := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
			if len(out) == 0 {
				args = nil
			}
			args = slices.DeleteFunc(args, func(a string) bool { return strings.Contains(a, settings.Redacted) })
			mine, err := etcdflags.Member(append(r.Args(), "--log-outputs=/dev/null"), nil)
			if err != nil {
				t.Fatal(err)
			}
			theirs, err := stock.Config(append(args, "--log-outputs=/dev/null"))
			if err != nil {
				t.Fatal(err)
			}
			mine.FlagsExplicitlySet["data-dir"] = true // said where it is the default, too
			if diff := stock.Differences(mine, theirs); len(diff) > 0 {
				t.Errorf("%s\n%s", strings.Join(diff, "\n"), line)
			}
		})
	}
}

// TestSecretsAreNeverPrinted in any format, or in a difference.
func TestSecretsAreNeverPrinted(t *testing.T) {
	load := func(secret string) *settings.Resolved {
		l, err := Load(Input{Host: goodHost(), Environ: []string{
			"ETCD_DISCOVERY_PASSWORD=" + secret, "ETCD_DISCOVERY_USER=root:" + secret, "ETCD_DISCOVERY_TOKEN=x",
			"ETCD_DISCOVERY_ENDPOINTS=https://root:" + secret + "@10.0.0.1:2379", "ETCD_NAME=a",
			"ETCD_LISTEN_PEER_URLS=http://10.0.0.1:2380", "ETCD_INITIAL_ADVERTISE_PEER_URLS=http://10.0.0.1:2380",
			"ETCD_LISTEN_CLIENT_URLS=http://10.0.0.1:2379", "ETCD_ADVERTISE_CLIENT_URLS=http://10.0.0.1:2379",
		}})
		if err != nil {
			t.Fatal(err)
		}
		r, err := l.Resolve(t.Context(), noFind(t))
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	r := load("s3cret")
	for _, format := range settings.Formats {
		for _, origins := range []bool{false, true} {
			text := writtenIn(t, r, format, origins)
			if strings.Contains(text, "s3cret") || strings.Count(text, settings.Redacted) != 3 {
				t.Errorf("%s:\n%s", format, text)
			}
			if format == "json" && !json.Valid([]byte(text)) {
				t.Errorf("not JSON: %s", text)
			}
		}
	}
	var b bytes.Buffer
	changes := r.Diff(load("0ther"))
	if err := settings.WriteDiff(&b, changes); err != nil {
		t.Fatal(err)
	}
	if len(changes) != 3 || strings.Contains(b.String(), "s3cret") || strings.Contains(b.String(), "0ther") {
		t.Errorf("%s", b.String())
	}
}

// TestCredentialsInURLs: a URL of any setting that holds credentials, written
// or derived, goes over the pipe and is printed without them.
func TestCredentialsInURLs(t *testing.T) {
	for _, environ := range [][]string{
		{"ETCD_NAME=a", "ETCD_INITIAL_CLUSTER=a=http://root:s3cret@127.0.0.1:2380"},
		{"ETCD_1=a", "ETCD_IP_1=127.0.0.1", "ETCD_ADVERTISE_CLIENT_URLS=http://127.0.0.1:1,http://root:s3cret@127.0.0.1:2379"},
		{"ETCD_NAME=a", "ETCD_LISTEN_PEER_URLS=http://root:s3cret@127.0.0.1:2380", "ETCD_INITIAL_ADVERTISE_PEER_URLS=http://root:s3cret@127.0.0.1:2380"},
		{"ETCD_CORS=http://root:s3cret@a.example:80"},
	} {
		l, err := Load(Input{Host: goodHost(), Environ: environ})
		if err != nil {
			t.Fatal(err)
		}
		r, err := l.Resolve(t.Context(), noFind(t))
		if err != nil {
			t.Fatal(err)
		}
		text := strings.Join(r.Args(), "\n") + strings.Join(r.Notices, "\n")
		for _, format := range settings.Formats {
			written := writtenIn(t, r, format, true)
			if !strings.Contains(written, "://(redacted)@") {
				t.Errorf("%q, %s: %s", environ, format, written)
			}
			text += written
		}
		if strings.Contains(text, "s3cret") || strings.Contains(text, "root") {
			t.Errorf("%q: %s", environ, text)
		}
		c, err := etcdflags.Member(append(r.Args(), "--log-outputs=/dev/null"), r.Secrets())
		if err != nil {
			t.Fatal(err)
		}
		all := fmt.Sprint(c.InitialCluster, c.CORS)
		for _, u := range slices.Concat(c.AdvertisePeerUrls, c.AdvertiseClientUrls) {
			all += " " + u.String()
		}
		if !strings.Contains(all, "root:s3cret@") {
			t.Errorf("%q: the member has %s", environ, all)
		}
	}
}

// TestEffectsAreOfSettings: each of etcd's settings of which a difference says
// more than "at the next restart" is one that etcd has.
func TestEffectsAreOfSettings(t *testing.T) {
	var others []string
	for _, name := range etcdflags.New().Names() {
		with := &settings.Resolved{HasData: true, Settings: []settings.Setting{{Name: name, Value: "x"}}}
		if with.Diff(&settings.Resolved{})[0].Effect != "at the next restart" {
			others = append(others, name)
		}
	}
	if want := 26 + len(settings.Ignored); len(others) != want { // 26 stand in settings.effect
		t.Errorf("%d, want %d: %q", len(others), want, others)
	}
}
