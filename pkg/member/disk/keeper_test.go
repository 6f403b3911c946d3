package disk

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
	"golang.org/x/sys/unix"
)

// Default is the setting's default.
const Default = 192 << 20

const size = Min // of the reserve: real blocks, so no more of them than necessary

// disk is a file system in numbers; the reserve on it is a real file.
type disk struct {
	total   int64
	others  atomic.Int64 // taken by all but the reserve
	reserve string
	err     error
}

func (d *disk) space(string) (Space, error) {
	f, err := file{path: d.reserve}.look()
	return Space{Total: d.total, Available: max(d.total-d.others.Load()-f.held(), 0)}, errors.Join(err, d.err)
}

// rig is a Keeper over one or two such disks.
type rig struct {
	*Keeper
	member, wal *disk
	allocate    func(*os.File, int64) error
	logs        *observer.ObservedLogs
	changes     int
}

func newRig(t *testing.T, separate bool) *rig {
	t.Helper()
	dir := t.TempDir()
	member, wal := filepath.Join(dir, "member"), filepath.Join(dir, "member", "wal")
	if separate {
		wal = filepath.Join(dir, "wal")
	}
	for _, d := range []string{filepath.Join(member, "snap"), wal} {
		must(t, os.MkdirAll(d, 0o700))
	}
	must(t, os.WriteFile(filepath.Join(wal, "0000000000000000-0000000000000000.wal"), nil, 0o600))
	must(t, os.WriteFile(filepath.Join(member, "snap", "db"), make([]byte, 4096), 0o600))
	core, logs := observer.New(zapcore.InfoLevel)
	r := &rig{
		member:   &disk{total: 10 << 30, reserve: filepath.Join(member, "reserve")},
		wal:      &disk{total: 10 << 30, reserve: filepath.Join(wal, "reserve.tmp")},
		logs:     logs,
		allocate: fallocate,
	}
	r.Keeper = newKeeper(Options{MemberDir: member, WALDir: wal, Size: size, Log: zap.New(core), Changed: func() { r.changes++ }}, system{
		space: func(d string) (Space, error) {
			if d == wal {
				return r.wal.space(d)
			}
			return r.member.space(d)
		},
		device: func(d string) (uint64, error) {
			if _, err := os.Stat(d); err != nil {
				return 0, err
			}
			if d == wal && separate {
				return 2, nil
			}
			return 1, nil
		},
		fallocate: func(f *os.File, n int64) error { return r.allocate(f, n) },
	})
	return r
}

// run runs the Keeper in the bubble until the test ends.
func (r *rig) run(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); r.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
}

// pass lets time pass, and the Keeper do what is due by then.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (r *rig) logged(part string) int { return r.logs.FilterMessageSnippet(part).Len() }

// want checks what there is of the reserve: -1, 0 (released), or its size.
func want(t *testing.T, d *disk, n int64) {
	t.Helper()
	f, err := file{path: d.reserve}.look()
	must(t, err)
	got := int64(-1)
	if f.exists {
		got = f.held()
	}
	if got != n {
		t.Fatalf("%s: %d bytes held, want %d", d.reserve, got, n)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// The life of a reserve: made at once, released when the disk is full, made
// again only after a minute with room for it.
func TestReleaseAndRestore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, false)
		r.Poll()
		want(t, r.member, size)
		info, err := os.Stat(r.member.reserve)
		must(t, err)
		if info.Mode() != 0o600 {
			t.Errorf("mode %v", info.Mode())
		}
		r.run(t)
		fill := func(available int64) { r.member.others.Store(r.member.total - available) }

		fill(size + Needed) // Needed is available: not yet
		pass(2 * time.Second)
		want(t, r.member, size)
		fill(size + Needed - 1)
		pass(fastInterval)
		want(t, r.member, 0)
		if w := r.Warnings(); len(w) != 1 || !strings.HasPrefix(w[0], "disk full: the reserve of 80 MiB is released, now 208 MiB of 10 GiB available in "+r.MemberDir) {
			t.Errorf("warnings %q", w)
		}

		fill(roomFor(size) - 1)
		pass(10 * settleTime)
		want(t, r.member, 0)
		fill(roomFor(size))
		pass(settleTime - time.Second)
		want(t, r.member, 0)
		fill(roomFor(size) - 1) // a dip: the minute begins anew
		pass(time.Second)
		fill(roomFor(size))
		pass(settleTime - time.Second)
		want(t, r.member, 0)
		pass(2 * time.Second)
		want(t, r.member, size)
		if r.logged("releasing") != 1 || r.logged("made") != 2 {
			t.Errorf("logged %v", r.logs.All())
		}
		for _, w := range r.Warnings() {
			if strings.Contains(w, "full") {
				t.Errorf("still warns: %s", w)
			}
		}
		fill(r.member.total)
		pass(2 * settleTime)
		if w := r.Warnings(); len(w) != 0 {
			t.Errorf("warns of an empty disk: %q", w)
		}
	})
}

// A process that starts on a full disk has the space before etcd starts, and
// one that finds a released reserve does not take it at once.
func TestStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, false)
		r.Poll()
		r.member.others.Store(r.member.total - size)
		next := newKeeper(r.Options, r.os)
		next.Poll()
		want(t, r.member, 0)

		r.member.others.Store(0)
		third := newKeeper(r.Options, r.os)
		third.Poll()
		want(t, r.member, 0)
		pass(settleTime)
		third.Poll()
		want(t, r.member, size)
	})
}

// Numbers change all the time; who prints the warnings must not be busy with it.
func TestWarningsStand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, false)
		r.Poll()
		r.run(t)
		for i := range int64(600) {
			r.member.others.Store(r.member.total*95/100 + i%7<<20)
			pass(fastInterval)
		}
		if r.changes < 1 || r.changes > 3 {
			t.Errorf("%d changes in a minute", r.changes)
		}
		before := r.changes
		r.member.others.Store(r.member.total)
		pass(fastInterval)
		if r.changes != before+1 {
			t.Error("worse is not told at once")
		}
		said := r.Warnings()
		r.member.others.Store(0)
		pass(relief / 2)
		r.member.others.Store(r.member.total) // filled again before anyone could be sure
		pass(relief)
		if w := r.Warnings(); !slices.Equal(w, said) {
			t.Errorf("a moment's space, and it says %q", w)
		}
		r.member.others.Store(0)
		pass(relief + fastInterval)
		if w := r.Warnings(); len(w) != 1 || !strings.HasPrefix(w[0], "the disk was full") {
			t.Errorf("there is space again, and it says %q", w)
		}
		pass(settleTime + relief)
		if w := r.Warnings(); len(w) != 0 {
			t.Errorf("the reserve is there again, and it says %q", w)
		}
		// A moment's space ends no warning, however long it has stood.
		r.member.others.Store(r.member.total * 95 / 100)
		pass(2 * settleTime)
		r.member.others.Store(0)
		pass(fastInterval)
		if len(r.Warnings()) == 0 {
			t.Error("one look at an empty disk ended the warning")
		}
	})
}

func TestSeparateWAL(t *testing.T) {
	r := newRig(t, true)
	r.Poll()
	want(t, r.member, size)
	want(t, r.wal, size)
	r.wal.others.Store(r.wal.total) // one file system is full, the other is not
	r.Poll()
	want(t, r.member, size)
	want(t, r.wal, 0)
	if w := r.Warnings(); len(w) != 1 || !strings.Contains(w[0], r.WALDir) {
		t.Errorf("warnings %q", w)
	}

	// Copied to one disk, the second reserve is one too many.
	r.os.device = func(string) (uint64, error) { return 1, nil }
	r.Poll()
	want(t, r.member, size)
	want(t, r.wal, -1)
	if w := r.Warnings(); len(w) != 0 {
		t.Errorf("warnings %q", w)
	}
}

func TestSetting(t *testing.T) {
	r := newRig(t, false)
	r.Size = 2 * Min
	r.Poll()
	want(t, r.member, 2*Min)
	r.Size = Min
	r.Poll()
	want(t, r.member, Min)
	r.Size = 2 * Min
	r.Poll()
	want(t, r.member, 2*Min)
	r.Size = 0
	r.Poll()
	want(t, r.member, -1)
}

// Before etcd has made its WAL there is nothing to protect, and nothing of ours
// may stand where it expects nothing.
func TestNotBeforeTheWAL(t *testing.T) {
	r := newRig(t, false)
	must(t, os.RemoveAll(r.MemberDir))
	r.Poll()
	must(t, os.MkdirAll(r.WALDir, 0o700))
	r.Poll()
	want(t, r.member, -1)
	must(t, os.WriteFile(filepath.Join(r.WALDir, "0.wal"), nil, 0o600))
	r.Poll()
	want(t, r.member, size)
}

// A copy of the data dir may have a file of the right size and no blocks.
func TestSparse(t *testing.T) {
	r := newRig(t, false)
	must(t, os.WriteFile(r.member.reserve, nil, 0o600))
	must(t, os.Truncate(r.member.reserve, size))
	want(t, r.member, 0)
	r.Poll()
	want(t, r.member, size)
}

// What cannot be done is said once, and etcd goes on.
func TestCannot(t *testing.T) {
	for name, tc := range map[string]struct {
		arrange func(*rig)
		log     string
	}{
		"not supported": {func(r *rig) { r.allocate = func(*os.File, int64) error { return unix.EOPNOTSUPP } }, "operation not supported"},
		"no blocks":     {func(r *rig) { r.allocate = func(f *os.File, n int64) error { return f.Truncate(n) } }, "does not keep allocated blocks"},
		"quota": {func(r *rig) {
			r.allocate = func(f *os.File, n int64) error { return errors.Join(fallocate(f, n/2), unix.EDQUOT) } // fallocate leaves what it got
		}, "quota exceeded"},
		"directory": {func(r *rig) { _ = os.Mkdir(r.member.reserve, 0o700) }, "not a regular file"},
		"symlink":   {func(r *rig) { _ = os.Symlink("/dev/null", r.member.reserve) }, "not a regular file"},
		"statfs":    {func(r *rig) { r.member.err = unix.EIO }, "input/output error"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, false)
			tc.arrange(r)
			tries, allocate := 0, r.allocate
			r.allocate = func(f *os.File, n int64) error { tries++; return allocate(f, n) }
			for range 3 {
				r.Poll()
			}
			if tries > 1 {
				t.Errorf("tried %d times", tries)
			}
			all := r.logs.All()
			if len(all) != 1 || !strings.Contains(all[0].ContextMap()["error"].(string), tc.log) {
				t.Errorf("logged %v", all)
			}
			if info, err := os.Lstat(r.member.reserve); err == nil && info.Mode().IsRegular() {
				t.Errorf("left %v", info)
			}
			if w := r.Warnings(); len(w) != 0 {
				t.Errorf("warnings %q", w)
			}
		})
	}
}

func TestSpaceOf(t *testing.T) {
	s, err := SpaceOf(t.TempDir())
	if err != nil || s.Total <= 0 || s.Available > s.Total || s.FreeInodes > s.Inodes {
		t.Errorf("%+v, %v", s, err)
	}
	if _, err := SpaceOf("/nowhere"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}
