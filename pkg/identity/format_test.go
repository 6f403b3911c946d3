package identity

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func place(t *testing.T, s Store, content string) {
	t.Helper()
	if err := os.WriteFile(s.Path(), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// replaced are the pins that were kept when another took their place.
func replaced(t *testing.T, s Store) (contents []string) {
	t.Helper()
	files, err := filepath.Glob(s.Path() + ".replaced-*")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		contents = append(contents, string(raw))
	}
	return contents
}

// A pin from before formats had numbers, as a daemon has written it.
func TestPinOfFormat0(t *testing.T) {
	raw, err := os.ReadFile("testdata/pin-0.json")
	if err != nil {
		t.Fatal(err)
	}
	s := Store{t.TempDir()}
	place(t, s, string(raw))
	p, ok, err := s.Load()
	if err != nil || !ok || p.ClusterID != "31c6e9f19e0fb0d9" || p.MemberID != "69b38ac7138de88d" || p.Name != "etcd-1" || p.Since.Year() != 2026 {
		t.Errorf("%+v, %v, %v", p, ok, err)
	}
	if err := s.Save(pin); err != nil {
		t.Fatal(err)
	}
	if kept := replaced(t, s); len(kept) != 0 {
		t.Errorf("kept %q", kept)
	}
}

// A later version's pin is a pin, as far as it can be read, and is not lost
// when this version writes its own.
func TestPinOfLaterFormat(t *testing.T) {
	for name, tc := range map[string]struct {
		content string
		named   bool
	}{
		"more fields":   {`{"format": 2, "clusterId": "c", "memberId": "m", "replaces": ["x"]}`, true},
		"another type":  {`{"format": 2, "clusterId": "c", "memberId": "m", "name": {"host": "a"}, "since": 17}`, true},
		"no IDs":        {`{"format": 2, "members": [{"cluster": "c"}]}`, false},
		"IDs elsewhere": {`{"format": 2, "clusterId": {"hex": "c"}, "memberId": 7}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := Store{t.TempDir()}
			place(t, s, tc.content)
			p, ok, err := s.Load()
			if ok != tc.named || !errors.Is(err, ErrNewer) || errors.Is(err, ErrDamaged) == tc.named {
				t.Errorf("%v, %v", ok, err)
			}
			if tc.named && (p.ClusterID != "c" || p.MemberID != "m") {
				t.Errorf("read %+v", p)
			}
			if err := s.Save(pin); err != nil {
				t.Fatal(err)
			}
			if got, ok, err := s.Load(); !ok || err != nil || got != pin {
				t.Errorf("saved %+v, %v, %v", got, ok, err)
			}
			if kept := replaced(t, s); len(kept) != 1 || kept[0] != tc.content {
				t.Errorf("kept %q", kept)
			}
		})
	}
}

func TestPinWritesItsFormat(t *testing.T) {
	s := Store{t.TempDir()}
	if err := s.Save(pin); err != nil {
		t.Fatal(err)
	}
	if raw, err := os.ReadFile(s.Path()); err != nil || !strings.Contains(string(raw), `"format": 1`) {
		t.Errorf("%s, %v", raw, err)
	}
}

// The service user can write the file, and root prints it.
func TestPinCannotControlTheTerminal(t *testing.T) {
	s := Store{t.TempDir()}
	p := pin
	p.Name, p.DataDir = "a\x1b[2K\rb", "/d\u009b"
	if err := s.Save(p); err != nil {
		t.Fatal(err)
	}
	if got, _, err := s.Load(); err != nil || strings.ContainsAny(got.String(), "\x1b\r\u009b") {
		t.Errorf("%q, %v", got, err)
	}
}

// A field was added within format 1: an older binary reads the pin without it.
func TestPinForced(t *testing.T) {
	s := Store{t.TempDir()}
	p := pin
	p.Forced = true
	if err := s.Save(p); err != nil {
		t.Fatal(err)
	}
	if got, ok, err := s.Load(); !ok || err != nil || got != p {
		t.Errorf("%+v, %v", got, err)
	}
	raw, err := os.ReadFile(s.Path())
	if err != nil || !strings.Contains(string(raw), `"format": 1`) || !strings.Contains(string(raw), `"forcedNewCluster": true`) {
		t.Errorf("%s, %v", raw, err)
	}
	if err := s.Save(pin); err != nil {
		t.Fatal(err)
	}
	if raw, _ := os.ReadFile(s.Path()); strings.Contains(string(raw), "forced") {
		t.Errorf("%s", raw)
	}
}
