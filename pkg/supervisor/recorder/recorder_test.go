package recorder

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
	"golang.org/x/sys/unix"

	"github.com/etcd-node/etcd-node/pkg/status"
)

func state(reason string) Record { return Record{Kind: State, State: status.Joining, Reason: reason} }

// record adds the records with a recorder of its own and fails the test on errors.
func record(t *testing.T, dir string, recs ...Record) {
	t.Helper()
	r := New(dir, zap.NewNop())
	for _, rec := range recs {
		r.Add(rec)
	}
	if err := r.Close(time.Minute); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, dir string) []Record {
	t.Helper()
	recs, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	return recs
}

// reasons are what the records say, and whether their numbers ascend by one.
func reasons(recs []Record) (list []string, ascending bool) {
	ascending = true
	for i, r := range recs {
		list = append(list, r.Reason)
		ascending = ascending && r.Seq == recs[0].Seq+uint64(i)
	}
	return list, ascending
}

func poll(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("timed out: ", what)
		}
	}
}

func TestRecordsSurviveTheirRecorder(t *testing.T) {
	dir := t.TempDir()
	goroutines := runtime.NumGoroutine()
	end := Record{Kind: Ended, End: &End{ID: "killed", Class: "transient", Cause: "killed by signal 9", Status: -1, Signal: 9, OOM: true, Lines: []string{"warn <slow>"}}}
	record(t, dir, Record{Kind: Start, Version: "1.0", Boot: BootID()}, state("a"), end)
	record(t, dir, Record{Kind: Start, Version: "1.1"}, state("b"))
	recs := read(t, dir)
	if list, ascending := reasons(recs); strings.Join(list, ",") != ",a,,,b" || !ascending || recs[0].Seq != 1 {
		t.Errorf("%q, ascending %v, first %d", list, ascending, recs[0].Seq)
	}
	p := Look(dir)
	if last := p.End; last.Seq != 3 || last.End == nil || last.End.Signal != 9 || !last.End.OOM || last.End.Lines[0] != "warn <slow>" {
		t.Errorf("last end: %+v", last)
	}
	if p.Last.Reason != "b" || !p.Over.IsZero() || !p.CutOff() || p.Boot != "" {
		t.Errorf("%+v", p)
	}
	if recs[0].Boot == "" {
		t.Error("no boot ID")
	}
	poll(t, "the writers end", func() bool { return runtime.NumGoroutine() <= goroutines })
}

func TestGroupMayRead(t *testing.T) {
	defer unix.Umask(unix.Umask(0o077)) // as in the unit
	dir := t.TempDir()
	record(t, dir, state("a"))
	info, err := os.Stat(filepath.Join(dir, currentName))
	if err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

// warned is a recorder whose warnings are kept.
func warned(dir string) (*Recorder, *observer.ObservedLogs) {
	core, warnings := observer.New(zap.WarnLevel)
	return New(dir, zap.New(core)), warnings
}

// TestDirectoryComesLater: a directory that is not there is a warning once, the
// records wait for it, and another outage is another warning.
func TestDirectoryComesLater(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "log")
	r, warnings := warned(dir)
	add := func(reason string) {
		r.Add(state(reason))
		r.settle()
	}
	for i := range 5 {
		add(fmt.Sprint(i))
	}
	if w := warnings.All(); len(w) != 1 || !strings.Contains(fmt.Sprint(w[0].ContextMap()), "no such file") || !strings.Contains(fmt.Sprint(w[0].ContextMap()), "cannot-record") {
		t.Errorf("warned %v, want once", w)
	}
	if err := r.Retry(); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what is in the way is %v", err)
	}
	r.settle()
	if err := os.Mkdir(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	_ = r.Retry() // which still says why the try before failed
	r.settle()
	if err := r.Retry(); err != nil {
		t.Errorf("nothing is in the way any more, and it says %v", err)
	}
	if list, ascending := reasons(read(t, dir)); strings.Join(list, "") != "01234" || !ascending {
		t.Errorf("tried again without a new record: %q, %v", list, ascending)
	}
	add("5")
	if list, ascending := reasons(read(t, dir)); strings.Join(list, "") != "012345" || !ascending {
		t.Errorf("%q, %v", list, ascending)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	add("6")
	add("7")
	if n := warnings.Len(); n != 2 {
		t.Errorf("warned %d times, want 2", n)
	}
	if err := r.Close(time.Minute); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "not written: 2 records") {
		t.Errorf("closed with %v", err)
	}
	r.Add(state("8"))
	if len(r.queue) != 2 {
		t.Error("added after the end")
	}
}

// Records that are written, but not safe from a power loss, are not tried again.
// That must not be shown for months.
func TestRetryWithoutRecords(t *testing.T) {
	r := New(t.TempDir(), zap.NewNop())
	r.failing = os.ErrInvalid
	if err := r.Retry(); err != nil {
		t.Errorf("nothing is left to be written, and it says %v", err)
	}
}

// settle waits until no writer runs.
func (r *Recorder) settle() {
	r.mu.Lock()
	w := r.writing
	r.mu.Unlock()
	if w != nil {
		<-w
	}
}

// TestQueueIsBounded: what a disk does not take for days costs bounded memory,
// the newest records stay, and the loss is counted.
func TestQueueIsBounded(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "log")
	r := New(dir, zap.NewNop())
	const n = 300
	for i := range n {
		r.Add(Record{Kind: Ended, Reason: fmt.Sprint(i), End: &End{Crash: strings.Repeat("x", 10_000)}})
	}
	r.settle()
	r.mu.Lock()
	size := 0
	for _, q := range r.queue {
		size += q.size()
	}
	r.mu.Unlock()
	if size > queueLimit {
		t.Errorf("%d bytes wait, more than %d", size, queueLimit)
	}
	if err := os.Mkdir(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	_ = r.Close(time.Minute) // returns the first error
	recs := read(t, dir)
	if len(recs) < 10 || recs[0].Lost+len(recs) != n || recs[len(recs)-1].Reason != fmt.Sprint(n-1) {
		t.Errorf("%d records, %d lost, last %q", len(recs), recs[0].Lost, recs[len(recs)-1].Reason)
	}
}

// TestHangingDisk: a disk that never answers stops neither Add nor Close.
func TestHangingDisk(t *testing.T) {
	r := New(t.TempDir(), zap.NewNop())
	r.writing = make(chan struct{}) // a writer that never comes back
	for range 10_000 {
		r.Add(state("waiting"))
	}
	if err := r.Close(10 * time.Millisecond); err == nil || !strings.Contains(err.Error(), "not answered") {
		t.Error(err)
	}
}

func TestFullDisk(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root, to mount a small file system")
	}
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Skip("cannot mount: ", err)
	}
	defer unix.Unmount(dir, unix.MNT_DETACH)
	r, warnings := warned(dir)
	for i := range 40 { // 40 × 4 KB do not fit
		r.Add(Record{Kind: Ended, Reason: fmt.Sprint(i), End: &End{Crash: strings.Repeat("x", 4000)}})
		r.settle()
	}
	if err := r.Retry(); warnings.Len() != 1 || !errors.Is(err, unix.ENOSPC) {
		t.Errorf("warned %v; %v", warnings.All(), err)
	}
	r.settle()
	if n := len(read(t, dir)); n < 5 || n >= 20 {
		t.Errorf("%d records on the full disk", n)
	}
	if err := unix.Mount("", dir, "", unix.MS_REMOUNT, "size=4m"); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(time.Minute); err != nil {
		t.Error(err)
	}
	recs := read(t, dir)
	if _, ascending := reasons(recs); len(recs) != 40 || !ascending {
		t.Errorf("%d records, ascending %v: the torn one must be there once, whole", len(recs), ascending)
	}
}

func TestRotation(t *testing.T) {
	dir := t.TempDir()
	r := New(dir, zap.NewNop())
	const n = 2000
	for i := range n {
		r.Add(Record{Kind: Ended, Reason: fmt.Sprint(i), End: &End{Crash: strings.Repeat("x\n", 1000)}})
		r.settle()
	}
	if err := r.Close(time.Minute); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 {
		t.Fatalf("%v, %v", entries, err)
	}
	for _, e := range entries {
		if info, err := e.Info(); err != nil || info.Size() > fileLimit || info.Mode().Perm() != fileMode {
			t.Errorf("%s: %v, %v", e.Name(), info, err)
		}
	}
	recs := read(t, dir)
	if _, ascending := reasons(recs); !ascending || len(recs) < 300 || recs[len(recs)-1].Seq != n {
		t.Errorf("%d records, ascending %v", len(recs), ascending)
	}
}

// TestBounds: the largest record fits, keeps the ends of its dump, and cannot
// play tricks on the terminal of the one who reads it.
func TestBounds(t *testing.T) {
	dir := t.TempDir()
	worst := strings.Repeat("\"\u2028\x1b[31m\xff", dumpLimit/10)
	lines := make([]string, 1000)
	for i := range lines {
		lines[i] = fmt.Sprintf("%d %s", i, worst[:2000])
	}
	record(t, dir, Record{Kind: Dump, Reason: worst, Dump: "goroutine 1\n" + worst + worst + "\nlast"},
		Record{Kind: Ended, End: &End{Cause: worst, Crash: worst, Lines: lines}})
	recs := read(t, dir)
	if len(recs) != 2 {
		t.Fatalf("%d records", len(recs))
	}
	d := recs[0].Dump
	if !strings.HasPrefix(d, "goroutine 1\n") || !strings.HasSuffix(d, "\nlast") || !strings.Contains(d, "bytes left out") || len(d) > dumpLimit+100 {
		t.Errorf("dump of %d bytes: %.30q … %q", len(d), d, d[len(d)-30:])
	}
	if strings.ContainsAny(d, "\x1b\ufffd") {
		t.Error("control characters")
	}
	got := recs[1].End.Lines
	if len(got) < 50 || len(got) > linesLimit || !strings.HasPrefix(got[len(got)-1], "999 ") {
		t.Errorf("%d lines, last %.20q", len(got), got[len(got)-1])
	}
	if n := len(strings.Join(got, "")); n > linesBytes+len(got)*50 {
		t.Errorf("%d bytes of lines", n)
	}
	if len(lines[999]) < 2000 {
		t.Error("the caller's lines were changed")
	}
}

// TestCutBetween: a configuration with twenty problems is kept; of a text that
// is too long whole lines are left, of a long line whole words.
func TestCutBetween(t *testing.T) {
	list := func(n int, end string) string {
		var all []string
		for i := range n {
			all = append(all, fmt.Sprintf("problem %d: %s", i, strings.Repeat("0123456789 ", 30)))
		}
		return strings.Join(all, end)
	}
	if s := list(20, "\n"); cut(s, causeLimit) != s {
		t.Errorf("cut: %s", cut(s, causeLimit))
	}
	for _, end := range []string{"\n", " "} {
		s := list(100, end)
		got := cut(s, causeLimit)
		head, rest, _ := strings.Cut(got, end+"… ")
		count, tail, ok := strings.Cut(rest, " bytes left out …"+end)
		left, err := strconv.Atoi(count)
		if !ok || err != nil || left != len(s)-len(head)-len(tail) || left > len(s)-causeLimit+1000 {
			t.Errorf("left out %q, %v: %s", count, err, got)
		}
		if !strings.HasPrefix(s, head+end) || !strings.HasSuffix(s, end+tail) {
			t.Errorf("torn: %s", got)
		}
	}
	if got, want := cut(strings.Repeat("x", 30), 10), "xxxxx … 20 bytes left out … xxxxx"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestLinkIsNotFollowed(t *testing.T) {
	dir, target := t.TempDir(), filepath.Join(t.TempDir(), "target")
	if err := os.Symlink(target, filepath.Join(dir, currentName)); err != nil {
		t.Fatal(err)
	}
	r := New(dir, zap.NewNop())
	r.Add(state("a"))
	if err := r.Close(time.Minute); err == nil {
		t.Error("no error")
	}
	if _, err := os.Stat(target); err == nil {
		t.Error("followed a link")
	}
}
