package reference

import (
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/etcd-node/etcd-node/pkg/config"
	"github.com/etcd-node/etcd-node/pkg/config/envfile"
)

var update = flag.Bool("update", false, "write the generated files")

// TestGenerated: what is in the repository is what the tables make.
func TestGenerated(t *testing.T) {
	for path, want := range map[string]string{
		"../../../docs/configuration.md":       Page(),
		"../../../deploy/systemd/etcd.default": EnvFile(),
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
			t.Errorf("%s is not what the tables make: go generate ./pkg/config/reference", path)
		}
	}
}

// TestVariables: each of etcd-node's own variables is on the page, and in the
// env file if it has a section there.
func TestVariables(t *testing.T) {
	page, envFile := Page(), EnvFile()
	for _, v := range config.Variables {
		if !strings.Contains(page, v.Name) {
			t.Errorf("%s is missing on the page", v.Name)
		}
		if v.Section != "" && !strings.Contains(envFile, v.Name) {
			t.Errorf("%s is missing in the env file", v.Name)
		}
		if v.Section != "" && !slices.ContainsFunc(sections, func(s section) bool { return s.key == v.Section }) {
			t.Errorf("%s: no section %q", v.Name, v.Section)
		}
	}
}

// TestRowsAreWhole: each row of a table is one line, or the table ends there.
func TestRowsAreWhole(t *testing.T) {
	rows := 0
	for line := range strings.Lines(Page()) {
		if line = strings.TrimSuffix(line, "\n"); strings.HasPrefix(line, "|") {
			if rows++; !strings.HasSuffix(line, "|") {
				t.Errorf("the row is cut off: %s", line)
			}
		}
	}
	if rows < 100 {
		t.Errorf("%d rows", rows)
	}
}

// TestTemplateIsTaken: with its comments taken away, every line of the env
// file is one that Load takes (the two ways to name the cluster agree).
func TestTemplateIsTaken(t *testing.T) {
	var lines []string
	for line := range strings.Lines(EnvFile()) {
		if name, _, ok := strings.Cut(strings.TrimPrefix(line, "#"), "="); ok && strings.HasPrefix(name, "ETCD_") {
			lines = append(lines, strings.TrimPrefix(line, "#"))
		}
	}
	file := strings.Join(lines, "")
	parsed, err := envfile.Parse([]byte(file))
	if err != nil || len(parsed.Ignored) > 0 || len(parsed.Variables) != len(lines) || len(lines) < 25 {
		t.Fatalf("%d lines: %v, %+v", len(lines), err, parsed)
	}
	in := config.Input{EnvFile: config.DefaultEnvFile, ReadFile: func(string) ([]byte, error) { return []byte(file), nil }}
	if _, err := config.Load(in); err != nil {
		for line := range strings.SplitSeq(err.Error(), "\n") {
			// The names and the interface are of other machines, the files of another disk.
			if !strings.Contains(line, "_FILE ") && !strings.Contains(line, "ETCD_PEER ") {
				t.Error(line)
			}
		}
	}
}
