package durable

import (
	"os"
	"path/filepath"
	"testing"
)

func TestReplace(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	for _, want := range []string{"first", "second"} {
		if err := Replace(path, []byte(want)); err != nil {
			t.Fatal(err)
		}
		info, _ := os.Stat(path)
		if got, err := os.ReadFile(path); err != nil || string(got) != want || info.Mode().Perm() != 0o600 {
			t.Errorf("%q, %v, %v; want %q", got, err, info.Mode(), want)
		}
	}
	// A directory is not replaced, and no temporary file is left behind.
	if err := os.Mkdir(filepath.Join(dir, "d"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := Replace(filepath.Join(dir, "d"), nil); err == nil {
		t.Error("replaced a directory")
	}
	if files, _ := os.ReadDir(dir); len(files) != 2 {
		t.Errorf("left behind: %v", files)
	}
}
