package recorder

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// logPipe is a log pipe with both ends in this process; lines closes the
// member's end and reads what it has written.
func logPipe(t testing.TB) (w *LineWriter, lines func() []string) {
	t.Helper()
	r, f, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); f.Close() })
	if w, err = NewLineWriter(f); err != nil {
		t.Fatal(err)
	}
	return w, func() []string {
		f.Close()
		return LastLines(r)
	}
}

func TestLastLines(t *testing.T) {
	number := func(from, to int) (lines []string) {
		for i := from; i < to; i++ {
			lines = append(lines, fmt.Sprint("line ", i))
		}
		return lines
	}
	long := strings.Repeat("x", 3*textLimit)
	for name, tc := range map[string]struct {
		text string
		want []string
	}{
		"nothing":           {"", nil},
		"few":               {"a\nb\n", []string{"a", "b"}},
		"cut off at a kill": {"a\nb", []string{"a", "b"}},
		"many":              {strings.Join(number(0, 5*linesLimit), "\n"), number(4*linesLimit, 5*linesLimit)},
		"long":              {"a\n" + long + "\nb\n" + long, []string{"a", long[:textLimit] + "…", "b", long[:textLimit] + "…"}},
		"garbage":           {"\x00\xff\n\n\n{]\n", []string{"\x00\xff", "{]"}},
	} {
		if got := LastLines(strings.NewReader(tc.text)); !slices.Equal(got, tc.want) {
			t.Errorf("%s: %d lines %.100q, want %d", name, len(got), got, len(tc.want))
		}
	}
	if got := LastLines(io.MultiReader(strings.NewReader("a\n"), iotest{})); !slices.Equal(got, []string{"a"}) {
		t.Errorf("after an error: %q", got)
	}
}

type iotest struct{}

func (iotest) Read([]byte) (int, error) { return 0, errors.New("broken") }

// However long a member lives, and whatever it writes, the supervisor holds no
// more than a record takes.
func TestTailIsBounded(t *testing.T) {
	var all tail
	for i := range 10_000 {
		all.add(strings.Repeat("x", i%textLimit))
	}
	size := 0
	for _, l := range all.lines[:cap(all.lines)][:len(all.lines)] {
		size += len(l)
	}
	if size != all.size || size > linesBytes || len(all.lines) > linesLimit || len(all.lines) < 50 {
		t.Errorf("%d lines of %d bytes, counted as %d", len(all.lines), size, all.size)
	}
}

func TestLongLineIsCut(t *testing.T) {
	w, lines := logPipe(t)
	long := []byte(strings.Repeat("ä", textLimit))
	w.write(long)
	w.write([]byte("two\nlines"))
	l := lines()
	if len(l) != 2 || !strings.HasSuffix(l[0], "ä…") && !strings.HasSuffix(l[0], "\xc3…") || len(l[0]) > textLimit || l[1] != "two lines" {
		t.Errorf("%q", l)
	}
	if string(long) != strings.Repeat("ä", textLimit) {
		t.Error("the caller's line was changed")
	}
}

// A supervisor that does not read, because it is frozen or gone, does not stop
// the member. When it reads again it learns how much it has missed.
func TestFrozenSupervisor(t *testing.T) {
	r, f, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	w, err := NewLineWriter(f)
	if err != nil {
		t.Fatal(err)
	}
	size, err := unix.FcntlInt(f.Fd(), unix.F_SETPIPE_SZ, LogPipeSize)
	if err != nil || unix.SetNonblock(int(f.Fd()), true) != nil { // Fd has switched it off
		t.Fatal(err)
	}
	line := []byte(strings.Repeat("x", 150))
	const lines = 5000
	for range lines { // hangs where a write waits
		w.write(line)
	}
	if _, err := io.CopyN(io.Discard, r, int64(size/2)); err != nil {
		t.Fatal(err)
	}
	w.write([]byte("heard again"))
	f.Close()
	rest, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Split(strings.TrimSpace(string(rest)), "\n")
	var lost int
	if _, err := fmt.Sscanf(all[len(all)-2], "(lost before this one, because the supervisor did not read: %d lines", &lost); err != nil || all[len(all)-1] != "heard again" {
		t.Fatalf("%q, %v", all[len(all)-2:], err)
	}
	if kept, fit := lines-lost, size/(len(line)+1); kept < fit*9/10 || kept > fit {
		t.Errorf("%d lines fit into %d bytes, %d were taken", fit, size, kept)
	}
	r.Close()
	w.write(line) // nor does it die of a supervisor that is gone
}

// Lines of several goroutines stay whole.
func TestConcurrentLines(t *testing.T) {
	w, lines := logPipe(t)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 20 {
				w.write([]byte(strings.Repeat(fmt.Sprint(i), 200)))
			}
		})
	}
	wg.Wait()
	l := lines()
	if len(l) != 160 {
		t.Errorf("%d lines", len(l))
	}
	for _, line := range l {
		if line != strings.Repeat(line[:1], 200) {
			t.Errorf("torn: %q", line)
		}
	}
}
