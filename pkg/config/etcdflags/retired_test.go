package etcdflags

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

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
	for _, r := range AllRetired() {
		page = append(page, r.Name)
	}
	if len(old) < 40 || !slices.Equal(old, page) {
		t.Errorf("older versions had %d: %q\nhere are %d: %q", len(old), old, len(page), page)
	}
	for _, name := range old {
		r, ok := RetiredFlag(name)
		if !ok {
			t.Errorf("%s: nothing is said of it", name)
			continue
		}
		flag, value, has := strings.Cut(r.now, "=")
		f := New().Lookup(flag)
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
