package member

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// etcd's source still has each log line that this package listens for. Most of
// them have a second way to the same end, so that nothing else goes red when
// etcd rewords one.
func TestEtcdText(t *testing.T) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "go.etcd.io/etcd/server/v3").Output()
	if err != nil {
		t.Fatal(err)
	}
	missing := map[string]bool{}
	for _, text := range []string{msgPeerActive, msgPeerInactive, msgServerError, msgSlowOpen, msgSnapshot, msgServeEnded, msgPeerRejected, msgClientRejected} {
		missing[text] = true
	}
	err = filepath.WalkDir(strings.TrimSpace(string(out)), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		for text := range missing {
			if bytes.Contains(source, []byte(strconv.Quote(text))) {
				delete(missing, text)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for text := range missing {
		t.Errorf("etcd no longer logs %q", text)
	}
}
