package disk

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// fakeProc lays a /proc/self down: what the kernel shows cannot be had on
// demand for every case; the real thing is below.
type fakeProc struct {
	t   *testing.T
	dir string
}

func (f fakeProc) thread(tid int, state, syscall string, switches int) {
	f.t.Helper()
	dir := filepath.Join(f.dir, "task", fmt.Sprint(tid))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		f.t.Fatal(err)
	}
	for name, content := range map[string]string{
		"stat":    fmt.Sprintf("%d (etcd) D) x) %s 1 2 3\n", tid, state),
		"syscall": syscall + "\n",
		"status":  fmt.Sprintf("Name:\tetcd\nvoluntary_ctxt_switches:\t%d\nnonvoluntary_ctxt_switches:\t7\n", switches),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			f.t.Fatal(err)
		}
	}
}

func TestLook(t *testing.T) {
	f := fakeProc{t, t.TempDir()}
	w := Watch{proc: f.dir}
	if err := os.MkdirAll(filepath.Join(f.dir, "fd"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/data/member/wal/0.wal", filepath.Join(f.dir, "fd/7")); err != nil {
		t.Fatal(err)
	}
	now := time.Unix(1000, 0)
	look := func(want string) {
		t.Helper()
		got, ok := w.Look(now)
		s := fmt.Sprintf("%s %s %v", got.Call, got.File, now.Sub(got.Since))
		if want == "" && ok || want != "" && s != want {
			t.Errorf("after %v: %q, %v; want %q", now.Sub(time.Unix(1000, 0)), s, ok, want)
		}
	}
	const fdatasync = "75 0x7 0x0 0x0 0x0 0x0 0x0 0x7ffc 0x4089"

	f.thread(1, "S", "202 0x1", 1)
	look("")
	f.thread(2, "D", fdatasync, 10)
	look("fdatasync /data/member/wal/0.wal 0s")
	now = now.Add(9 * time.Second)
	look("fdatasync /data/member/wal/0.wal 9s")
	// It ran, and waits again: a busy disk.
	f.thread(2, "D", fdatasync, 11)
	look("fdatasync /data/member/wal/0.wal 0s")
	now = now.Add(3 * time.Second)
	f.thread(3, "D", "-1 0x7ffc 0x4089", 1)
	look("fdatasync /data/member/wal/0.wal 3s") // the longest
	f.thread(2, "S", fdatasync, 12)
	now = now.Add(2 * time.Second)
	look("page fault  2s")
	f.thread(3, "D", "", 1) // a kernel that does not tell
	look("an access to the disk  0s")
	f.thread(3, "R", "running", 1)
	look("")
}

// The real kernel: a file system that is frozen under a writer.
func TestFrozenFileSystem(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root for a file system of its own")
	}
	image, dir := filepath.Join(t.TempDir(), "image"), t.TempDir()
	run := func(name string, args ...string) error {
		out, err := exec.Command(name, args...).CombinedOutput()
		if err != nil {
			return errors.New(name + ": " + err.Error() + ": " + string(out))
		}
		return nil
	}
	for _, c := range [][]string{{"truncate", "-s", "16M", image}, {"mkfs.ext4", "-q", image}, {"mount", "-o", "loop", image, dir}} {
		if err := run(c[0], c[1:]...); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatal(err)
			}
			t.Skip(err)
		}
	}
	t.Cleanup(func() {
		if err := run("umount", dir); err != nil {
			t.Error(err)
		}
	})
	file, err := os.Create(filepath.Join(dir, "wal"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := run("fsfreeze", "--freeze", dir); err != nil {
		t.Fatal(err)
	}
	written := make(chan error)
	go func() { _, err := file.Write([]byte("x")); written <- err }()
	var w Watch
	var seen Wait
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		wait, ok := w.Look(time.Now())
		if ok && strings.HasPrefix(wait.File, dir) && time.Since(wait.Since) > 100*time.Millisecond {
			seen = wait
			break
		}
		if time.Now().After(deadline) {
			break
		}
	}
	if err := run("fsfreeze", "--unfreeze", dir); err != nil {
		t.Fatal(err)
	}
	if err := <-written; err != nil {
		t.Error(err)
	}
	if seen.Call != "write" || seen.File != file.Name() {
		t.Errorf("saw %+v; want a write to %s", seen, file.Name())
	}
	if s := seen.String(); !strings.Contains(s, file.Name()) || !strings.Contains(s, "(/dev/loop") || !strings.Contains(s, ", ext4)") {
		t.Errorf("it reads %q", s)
	}
	if wait, ok := w.Look(time.Now()); ok && wait.File == file.Name() {
		t.Errorf("thawed, and still %v", wait)
	}
}
