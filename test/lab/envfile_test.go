package lab

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// pkg/config/envfile reads env files as systemd does, and proves it against a corpus
// that was recorded once. That this systemd still agrees is proved here.
func TestEnvFileCorpus(t *testing.T) {
	c := hosts(t)
	const there = "/root/envfile"
	local := filepath.Join("..", "..", "pkg", "config", "envfile", "testdata")
	if err := c.host(1).Copy(t.Context(), local, there); err != nil {
		t.Fatal(err)
	}
	if _, err := c.host(1).Sh(t.Context(), "rm "+there+"/corpus/*.golden; sh "+there+"/record.sh "+there+"/corpus"); err != nil {
		t.Fatal(err)
	}
	version, err := strconv.Atoi(strings.Fields(c.run(1, "systemctl", "--version"))[1])
	if err != nil {
		t.Fatal(err)
	}
	goldens, err := filepath.Glob(filepath.Join(local, "corpus", "*.golden"))
	if err != nil || len(goldens) < 20 {
		t.Fatalf("%d recorded files, %v", len(goldens), err)
	}
	for _, golden := range goldens {
		name := filepath.Base(golden)
		if _, since, ok := strings.Cut(strings.TrimSuffix(name, ".golden"), ".since"); ok {
			if n, err := strconv.Atoi(since); err != nil {
				t.Fatalf("%s: %v", name, err)
			} else if version < n {
				continue
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.run(1, "cat", there+"/corpus/"+name); got != string(want) {
			t.Errorf("%s: systemd %d has\n%s\nrecorded:\n%s", name, version, got, want)
		}
	}
}
