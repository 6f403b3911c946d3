package config

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/etcd-node/etcd-node/pkg/config/envfile"
)

// TestGenerated: what is in the repository is what the tables make.
func TestGenerated(t *testing.T) {
	for path, want := range map[string]string{
		"../../docs/configuration.md":       Page(),
		"../../deploy/systemd/etcd.default": EnvFileTemplate(),
	} {
		if *update {
			if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		have, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if string(have) != want {
			t.Errorf("%s is not what the tables make: go generate ./pkg/config", path)
		}
	}
}

// TestRows: every row fills a field of its own, its default and its example
// are values it takes, and all that prints settings has it.
func TestRows(t *testing.T) {
	var o own
	fields := make(map[any]string)
	titles := []string{""}
	for _, s := range sections {
		titles = append(titles, s.title)
	}
	for _, r := range rows {
		into := r.into(&o)
		if other, twice := fields[into]; twice {
			t.Errorf("%s and %s fill one field", r.name, other)
		}
		fields[into] = r.name
		if !slices.Contains(titles, r.section) {
			t.Errorf("%s: no section %q", r.name, r.section)
		}
		if r.help == "" || strings.HasSuffix(r.help, ".") || r.takes == "" {
			t.Errorf("%s: help %q, takes %q", r.name, r.help, r.takes)
		}
		for _, value := range []string{r.preset, r.example} {
			if value == "" {
				continue
			}
			if err := decode(value, reflect.ValueOf(into).Elem()); err != nil {
				t.Errorf("%s=%s: %v", r.name, value, err)
			}
		}
		for what, text := range map[string]string{"--help": Help(), "the page": Page(), "the env file": EnvFileTemplate()} {
			if !strings.Contains(text, r.name) && (what != "the env file" || r.section != "") {
				t.Errorf("%s is missing in %s", r.name, what)
			}
		}
	}
	if n := reflect.TypeFor[own]().NumField(); n != len(rows) {
		t.Errorf("%d fields, %d rows", n, len(rows))
	}
}

// TestTemplateIsTaken: with its comments taken away, every line of the env
// file is one that Load takes (the two ways to name the cluster agree).
func TestTemplateIsTaken(t *testing.T) {
	var lines []string
	for line := range strings.Lines(EnvFileTemplate()) {
		if name, _, ok := strings.Cut(strings.TrimPrefix(line, "#"), "="); ok && strings.HasPrefix(name, "ETCD_") {
			lines = append(lines, strings.TrimPrefix(line, "#"))
		}
	}
	file := strings.Join(lines, "")
	parsed, err := envfile.Parse([]byte(file))
	if err != nil || len(parsed.Ignored) > 0 || len(parsed.Variables) != len(lines) || len(lines) < 25 {
		t.Fatalf("%d lines: %v, %+v", len(lines), err, parsed)
	}
	in := Input{EnvFile: DefaultEnvFile, ReadFile: func(string) ([]byte, error) { return []byte(file), nil }}
	if _, err := Load(in); err != nil {
		for line := range strings.SplitSeq(err.Error(), "\n") {
			// The names and the interface are of other machines, the files of another disk.
			if !strings.Contains(line, "_FILE ") && !strings.Contains(line, "ETCD_PEER ") {
				t.Error(line)
			}
		}
	}
}

// TestRetired: every flag that an older etcd had is either here or named with
// its successor, and each successor is a setting of this etcd.
func TestRetired(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("testdata", "retired.txt"))
	if err != nil {
		t.Fatal(err)
	}
	var old []string
	for line := range strings.Lines(string(data)) {
		if !strings.HasPrefix(line, "#") {
			old = append(old, strings.TrimSpace(line))
		}
	}
	var page []string
	for _, r := range allRetired() {
		page = append(page, r.name)
	}
	if len(old) < 40 || !slices.Equal(old, page) {
		t.Errorf("older versions had %d: %q\nhere are %d: %q", len(old), old, len(page), page)
	}
	for _, name := range old {
		r, ok := retiredFlag(name)
		if !ok {
			t.Errorf("%s: nothing is said of it", name)
			continue
		}
		flag, value, has := strings.Cut(r.now, "=")
		f := newTable().Lookup(flag)
		if r.now != "" && f == nil || r.now == "" && r.why == "" {
			t.Errorf("%s: %+v", name, r)
		}
		if has {
			if err := f.Value.Set(value); err != nil {
				t.Errorf("%s: %s: %v", name, r.now, err)
			}
		}
	}
}

// TestUnknown: a variable that etcd does not know is named with what it should be.
func TestUnknown(t *testing.T) {
	l, err := Load(Input{Environ: []string{
		"ETCD_EXPERIMENTAL_INITIAL_CORRUPT_CHECK=true", "ETCD_EXPERIMENTAL_CORRUPT_CHECK_TIME=1h", "ETCD_PROXY=on",
		"ETCD_LISTEN_CLIENT_URL=http://127.0.0.1:2379", "ETCD_COLOUR=s3cret",
	}})
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Join(l.Notices, "\n")
	for _, want := range []string{
		"ETCD_EXPERIMENTAL_INITIAL_CORRUPT_CHECK: etcd 3.6 was the last to have this setting, and it is ignored: write ETCD_FEATURE_GATES=InitialCorruptCheck=true\n",
		"ETCD_EXPERIMENTAL_CORRUPT_CHECK_TIME: etcd 3.6 was the last to have this setting, and it is ignored: write ETCD_CORRUPT_CHECK_TIME\n",
		"ETCD_PROXY: etcd 3.5 was the last to have this setting, and it is ignored: " + noProxy + "; remove it\n",
		"ETCD_LISTEN_CLIENT_URL: etcd has no such setting; it is ignored; did you mean ETCD_LISTEN_CLIENT_URLS?\n",
		"ETCD_COLOUR: etcd has no such setting; it is ignored\n",
	} {
		if !strings.Contains(all+"\n", want) {
			t.Errorf("no %s", want)
		}
	}
	if strings.Contains(all, "s3cret") {
		t.Error("a value is quoted")
	}
}

func TestNearest(t *testing.T) {
	var known []string
	for _, s := range []string{"name", "data-dir", "listen-peer-urls", "listen-client-urls", "advertise-client-urls",
		"initial-advertise-peer-urls", "initial-cluster", "initial-cluster-state", "heartbeat-interval", "quota-backend-bytes", "peer-cert-file", "cert-file"} {
		known = append(known, envName(s))
	}
	for name, want := range map[string]string{
		"ETCD_LISTEN_CLIENT_URL":   "ETCD_LISTEN_CLIENT_URLS",
		"ETCD_LSITEN_PEER_URLS":    "ETCD_LISTEN_PEER_URLS",
		"ETCD_ADVERTISE_PEER_URLS": "ETCD_INITIAL_ADVERTISE_PEER_URLS",
		"ETCD_INITIAL_CLSUTER":     "ETCD_INITIAL_CLUSTER",
		"ETCD_HEARTBEAT_INTERVALL": "ETCD_HEARTBEAT_INTERVAL",
		"ETCD_QUOTA_BYTES":         "ETCD_QUOTA_BACKEND_BYTES",
		"ETCD_COLOUR":              "",
		"ETCD_ROLE":                "",
	} {
		if got := Nearest(name, known); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if got := Nearest("o", []string{"v", "vv", "name"}); got != "" {
		t.Errorf("o, of which no letter is left: %q", got)
	}
	if got := Nearest("ETCD_NODE_REDY", ownNames(ours)); got != "ETCD_NODE_READY" {
		t.Errorf("ETCD_NODE_REDY: %q", got)
	}
}
