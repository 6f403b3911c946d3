package config

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// resolved runs one of the cases of TestResolve.
func resolved(t *testing.T, path string) *Resolved {
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

func writtenIn(t *testing.T, r *Resolved, format string, origins bool) string {
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
				if got, want := writtenIn(t, r, "command", false), "etcd \\\n  --config-file="+shellQuote(r.ConfigFile)+"\n"; got != want {
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
					if !s.Secret {
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
			args = slices.DeleteFunc(args, func(a string) bool { return strings.Contains(a, redacted) })
			mine, err := build(append(r.Args(), "--log-outputs=/dev/null"), nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			theirs, err := stock(append(args, "--log-outputs=/dev/null"))
			if err != nil {
				t.Fatal(err)
			}
			mine.FlagsExplicitlySet["data-dir"] = true // said where it is the default, too
			if diff := differences(mine, theirs); len(diff) > 0 {
				t.Errorf("%s\n%s", strings.Join(diff, "\n"), line)
			}
		})
	}
}

// TestQuotes: no value is changed on its way through systemd's or a shell's
// syntax.
func TestQuotes(t *testing.T) {
	for _, value := range []string{"", "plain", "a b", `a"b'c`, "$HOME`x`", `back\slash\\`, "a\nb", " ends ", "# no comment", "ünï"} {
		text := "A=" + envQuote(value) + "\n"
		l := &Loaded{}
		vars := map[string]Setting{}
		l.readEnvFile(Input{EnvFile: "/x", ReadFile: func(string) ([]byte, error) { return []byte(text), nil }}, vars)
		if got := vars["A"].Value; got != value || len(l.problems) > 0 {
			t.Errorf("env %q: %q, %v", value, got, l.problems)
		}
		// People source env files, too.
		for _, quoted := range []string{shellQuote(value), envQuote(value)} {
			out, err := exec.Command("sh", "-c", "printf %s "+quoted).Output()
			if err != nil || string(out) != value {
				t.Errorf("shell %q, quoted %q: %q, %v", value, quoted, out, err)
			}
		}
	}
}

// TestSecretsAreNeverPrinted in any format, or in a difference.
func TestSecretsAreNeverPrinted(t *testing.T) {
	load := func(secret string) *Resolved {
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
	for _, format := range Formats {
		for _, origins := range []bool{false, true} {
			text := writtenIn(t, r, format, origins)
			if strings.Contains(text, "s3cret") || strings.Count(text, redacted) != 3 {
				t.Errorf("%s:\n%s", format, text)
			}
			if format == "json" && !json.Valid([]byte(text)) {
				t.Errorf("not JSON: %s", text)
			}
		}
	}
	var b bytes.Buffer
	changes := r.Diff(load("0ther"))
	if err := WriteDiff(&b, changes); err != nil {
		t.Fatal(err)
	}
	if len(changes) != 3 || strings.Contains(b.String(), "s3cret") || strings.Contains(b.String(), "0ther") {
		t.Errorf("%s", b.String())
	}
}

func TestDiff(t *testing.T) {
	one := func(environ ...string) *Resolved {
		l, err := Load(Input{Host: goodHost(), Environ: environ})
		if err != nil {
			t.Fatal(err)
		}
		r, err := l.Resolve(t.Context(), noFind(t))
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	a := one("ETCD_NAME=a", "ETCD_MAX_WALS=7", "ETCD_ELECTION_TIMEOUT=2000", "ETCD_DATA_DIR=/a", "ETCD_NODE_READY=all", "ETCD_SNAPSHOT=1")
	b := one("ETCD_NAME=a", "ETCD_ELECTION_TIMEOUT=3000", "ETCD_DATA_DIR=/b", "ETCD_NODE_READY=quorum", "ETCD_INITIAL_CLUSTER_STATE=existing", "ETCD_SNAPSHOT=2")
	for _, hasData := range []bool{false, true} {
		a.HasData = hasData
		dir, state := atRestart, atFirst
		if hasData {
			dir, state = otherDir, tooLate
		}
		want := []Change{
			{"ETCD_NODE_READY", "all", "quorum", "environment ETCD_NODE_READY", atRestart},
			{"data-dir", "/a", "/b", "environment ETCD_DATA_DIR", dir},
			{"election-timeout", "2000", "3000", "environment ETCD_ELECTION_TIMEOUT", onAllHosts},
			{"initial-cluster-state", "", "existing", "environment ETCD_INITIAL_CLUSTER_STATE", state},
			{"max-wals", "7", "", "was environment ETCD_MAX_WALS", atRestart},
			{"snapshot", "1", "2", "environment ETCD_SNAPSHOT", noEffect},
		}
		if got := a.Diff(b); !slices.Equal(got, want) {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
	}
	if got := a.Diff(a); len(got) > 0 {
		t.Errorf("with itself: %+v", got)
	}
}

// TestEffectsAreOfSettings: each name that effect knows is a setting.
func TestEffectsAreOfSettings(t *testing.T) {
	table := newTable()
	for _, name := range []string{"initial-cluster", "discovery-endpoints", "initial-advertise-peer-urls", "data-dir", "heartbeat-interval", "v2-deprecation"} {
		if table.Lookup(name) == nil || effect(name, true) == atRestart {
			t.Errorf("%s: %s", name, effect(name, true))
		}
	}
	for _, f := range []string{"discovery-dial-timeout", "discovery-insecure-transport", "discovery-cacert"} {
		if table.Lookup(f) == nil || effect(f, true) != tooLate {
			t.Errorf("%s: %s", f, effect(f, true))
		}
	}
}
