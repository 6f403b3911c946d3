package identity

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

var pin = Pin{ClusterID: "cb84685a2cc9ed23", MemberID: "3adcd0340fdf01e", Name: "etcd-1", DataDir: "/var/lib/etcd", Since: time.Unix(1700000000, 0).UTC()}

func TestSaveLoadForget(t *testing.T) {
	s := Store{t.TempDir()}
	if _, ok, err := s.Load(); ok || err != nil {
		t.Fatalf("empty: %v, %v", ok, err)
	}
	if kept, err := s.Forget(time.Now()); kept != "" || err != nil {
		t.Fatalf("nothing to forget: %q, %v", kept, err)
	}
	for _, p := range []Pin{{ClusterID: "1", MemberID: "2"}, pin} {
		if err := s.Save(p); err != nil {
			t.Fatal(err)
		}
		if got, ok, err := s.Load(); !ok || err != nil || got != p {
			t.Fatalf("got %v, %v, %v; want %v", got, ok, err, p)
		}
	}
	info, err := os.Stat(s.Path())
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if files, _ := os.ReadDir(s.Dir); len(files) != 1 {
		t.Errorf("left behind: %v", files)
	}

	kept, err := s.Forget(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if _, ok, err := s.Load(); ok || err != nil {
		t.Errorf("after forget: %v, %v", ok, err)
	}
	if raw, err := os.ReadFile(kept); err != nil || !strings.Contains(string(raw), pin.MemberID) {
		t.Errorf("kept %s: %s, %v", kept, raw, err)
	}
}

// The count of what is kept is bounded, and the newest are kept.
func TestForgetKeepsTheLast(t *testing.T) {
	s := Store{t.TempDir()}
	var last string
	for i := range keepFormer + 3 {
		if err := s.Save(pin); err != nil {
			t.Fatal(err)
		}
		kept, err := s.Forget(pin.Since.Add(time.Duration(i) * time.Second))
		if err != nil {
			t.Fatal(err)
		}
		last = kept
	}
	files, err := filepath.Glob(filepath.Join(s.Dir, "*"))
	if err != nil || len(files) != keepFormer || files[keepFormer-1] != last {
		t.Errorf("%d files, the last %q; want %d, %q", len(files), files[len(files)-1], keepFormer, last)
	}
}

// A pin that cannot be read is an error, not "no pin": the guard would stand open.
func TestDamaged(t *testing.T) {
	for name, content := range map[string]string{
		"empty": "", "cut off": `{"clusterId": "cb84`, "garbage": "\x00\xff", "no IDs": "{}", "huge": strings.Repeat("x", maxSize+1),
	} {
		t.Run(name, func(t *testing.T) {
			s := Store{t.TempDir()}
			if err := os.WriteFile(s.Path(), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, ok, err := s.Load(); ok || err == nil || !strings.Contains(err.Error(), s.Path()) {
				t.Errorf("%v, %v", ok, err)
			}
			if kept, err := s.Forget(time.Now()); kept == "" || err != nil {
				t.Errorf("forget: %q, %v", kept, err)
			}
		})
	}
	t.Run("a directory", func(t *testing.T) {
		s := Store{t.TempDir()}
		if err := os.Mkdir(s.Path(), 0o700); err != nil {
			t.Fatal(err)
		}
		if _, ok, err := s.Load(); ok || err == nil {
			t.Errorf("%v, %v", ok, err)
		}
		if err := os.WriteFile(filepath.Join(s.Path(), "file"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := s.Save(pin); err != nil {
			t.Error(err)
		}
		if kept, _ := filepath.Glob(s.Path() + ".replaced-*/file"); len(kept) != 1 {
			t.Errorf("the directory is not kept: %q", kept)
		}
	})
	t.Run("cannot be replaced", func(t *testing.T) {
		s := Store{full(t, keepFormer+1)}
		if err := os.WriteFile(s.Path(), []byte("garbage"), 0o600); err != nil {
			t.Fatal(err)
		}
		var former []string
		for i := range keepFormer {
			name := s.aside("replaced", time.Unix(int64(i), 0))
			if err := os.WriteFile(name, []byte("earlier"), 0o600); err != nil {
				t.Fatal(err)
			}
			former = append(former, name)
		}
		for range 2 * keepFormer {
			if s.Save(pin) == nil {
				t.Fatal("saved")
			}
		}
		for _, name := range former {
			if raw, err := os.ReadFile(name); err != nil || string(raw) != "earlier" {
				t.Errorf("%s: %q, %v", name, raw, err)
			}
		}
		if files, _ := filepath.Glob(s.Path() + ".replaced-*"); len(files) != keepFormer+1 {
			t.Errorf("kept %q", files)
		}
	})
	t.Run("no directory", func(t *testing.T) {
		if err := (Store{filepath.Join(t.TempDir(), "gone")}).Save(pin); err == nil {
			t.Error("saved into nothing")
		}
	})
}

// full is a directory on a full disk of its own, once it has so many small files.
func full(t *testing.T, files int) string {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root for a file system of its own")
	}
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d", files*os.Getpagesize())); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	return dir
}
