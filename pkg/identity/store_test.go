package identity

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
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
	for i := range keep + 3 {
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
	if err != nil || len(files) != keep || files[keep-1] != last {
		t.Errorf("%d files, the last %q; want %d, %q", len(files), files[len(files)-1], keep, last)
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
		if err := s.Save(pin); err == nil {
			t.Error("saved over a directory")
		}
	})
	t.Run("no directory", func(t *testing.T) {
		if err := (Store{filepath.Join(t.TempDir(), "gone")}).Save(pin); err == nil {
			t.Error("saved into nothing")
		}
	})
}
