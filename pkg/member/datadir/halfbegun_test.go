package datadir

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// begin kills a first start when the WAL is made and nothing is in it.
func begin(t *testing.T, s spec) Data {
	t.Helper()
	s.KillAt = "starting local member"
	m := start(t, s)
	<-m.ended
	d := inspect(t, s)
	if !d.HalfBegun() || d.Empty() || d.WAL.MemberID == 0 {
		t.Fatalf("not half begun: %+v\n%s", d, m.output())
	}
	return d
}

func TestHalfBegun(t *testing.T) {
	t.Parallel()
	s := alone(t)
	begin(t, s)
	stuck(t, s)
	if !inspect(t, s).HalfBegun() {
		t.Fatal("another start made a difference")
	}
	kept, err := MoveAside(s.Dir, "", time.Now())
	must(t, err)
	if len(kept) != 2 {
		t.Errorf("kept %q", kept)
	}
	for _, k := range kept {
		if filepath.Dir(k) != filepath.Join(s.Dir, "member") {
			t.Errorf("%s is in the way of snapshot restore when member/ is gone", k)
		}
		if _, err := os.Stat(k); err != nil {
			t.Error(err)
		}
	}
	d := inspect(t, s)
	if !d.Empty() || d.HalfBegun() {
		t.Errorf("%+v", d)
	}
	if w, _ := d.Kept(); !strings.Contains(w, strings.Join(kept, " ")) {
		t.Errorf("%q", w)
	}
	start(t, s).serves(1).kill()
	sound(t, s)
	if _, err := MoveAside(s.Dir, "", time.Now()); !errors.Is(err, ErrNotHalfBegun) {
		t.Errorf("moved data aside: %v", err)
	}
}

func TestMoveAsideWithWALDir(t *testing.T) {
	t.Parallel()
	s := alone(t)
	s.WALDir = filepath.Join(t.TempDir(), "wal") + "/"
	begin(t, s)
	kept, err := MoveAside(s.Dir, s.WALDir, time.Now())
	must(t, err)
	if len(kept) != 2 || !strings.HasPrefix(kept[0], filepath.Clean(s.WALDir)+asideMark) {
		t.Errorf("kept %q", kept)
	}
	start(t, s).serves(1).kill()
	sound(t, s)
}

// TestMoveAsideKilled: its own end in the middle leaves nothing to do.
func TestMoveAsideKilled(t *testing.T) {
	t.Parallel()
	s := alone(t)
	d := begin(t, s)
	must(t, os.Rename(d.WALDir, d.WALDir+asideMark+"then"))
	if d := inspect(t, s); !d.Empty() || !d.DB.Exists {
		t.Errorf("%+v", d)
	}
	start(t, s).serves(1).kill()
	sound(t, s)
}

func TestMoveAsideIsBounded(t *testing.T) {
	t.Parallel()
	s := alone(t)
	d := begin(t, s)
	fresh := copyDir(t, s.Dir)
	now := time.Now()
	for i := range asideLimit {
		_, err := MoveAside(s.Dir, "", now.Add(time.Duration(i)*time.Second))
		must(t, err)
		for _, part := range []string{"wal", "snap"} {
			must(t, os.Rename(filepath.Join(copyDir(t, fresh), "member", part), filepath.Join(s.Dir, "member", part)))
		}
	}
	_, err := MoveAside(s.Dir, "", now.Add(time.Hour))
	if !errors.Is(err, ErrTooOften) || !strings.Contains(err.Error(), d.WALDir+asideMark) {
		t.Errorf("a fourth: %v", err)
	}
	if !inspect(t, s).HalfBegun() {
		t.Error("moved nevertheless")
	}
}

func TestMoveAsideLeavesAlone(t *testing.T) {
	t.Parallel()
	s := alone(t)
	begin(t, s)
	db := filepath.Join(s.Dir, "member", "snap", "db")
	must(t, os.WriteFile(db, []byte(strings.Repeat("garbage ", 9000)), 0o600))
	if _, err := MoveAside(s.Dir, "", time.Now()); !errors.Is(err, ErrNotHalfBegun) {
		t.Errorf("an unreadable database: %v", err)
	}
	for _, dir := range []string{t.TempDir(), filepath.Join(t.TempDir(), "none")} {
		if _, err := MoveAside(dir, "", time.Now()); !errors.Is(err, ErrNotHalfBegun) {
			t.Errorf("nothing there: %v", err)
		}
	}
}
