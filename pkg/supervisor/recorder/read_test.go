package recorder

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/etcd-node/etcd-node/pkg/status"
)

func put(t testing.TB, dir, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// sample is a file of records with what disturbs a reader in their texts.
func sample(t testing.TB) []byte {
	var b bytes.Buffer
	for i, r := range []Record{
		{Kind: Start, Version: "1.0"},
		state("line\nend, {\"seq\":7,\"kind\":\"state\"} and \"quotes\\"),
		{Kind: Ended, End: &End{ID: "killed", Crash: "panic: …"}},
		state("last"),
	} {
		r.Seq, r.Time = uint64(i+1), time.Date(2026, 1, 1, 0, 0, i, 0, time.UTC)
		line, err := encode(r)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(line)
	}
	return b.Bytes()
}

func TestTruncatedAnywhere(t *testing.T) {
	dir, all := t.TempDir(), sample(t)
	for n := range len(all) + 1 {
		put(t, dir, currentName, all[:n])
		// A record is whole with its closing brace; the end of line is extra.
		want := bytes.Count(append(all[:n:n], all[n:min(n+1, len(all))]...), []byte("\n"))
		if n == len(all) {
			want = 4
		}
		if got := len(read(t, dir)); got != want {
			t.Fatalf("%d of %d bytes: %d records, want %d", n, len(all), got, want)
		}
		// The next one stands alone, and goes on counting; a torn one's number
		// is not used again.
		if n%20 == 0 {
			record(t, dir, state("next"))
			recs := read(t, dir)
			if last := recs[len(recs)-1]; len(recs) != want+1 || last.Reason != "next" || last.Seq != uint64(min(want+1, 4))+1 && last.Seq != uint64(want+1) {
				t.Fatalf("after %d bytes: %d records, the next is %+v", n, len(recs), last)
			}
			data, err := os.ReadFile(filepath.Join(dir, currentName))
			lines := bytes.Split(bytes.TrimSpace(data), []byte("\n"))
			if err != nil || !json.Valid(lines[len(lines)-1]) {
				t.Fatalf("after %d bytes the next is not on a line of its own: %s, %v", n, lines[len(lines)-1], err)
			}
		}
	}
}

func TestGarbage(t *testing.T) {
	dir, all := t.TempDir(), sample(t)
	lines := bytes.SplitAfter(all, []byte("\n"))
	for name, junk := range map[string]string{
		"zeros":            strings.Repeat("\x00", 5000),
		"binary":           "\xff\xfe\n\x01\x02\n",
		"too long":         strings.Repeat("x", fileLimit+10) + "\n",
		"another format":   "{\"a\":1}\n[]\nnull\n\n",
		"half a record":    string(lines[1][:len(lines[1])/2]),
		"half and an end":  string(lines[1][:len(lines[1])/2]) + "\n",
		"without a number": "{\"seq\":0,\"kind\":\"state\"}\n{\"seq\":-1}\n{\"seq\":1}\n",
	} {
		for at := range len(lines) {
			var b bytes.Buffer
			for i, l := range lines {
				if i == at {
					b.WriteString(junk)
				}
				b.Write(l)
			}
			put(t, dir, currentName, b.Bytes())
			if recs := read(t, dir); len(recs) != 4 {
				t.Errorf("%s before line %d: %d records, want 4", name, at, len(recs))
			}
		}
	}
}

func TestNothingToRead(t *testing.T) {
	dir := t.TempDir()
	for _, d := range []string{dir, filepath.Join(dir, "missing")} {
		if recs, err := Read(d); len(recs) != 0 || err != nil {
			t.Errorf("%v, %v", recs, err)
		}
		if p := Look(d); p.End.End != nil || p.CutOff() || p.ClockBack(time.Now()) {
			t.Errorf("a past out of nothing: %+v", p)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, currentName), 0o700); err != nil {
		t.Fatal(err)
	}
	put(t, dir, previousName, sample(t))
	if recs, err := Read(dir); len(recs) != 4 || err == nil {
		t.Errorf("a directory for a file: %d records, %v", len(recs), err)
	}
}

func TestClockBack(t *testing.T) {
	dir := t.TempDir()
	noon := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	at := func(h int, reason string) Record {
		r := state(reason)
		r.Time = noon.Add(time.Duration(h) * time.Hour)
		return r
	}
	record(t, dir, at(0, "a"), at(2, "b"), at(1, "c"), at(3, "d"))
	var marks string
	for _, r := range read(t, dir) {
		marks += r.Reason
		if r.Back {
			marks += "!"
		}
	}
	if marks != "abc!d" { // in the order of writing
		t.Error(marks)
	}
	p := Look(dir)
	if !p.ClockBack(noon) || !p.Last.Time.Equal(noon.Add(3*time.Hour)) {
		t.Error(p.Last)
	}
	if p.ClockBack(noon.Add(4 * time.Hour)) {
		t.Error("the clock is not behind")
	}
}

// The last end is over when the member has served since, and not before; a supervisor that ends says so.
func TestLook(t *testing.T) {
	ended := func(id string) Record { return Record{Kind: Ended, End: &End{ID: id}} }
	in := func(s status.State) Record { return Record{Kind: State, State: s} }
	start := Record{Kind: Start, Boot: "1"}
	for _, tc := range []struct {
		records []Record
		end     string
		over    bool
		cutOff  bool
	}{
		{[]Record{start, in(status.Serving), {Kind: Stop}}, "", false, false},
		{[]Record{start, in(status.Serving), ended("a"), in(status.Backoff), in(status.Joining)}, "a", false, true},
		{[]Record{start, ended("a"), {Kind: Stop}, start, in(status.Joining), in(status.Serving), in(status.Stopping), {Kind: Stop}}, "a", true, false},
		{[]Record{start, ended("a"), in(status.Serving), ended("b")}, "b", false, true},
	} {
		dir := t.TempDir()
		record(t, dir, tc.records...)
		p := Look(dir)
		id := ""
		if p.End.End != nil {
			id = p.End.End.ID
		}
		if id != tc.end || p.Over.IsZero() == tc.over || p.CutOff() != tc.cutOff || p.Boot != "1" {
			t.Errorf("%+v: %+v", tc, p)
		}
	}
}

func TestRotatedWhileReading(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, currentName, sample(t))
	if err := os.Link(filepath.Join(dir, currentName), filepath.Join(dir, previousName)); err != nil {
		t.Fatal(err)
	}
	if n := len(read(t, dir)); n != 4 {
		t.Errorf("%d records, want each once", n)
	}
}

func FuzzRead(f *testing.F) {
	all := sample(f)
	f.Add([]byte("\x00\x00{\"seq\":1"), 0)
	f.Add([]byte("\"}"), 150)
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, junk []byte, at int) {
		// Junk before: whatever it is, whole records behind it are found.
		put(t, dir, currentName, append(append(junk[:len(junk):len(junk)], '\n'), all...))
		recs := read(t, dir)
		if len(recs) < 4 || recs[len(recs)-1].Reason != "last" {
			t.Fatalf("%d records behind %q", len(recs), junk)
		}
		// Junk over it: what it does not touch is found.
		if at < 0 || len(junk) > len(all) || at > len(all)-len(junk) {
			return
		}
		damaged := bytes.Clone(all)
		copy(damaged[at:], junk)
		put(t, dir, currentName, damaged)
		found := map[string]bool{}
		for _, r := range read(t, dir) {
			if r.Seq == 0 || r.Kind == "" {
				t.Fatalf("not a record: %+v", r)
			}
			line, err := encode(r)
			if err != nil {
				t.Fatal(err)
			}
			found[string(line)] = true
		}
		begin := 0
		for _, line := range bytes.SplitAfter(all, []byte("\n")) {
			end := begin + len(line)
			if len(line) > 0 && (at+len(junk) <= begin || at >= end) && !found[string(line)] {
				t.Fatalf("%q at %d hides %q", junk, at, line)
			}
			begin = end
		}
	})
}

// Which boot it was is known for as long as there are records of it, however
// many have come since the supervisor started.
func TestBootOutlivesRotation(t *testing.T) {
	dir := t.TempDir()
	r := New(dir, zap.NewNop())
	r.Add(Record{Kind: Start, Boot: "1"})
	rotated := func() bool {
		b, err := os.ReadFile(filepath.Join(dir, previousName))
		return err == nil && !bytes.Contains(b, []byte(`"kind":"start"`))
	}
	for deadline := time.Now().Add(time.Minute); !rotated(); {
		r.Add(Record{Kind: State, State: "serving", Reason: strings.Repeat("x", causeLimit)}) // where it is full it is behind
		if time.Now().After(deadline) {
			t.Fatal("the file of the start is still there")
		}
	}
	if err := r.Close(10 * time.Second); err != nil {
		t.Fatal(err)
	}
	if p := Look(dir); p.Boot != "1" {
		t.Errorf("boot %q", p.Boot)
	}
}
