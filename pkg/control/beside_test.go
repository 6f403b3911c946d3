package control

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// A data dir has the same directory beside it by whatever path it is reached,
// before it is made and after.
func TestBeside(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	t.Chdir(dir)
	if err := errors.Join(err, os.Mkdir("disk", 0o700), os.Symlink("disk", "link")); err != nil {
		t.Fatal(err)
	}
	want := filepath.Join(dir, "disk", "data.etcd-node")
	for range 2 {
		for _, path := range []string{"disk/data", "link/data/", filepath.Join(dir, "link", "data"), "./disk/../disk/data"} {
			if got := Beside(path); got != want {
				t.Errorf("%s: %s, want %s", path, got, want)
			}
		}
		if err := os.MkdirAll("disk/data", 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir("disk/data")
	if got := Beside("."); got != want {
		t.Errorf(".: %s, want %s", got, want)
	}
}
