package recorder

import (
	"encoding/binary"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func newRing(t testing.TB) *Ring {
	t.Helper()
	r, err := NewRing()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// writer opens the ring as the member does, through a descriptor of its own.
func (r *Ring) writer(t testing.TB) *RingWriter {
	t.Helper()
	fd, err := unix.Dup(int(r.f.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	w, err := OpenRing(uintptr(fd))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Munmap(w.mem) })
	return w
}

func TestRingKeepsTheLast(t *testing.T) {
	r := newRing(t)
	if l := r.Lines(); len(l) != 0 {
		t.Errorf("a new ring holds %q", l)
	}
	w := r.writer(t)
	for i := range 3*slots + 7 {
		w.write(fmt.Appendf(nil, "line %d", i))
	}
	l := r.Lines()
	if len(l) != slots || l[0] != fmt.Sprint("line ", 2*slots+7) || l[slots-1] != fmt.Sprint("line ", 3*slots+6) {
		t.Errorf("%d lines from %q to %q", len(l), l[0], l[len(l)-1])
	}
	// A second process goes on where the first ended.
	r.writer(t).write([]byte("next"))
	if l := r.Lines(); len(l) != slots || l[slots-1] != "next" || l[0] != fmt.Sprint("line ", 2*slots+8) {
		t.Errorf("%d lines from %q to %q", len(l), l[0], l[len(l)-1])
	}
	if err := r.Reset(); err != nil {
		t.Fatal(err)
	}
	if l := r.Lines(); len(l) != 0 {
		t.Errorf("a reset ring holds %q", l)
	}
	r.writer(t).write([]byte("first"))
	if l := r.Lines(); !slices.Equal(l, []string{"first"}) {
		t.Errorf("after the reset: %q", l)
	}
}

func TestLongLineIsCut(t *testing.T) {
	r := newRing(t)
	w := r.writer(t)
	long := []byte(strings.Repeat("ä", slotSize))
	w.write(long)
	w.write([]byte("short"))
	l := r.Lines()
	if len(l) != 2 || !strings.HasSuffix(l[0], "…") || len(l[0]) > slotSize || l[1] != "short" {
		t.Errorf("%q", l)
	}
	if string(long) != strings.Repeat("ä", slotSize) {
		t.Error("the caller's line was changed")
	}
}

// TestTornLine cuts the writing of a slot off at every byte: that line is lost
// or whole, never a mixture, and no other is touched.
func TestTornLine(t *testing.T) {
	before, after := make([]byte, slotSize), make([]byte, slotSize)
	putSlot(before, 3, []byte("what stood there before, longer than its successor"))
	copy(after, before)
	putSlot(after, 3+slots, []byte("the successor"))
	for n := range slotSize + 1 {
		mixed := append(after[:n:n], before[n:]...)
		if _, line, ok := getSlot(mixed); ok && line != "the successor" && !strings.HasPrefix(line, "what") {
			t.Errorf("cut after %d bytes: %q", n, line)
		}
	}
	if _, line, ok := getSlot(after); !ok || line != "the successor" {
		t.Errorf("%q, %v", line, ok)
	}
}

// TestLineInAnothersPlace: a copy of a line is not a second line.
func TestLineInAnothersPlace(t *testing.T) {
	r := newRing(t)
	w := r.writer(t)
	w.write([]byte("once"))
	copy(w.mem[9*slotSize:], w.mem[slotSize:2*slotSize])
	if l := r.Lines(); !slices.Equal(l, []string{"once"}) {
		t.Errorf("%q", l)
	}
}

func TestOpenRingRefusesOtherFiles(t *testing.T) {
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(ringSize); err != nil {
		t.Fatal(err)
	}
	unsealed, err := unix.MemfdCreate("", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(unsealed)
	if err := unix.Ftruncate(unsealed, ringSize); err != nil {
		t.Fatal(err)
	}
	for _, fd := range []uintptr{f.Fd(), uintptr(unsealed), 987} {
		if _, err := OpenRing(fd); err == nil {
			t.Errorf("took descriptor %d", fd)
		}
	}
}

// TestMemberCannotShrink: else the next line would kill it.
func TestMemberCannotShrink(t *testing.T) {
	if err := newRing(t).File().Truncate(100); err == nil {
		t.Error("the ring was shrunk")
	}
}

func TestWriteAllocates(t *testing.T) {
	w := newRing(t).writer(t)
	line := []byte("a line")
	if n := testing.AllocsPerRun(100, func() { w.write(line) }); n != 0 {
		t.Errorf("%v allocations a line", n)
	}
}

func FuzzRing(f *testing.F) {
	f.Add([]byte("garbage"), uint32(2100), uint64(1))
	f.Add(binary.LittleEndian.AppendUint64(nil, 1<<63), uint32(3*slotSize), uint64(1))
	f.Fuzz(func(t *testing.T, junk []byte, at uint32, first uint64) {
		const lines = 5
		mem := make([]byte, ringSize)
		first = max(1, min(first, 1<<63))
		for i := range uint64(lines) {
			s := first + i
			putSlot(mem[s%slots*slotSize:][:slotSize], s, fmt.Append(nil, "line ", s))
		}
		junk = junk[:min(len(junk), ringSize)]
		from := int(at) % (ringSize - len(junk) + 1)
		copy(mem[from:], junk)
		got := getSlots(func(i int, slot []byte) bool {
			copy(slot, mem[i*slotSize:])
			return true
		})
		found := map[uint64]string{}
		for _, n := range got {
			found[n.seq] = n.line
		}
		for i := range uint64(lines) {
			s := first + i
			begin := int(s % slots * slotSize)
			if (from+len(junk) <= begin || from >= begin+slotSize) && found[s] != fmt.Sprint("line ", s) {
				t.Fatalf("junk at %d hides line %d", from, s)
			}
		}
	})
}
