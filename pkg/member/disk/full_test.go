package disk

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// alone says whether the test runs in a mount namespace of its own. Outside of
// one it runs the test again, in a process that is, and reports what came of it:
// so the file systems that it mounts are gone when it is, whatever ends it.
func alone(t *testing.T) bool {
	const mark = "RESERVE_TEST_NAMESPACE"
	if os.Getenv(mark) == t.Name() {
		return true
	}
	cannot := t.Skipf
	if os.Getenv("CI") == "true" {
		cannot = t.Fatalf
	}
	if os.Geteuid() != 0 {
		cannot("not root: cannot mount a small file system")
	}
	args := []string{"-test.run=^" + t.Name() + "$", "-test.v"}
	if deadline, ok := t.Deadline(); ok {
		args = append(args, "-test.timeout="+time.Until(deadline).String())
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), mark+"="+t.Name(), "TMPDIR="+t.TempDir(), "GORACE=atexit_sleep_ms=0")
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	out, err := cmd.CombinedOutput()
	switch {
	case strings.Contains(string(out), cannotMount):
		cannot("%s", out)
	case err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()):
		t.Errorf("%v\n%s", err, out)
	default:
		t.Logf("%s", out)
	}
	return false
}

const cannotMount = "cannot make a small file system"

// small is a file system of its own, 1 GiB of ext4 in a sparse file: the
// smallest on which etcd and the whole default reserve have room.
func small(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	image, mnt := filepath.Join(dir, "image"), filepath.Join(dir, "mnt")
	must(t, os.WriteFile(image, nil, 0o600))
	must(t, os.Truncate(image, 1<<30))
	must(t, os.Mkdir(mnt, 0o700))
	for _, command := range [][]string{{"mkfs.ext4", "-q", "-m", "0", image}, {"mount", "-o", "loop", image, mnt}} {
		if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %v: %s", cannotMount, command, err, out)
		}
	}
	t.Cleanup(func() { must(t, unix.Unmount(mnt, 0)) }) // mount's loop device goes with the mount
	return mnt
}

// fill takes n bytes, or what is left to the last byte with -1.
func fill(t *testing.T, dir, name string, n int64) {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(dir, name), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	must(t, err)
	defer f.Close()
	if n >= 0 {
		must(t, fallocate(f, n))
		return
	}
	s, err := SpaceOf(dir)
	must(t, err)
	_ = fallocate(f, s.Available) // most of it; the file's own metadata needs some
	zeros := make([]byte, 4096)
	for err == nil {
		_, err = f.Write(zeros)
	}
	if !errors.Is(err, unix.ENOSPC) {
		t.Fatal(err)
	}
}

func unfill(t *testing.T, dir string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "fill*"))
	must(t, err)
	for _, f := range files {
		must(t, os.Remove(f))
	}
}

func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("after a minute still not: %s", what)
		}
	}
}

func heldIn(path string) int64 {
	f, _ := file{path: path}.look()
	return f.held()
}

// Somebody writes as much as the disk has free, while etcd is written to.
func TestFilledWhileRunning(t *testing.T) {
	if !alone(t) {
		return
	}
	for _, tc := range []struct {
		name string
		size int64
	}{{"without", 0}, {"with", Default}} {
		t.Run(tc.name, func(t *testing.T) {
			mnt := small(t)
			data, w := filepath.Join(mnt, "data"), newWriter()
			reserve := filepath.Join(data, "member", "reserve")
			p := start(t, data, "", tc.size)
			must(t, w.put(t, p, times(100)))
			waitFor(t, "the reserve is held", func() bool { return heldIn(reserve) == tc.size })

			s, err := SpaceOf(mnt)
			must(t, err)
			filled := make(chan struct{})
			go func() {
				defer close(filled)
				const step = 4 << 20 // 200 MB a second
				f, err := os.Create(filepath.Join(mnt, "fill"))
				if err != nil {
					t.Error(err)
					return
				}
				defer f.Close()
				for n := int64(step); n < s.Available+step && fallocate(f, min(n, s.Available)) == nil; n += step {
					pause := 20 * time.Millisecond
					if s.Available-n < 64<<20 { // 20 MB a second, so that a starved keeper still sees it coming
						pause *= 10
					}
					time.Sleep(pause)
				}
			}()
			done := func() bool {
				select {
				case <-filled:
					return true
				default:
					return false
				}
			}
			err = w.put(t, p, done)
			<-filled
			if tc.size == 0 {
				_ = w.put(t, p, func() bool { return !p.alive() })
				p.diedOfFullDisk(t)
				unfill(t, mnt)
			} else {
				must(t, err)
				if heldIn(reserve) != 0 {
					t.Error("the reserve is still held")
				}
				must(t, w.put(t, p, times(100)))
				w.nothingLost(t, p)
				fill(t, mnt, "fill2", -1) // and now what the reserve gave
				_ = w.put(t, p, func() bool { return !p.alive() })
				p.diedOfFullDisk(t)
				if n := strings.Count(p.stderr.String(), "releasing the disk reserve"); n != 1 {
					t.Errorf("the release was logged %d times", n)
				}
				unfill(t, mnt)
			}
			p = start(t, data, "", tc.size)
			if p.client == nil {
				t.Fatalf("does not start on the freed disk: %s", p.last())
			}
			w.nothingLost(t, p)
		})
	}
}

// The disk is filled to the last byte while the member is down. With the
// reserve it starts, and can be compacted; the reserve too comes to an end.
func TestStartOnFullDisk(t *testing.T) {
	if !alone(t) {
		return
	}
	mnt := small(t)
	data, w := filepath.Join(mnt, "data"), newWriter()
	reserve := filepath.Join(data, "member", "reserve")
	p := start(t, data, "", Default)
	must(t, w.put(t, p, times(300)))
	waitFor(t, "the reserve is held", func() bool { return heldIn(reserve) == Default })
	p.kill()
	// A killed member leaves the next segment allocated; etcd removes it at a stop.
	must(t, os.RemoveAll(filepath.Join(data, "member", "wal", "0.tmp")))
	must(t, os.RemoveAll(filepath.Join(data, "member", "wal", "1.tmp")))
	fill(t, mnt, "fill", -1)

	p = start(t, data, "", -1) // without a Keeper
	if p.client != nil {
		_ = w.put(t, p, func() bool { return !p.alive() })
	}
	p.diedOfFullDisk(t)
	fill(t, mnt, "fill2", -1)

	p = start(t, data, "", Default)
	if p.client == nil {
		t.Fatalf("does not start: %s", p.last())
	}
	w.nothingLost(t, p)
	must(t, w.put(t, p, times(100)))
	r, err := p.client.Get(t.Context(), "k0")
	must(t, err)
	if _, err := p.client.Compact(t.Context(), r.Header.Revision); err != nil {
		t.Errorf("compact: %v", err)
	}
	if _, err := p.client.Defragment(t.Context(), p.client.Endpoints()[0]); err != nil {
		t.Errorf("defragment: %v", err)
	}
	must(t, w.put(t, p, times(100)))
	s, err := SpaceOf(mnt)
	must(t, err)
	t.Logf("%s available after compaction and defragmentation", bytes(s.Available))

	puts := w.n
	w.value = strings.Repeat("v", 1<<20)
	if err := w.put(t, p, times(1e6)); err == nil {
		t.Fatal("puts without end")
	}
	t.Logf("%d more puts of 1 MiB", w.n-puts)
	p.diedOfFullDisk(t)
	unfill(t, mnt)
	p = start(t, data, "", Default)
	if p.client == nil {
		t.Fatalf("does not start on the freed disk: %s", p.last())
	}
	w.nothingLost(t, p)
}

// A WAL directory on a file system of its own: etcd does not mind the reserve
// in it, and it serves its purpose.
func TestSeparateWALDisk(t *testing.T) {
	if !alone(t) {
		return
	}
	mnt := small(t)
	data, walDir, w := t.TempDir(), filepath.Join(mnt, "wal"), newWriter()
	reserves := []string{filepath.Join(data, "member", "reserve"), filepath.Join(walDir, "reserve.tmp")}
	p := start(t, data, walDir, Default)
	must(t, w.put(t, p, times(10)))
	for _, path := range reserves {
		waitFor(t, path+" is held", func() bool { return heldIn(path) == Default })
	}
	p.kill()
	fill(t, mnt, "fill", -1)
	p = start(t, data, walDir, Default)
	if p.client == nil {
		t.Fatalf("does not start: %s", p.last())
	}
	w.nothingLost(t, p)
	if heldIn(reserves[0]) != Default || heldIn(reserves[1]) != 0 {
		t.Errorf("held %d and %d bytes", heldIn(reserves[0]), heldIn(reserves[1]))
	}
	p.kill()
	if p.has("ignored file") {
		t.Errorf("etcd complains of a file: %s", p.stderr)
	}
}

// Needed is enough for the start that needs most: of a WAL whose last segment is
// nearly full and torn, which is repaired by copying it, with no segment left
// over. A little more than one segment is not.
func TestNeeded(t *testing.T) {
	if !alone(t) {
		return
	}
	for _, tc := range []struct {
		available int64
		starts    bool
	}{{Needed, true}, {100 << 20, false}} {
		t.Run(bytes(tc.available), func(t *testing.T) {
			mnt := small(t)
			data, w := filepath.Join(mnt, "data"), newWriter()
			w.value = strings.Repeat("v", 1<<20)
			p := start(t, data, "", 0)
			must(t, w.put(t, p, times(58)))
			p.kill()
			wal := filepath.Join(data, "member", "wal")
			must(t, os.RemoveAll(filepath.Join(wal, "0.tmp")))
			tear(t, filepath.Join(wal, "0000000000000000-0000000000000000.wal"))
			s, err := SpaceOf(mnt)
			must(t, err)
			fill(t, mnt, "fill", s.Available-tc.available)

			p = start(t, data, "", -1)
			if !tc.starts {
				if p.client != nil {
					_ = w.put(t, p, func() bool { return !p.alive() })
				}
				p.diedOfFullDisk(t)
				return
			}
			if p.client == nil {
				t.Fatalf("does not start: %s", p.last())
			}
			w.value = "v"
			must(t, w.put(t, p, times(50)))
			if _, err := os.Stat(filepath.Join(wal, "0000000000000000-0000000000000000.wal.broken")); err != nil {
				t.Errorf("nothing was repaired: %v", err)
			}
		})
	}
}

// tear makes the last record in a WAL segment one of which only the first
// sectors have reached the disk.
func tear(t *testing.T, path string) {
	t.Helper()
	b, err := os.ReadFile(path)
	must(t, err)
	written := len(strings.TrimRight(string(b), "\x00"))
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	must(t, err)
	defer f.Close()
	const sector = 512
	from := written/sector*sector - 4*sector
	_, err = f.WriteAt(make([]byte, written-from), int64(from))
	must(t, err)
}
