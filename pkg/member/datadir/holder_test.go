package datadir

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestHolder(t *testing.T) {
	t.Parallel()
	m := start(t, alone(t)).serves(1)
	d := inspect(t, m.spec)
	if !d.DB.Locked || d.DB.Damage != nil || d.Empty() {
		t.Errorf("a running member's database: %+v", d.DB)
	}
	for _, why := range []func() (string, bool){d.WALLost, d.Foreign} {
		if s, yes := why(); yes {
			t.Errorf("nothing is known of it: %s", s)
		}
	}
	if _, err := MoveAside(m.Dir, "", time.Now()); err == nil {
		t.Error("moved a running member aside")
	}
	wal, err := filepath.Glob(filepath.Join(d.WALDir, "*.wal"))
	must(t, err)
	for _, path := range append(wal, d.DB.Path) {
		pid, command, ok := Holder(path)
		if !ok || pid != m.cmd.Process.Pid || command != os.Args[0] {
			t.Errorf("%s: %d %q %v, want %d %q", path, pid, command, ok, m.cmd.Process.Pid, os.Args[0])
		}
	}
	m.stop()
	if pid, command, ok := Holder(d.DB.Path); ok {
		t.Errorf("after the end: %d %q", pid, command)
	}
	sound(t, m.spec)
}

// TestHolderOfAnotherUser: its descriptors are hidden, the kernel's table of
// locks is not.
func TestHolderOfAnotherUser(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "db")
	must(t, os.WriteFile(file, nil, 0o600))
	info, err := os.Stat(file)
	must(t, err)
	st := info.Sys().(*syscall.Stat_t)
	proc := t.TempDir()
	id := fmt.Sprintf("%02x:%02x:%d", unix.Major(st.Dev), unix.Minor(st.Dev), st.Ino)
	must(t, os.WriteFile(filepath.Join(proc, "locks"), []byte(fmt.Sprintf(
		"1: FLOCK  ADVISORY  WRITE 11 00:00:1 0 EOF\n1: -> FLOCK  ADVISORY  WRITE 12 %[1]s 0 EOF\n2: OFDLCK ADVISORY  WRITE -1 %[1]s 0 EOF\n3: FLOCK  ADVISORY  WRITE 4711 %[1]s 0 EOF\n", id)), 0o600))
	if pid, command, ok := holder(proc, file); !ok || pid != 4711 || command != "" {
		t.Errorf("%d %q %v", pid, command, ok)
	}
	must(t, os.Mkdir(filepath.Join(proc, "4711"), 0o700))
	must(t, os.WriteFile(filepath.Join(proc, "4711", "comm"), []byte("etcd\n"), 0o600))
	if _, command, _ := holder(proc, file); command != "[etcd]" {
		t.Errorf("%q", command)
	}
	must(t, os.WriteFile(filepath.Join(proc, "4711", "cmdline"), []byte("/usr/bin/etcd\x00--password=secret\x00"), 0o600))
	if _, command, _ := holder(proc, file); command != "/usr/bin/etcd" {
		t.Errorf("%q", command)
	}
	if _, _, ok := holder(t.TempDir(), file); ok {
		t.Error("found in an empty /proc")
	}
}
