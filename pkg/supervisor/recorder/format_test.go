package recorder

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/status"
)

// Records from before formats had numbers, as a daemon has written them.
func TestRecordsOfFormat0(t *testing.T) {
	raw, err := os.ReadFile("testdata/recorder-0.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	put(t, dir, currentName, raw)
	recs := read(t, dir)
	if len(recs) != 11 || recs[0].Kind != Start || recs[4].End.Signal != 9 || len(recs[4].End.Lines) != 2 || recs[4].End.Values["name"] != "etcd-1" {
		t.Fatalf("%d records: %+v", len(recs), recs)
	}
	p := Look(dir)
	if e := p.LastEnd(); p.CutOff() || p.Boot == "" || e == nil || e.ID != failure.IDKilled || e.Over.IsZero() {
		t.Errorf("%+v, %+v", p, e)
	}
	// This version goes on behind them.
	record(t, dir, Record{Kind: Start, Version: "next"}, state("a"))
	recs = read(t, dir)
	if last := recs[len(recs)-1]; len(recs) != 13 || last.Seq != 13 || recs[11].Format != Format {
		t.Errorf("%d records, the last %+v", len(recs), last)
	}
}

// Records of a later version are read as far as this one knows them, and stay
// where they are when this one writes.
func TestRecordsOfLaterFormat(t *testing.T) {
	later := `{"seq":7,"time":"2027-01-01T00:00:00Z","kind":"start","format":2,"version":"9.0","boot":"b","host":{"name":"x"}}
{"seq":8,"time":"2027-01-01T00:00:01Z","kind":"backup","reason":"taken","size":17}
{"seq":9,"time":"2027-01-01T00:00:02Z","kind":"state","state":{"name":"serving"},"reason":"another type"}
{"seq":10,"time":"2027-01-01T00:00:03Z","kind":"end","end":{"id":"new-fault","cause":"something new","status":"killed","lines":["last words"],"tree":[1]}}
`
	dir := t.TempDir()
	put(t, dir, currentName, []byte(later))
	r := opened(dir, "8.0")
	if err := r.Close(time.Minute); err != nil {
		t.Fatal(err)
	}
	if past := r.Past(); past.End.End == nil || past.End.End.ID != failure.IDMachineDown { // it did not say Stop, and the boot is another
		t.Errorf("%+v", past.End)
	}
	raw, err := os.ReadFile(filepath.Join(dir, currentName))
	if err != nil || !strings.HasPrefix(string(raw), later) {
		t.Errorf("%s, %v", raw, err)
	}
	var text strings.Builder
	for _, r := range read(t, dir) {
		text.WriteString(r.Text())
	}
	for _, want := range []string{
		"etcd-node 9.0 started, boot b", "a later version of etcd-node wrote what follows", "backup: taken", "another type",
		"new-fault: something new\n    last words\n", "machine-down: ", "etcd-node 8.0 started",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in\n%s", want, text.String())
		}
	}
}

// hostile does something to a terminal, and is a secret.
const hostile = "\x1b[2K\r\u009b2J http://u:secretpw@h"

// Nothing in a record acts on a terminal, whoever has written it: control
// characters are taken out on the way to the file, and again on the way back.
func TestRecordsCannotControlTheTerminal(t *testing.T) {
	rec := Record{
		Seq: 1, Kind: Ended, Reason: hostile, Version: hostile, Boot: hostile, State: hostile, Dump: hostile,
		End: &End{ID: hostile, Class: hostile, Cause: hostile, Crash: hostile, Lines: []string{hostile}, Values: map[string]string{"name": hostile, hostile: "x"}},
	}
	check := func(what, text string) {
		t.Helper()
		for _, c := range []string{"\x1b", "\r", "\u009b", "\\u001b", "\\r", "secretpw"} {
			if strings.Contains(text, c) {
				t.Errorf("%s has %q: %q", what, c, text)
			}
		}
	}
	dir := t.TempDir()
	record(t, dir, rec)
	raw, err := os.ReadFile(filepath.Join(dir, currentName))
	if err != nil {
		t.Fatal(err)
	}
	check("the file", string(raw))
	if raw, err = json.Marshal(rec); err != nil {
		t.Fatal(err)
	}
	put(t, dir, currentName, raw)
	for _, r := range append(read(t, dir), Look(dir).End) {
		line, err := encode(r)
		if err != nil {
			t.Fatal(err)
		}
		check("what is read", string(line))
		check("what is printed", r.Text())
	}
}

// The values of an end are cut and counted, as all else is.
func TestValuesAreBounded(t *testing.T) {
	values := map[string]string{"endpoints": strings.Repeat("x", 10*causeLimit)}
	r := Record{Kind: Ended, End: &End{Values: values}}.bounded()
	if n := len(r.End.Values["endpoints"]); n > 2*causeLimit || r.size() < n {
		t.Errorf("%d bytes, counted as %d", n, r.size())
	}
	if len(values["endpoints"]) != 10*causeLimit {
		t.Error("the caller's values were changed")
	}
}

// A daemon that starts says how the one before ended, if that could not.
func TestOpen(t *testing.T) {
	dir := t.TempDir()
	open := func() Past {
		t.Helper()
		r := opened(dir, "1.0")
		if err := r.Close(time.Minute); err != nil { // without Stop
			t.Fatal(err)
		}
		return r.Past()
	}
	if past := open(); past.LastEnd() != nil || past.ClockNotice(time.Now()) != "" {
		t.Errorf("out of nothing: %+v", past)
	}
	past := open()
	if e := past.LastEnd(); e == nil || e.ID != failure.IDDaemonKilled || !e.Over.IsZero() || time.Since(e.Time) > time.Minute {
		t.Errorf("after a kill: %+v", e)
	}
	if n := past.ClockNotice(time.Now().Add(-time.Hour)); !strings.Contains(n, "the clock is behind") {
		t.Errorf("the clock: %q", n)
	}
	Refused(dir, "1.1", failure.New(failure.IDConfiguration, "why"), time.Minute)
	past = open()
	if e := past.LastEnd(); e == nil || e.ID != failure.IDConfiguration || past.CutOff() {
		t.Errorf("after a refusal: %+v", e)
	}
	kinds := ""
	for _, r := range read(t, dir) {
		kinds += string(r.Kind) + " "
	}
	if kinds != "start end start start end stop start " {
		t.Error(kinds)
	}
}

// opened is the recorder of a daemon that starts.
func opened(dir, version string) *Recorder {
	r := New("", zap.NewNop())
	r.Open(dir, version)
	return r
}

// TestHomeless: what is recorded before it is known where follows the start. A
// second directory is not taken, and none after it was given up.
func TestHomeless(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	r, none := New("", zap.NewNop()), New("", zap.NewNop())
	for _, r := range []*Recorder{r, none} {
		r.Add(Record{Kind: State, Reason: "early"})
	}
	if err := r.Retry(); err != nil || !r.Homeless() || !none.Homeless() {
		t.Errorf("before: %v", err)
	}
	r.Open(dir, "1.0")
	r.Open(other, "1.0")
	none.GiveUp()
	none.Open(other, "1.0")
	for _, r := range []*Recorder{r, none} {
		r.GiveUp() // nothing where there is a directory
		r.Add(Record{Kind: State, Reason: "late"})
		if err := r.Close(time.Minute); err != nil || r.Homeless() {
			t.Error(err)
		}
	}
	said := ""
	for _, r := range read(t, dir) {
		said += string(r.Kind) + " " + r.Reason + ";"
		if r.Back {
			t.Errorf("its time is before that of the last one: %+v", r)
		}
	}
	if said != "start ;state early;state late;" {
		t.Error(said)
	}
	if files, err := os.ReadDir(other); err != nil || len(files) > 0 {
		t.Errorf("written to another directory: %v, %v", files, err)
	}
}

// One that was told to stop is at fault for nothing; what follows it may be.
func TestTold(t *testing.T) {
	dir := t.TempDir()
	r := opened(dir, "1.0")
	r.Add(Record{Kind: State, State: status.Stopped, Reason: "stopped as told"})
	r.Add(Record{Kind: Stop})
	if err := r.Close(time.Minute); err != nil {
		t.Fatal(err)
	}
	if !Look(dir).Told() {
		t.Error("it was told to")
	}
	Refused(dir, "1.0", failure.New(failure.IDConfiguration, "why"), time.Minute)
	if Look(dir).Told() {
		t.Error("a start that was refused since passes for a stop")
	}
}
