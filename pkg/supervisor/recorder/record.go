package recorder

import (
	"fmt"
	"strings"
	"time"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/shown"
	"github.com/etcd-node/etcd-node/pkg/status"
)

// How much of each text is kept. A record of the largest size is still a line
// that fits into an empty file, also after JSON has doubled it by escaping.
const (
	textLimit  = 1 << 10   // a log line, an ID, a version
	causeLimit = 8 << 10   // a reason, a cause: one sentence, or one for each problem of a configuration
	crashLimit = 16 << 10  // as much as the supervisor reads
	linesLimit = 200       // log lines before an end …
	linesBytes = 64 << 10  // … and their size: an ordinary line has 150 bytes
	dumpLimit  = 256 << 10 // about 500 goroutines; the ends of the list are kept
)

// Format is the version of the records. Those of versions before it say none,
// and have the same fields. docs/formats.md has the rules.
const Format = 1

// Kind says what a record is about.
type Kind string

// The kinds.
const (
	Start Kind = "start" // the supervisor started: Format, Version, Boot
	Stop  Kind = "stop"  // the supervisor is about to end: Reason
	State Kind = "state" // the node entered State, for Reason
	Ended Kind = "end"   // the member ended: End
	Dump  Kind = "dump"  // the member hung: Reason, Dump
)

// Record is one event. Only the fields of its Kind are set.
type Record struct {
	// Seq counts records, over all starts and whatever the clock does. It and
	// Lost are filled in when the record is written.
	Seq uint64 `json:"seq"`
	// Time is filled in by Add where it is zero.
	Time time.Time `json:"time"`
	Kind Kind      `json:"kind"`

	// Format and Boot are also in the first record of a file: Format is the
	// version of the records from there on, Boot the machine's BootID.
	Format  int          `json:"format,omitempty"`
	Version string       `json:"version,omitempty"` // of etcd-node
	Boot    string       `json:"boot,omitempty"`
	State   status.State `json:"state,omitempty"`
	Reason  string       `json:"reason,omitempty"`
	End     *End         `json:"end,omitempty"`
	Dump    string       `json:"dump,omitempty"` // goroutines; the middle is left out where it is long

	// Lost is how many records before this one could not be kept.
	Lost int `json:"lost,omitempty"`
	// Back says that the clock was set back: Time is before that of the
	// record before. Filled in by Read.
	Back bool `json:"-"`
}

// End is how the member ended.
type End struct {
	ID     string        `json:"id"` // of the failure, see package failure
	Class  failure.Class `json:"class"`
	Cause  string        `json:"cause"`
	Status int           `json:"status"`           // exit status; -1 where a signal ended it
	Signal int           `json:"signal,omitempty"` // 0: none
	// OOM says that the kernel's OOM killer struck in the unit's cgroup while
	// the member ran; false also where that cannot be known.
	OOM   bool   `json:"oom,omitempty"`
	Crash string `json:"crash,omitempty"` // what the Go runtime wrote
	// Values are the node's own at that time, for [failure.Explain].
	Values map[string]string `json:"values,omitempty"`
	Lines  []string          `json:"lines,omitempty"` // the log's last lines of level warn and above
}

// bounded is a copy of r that shares nothing the caller may change, with texts
// that are fit to be shown and cut to size: JSON at most doubles them.
func (r Record) bounded() Record {
	r = shown.Copy(r)
	r.Version, r.Boot = cut(r.Version, textLimit), cut(r.Boot, textLimit)
	r.State, r.Reason = status.State(cut(string(r.State), textLimit)), cut(r.Reason, causeLimit)
	r.Dump = cut(r.Dump, dumpLimit)
	if e := r.End; e != nil {
		e.ID, e.Class = cut(e.ID, textLimit), failure.Class(cut(string(e.Class), textLimit))
		e.Cause, e.Crash = cut(e.Cause, causeLimit), cut(e.Crash, crashLimit)
		e.Lines = lastLines(e.Lines)
		for k, v := range e.Values {
			e.Values[k] = cut(v, causeLimit)
		}
	}
	return r
}

// size is about what r takes in memory.
func (r Record) size() int {
	n := 256 + len(r.Version) + len(r.Boot) + len(r.Reason) + len(r.Dump)
	if r.End != nil {
		n += 256 + len(r.End.Cause) + len(r.End.Crash)
		for _, l := range r.End.Lines {
			n += 16 + len(l)
		}
		for k, v := range r.End.Values {
			n += 32 + len(k) + len(v)
		}
	}
	return n
}

// lastLines are the newest lines, within the limits.
func lastLines(lines []string) []string {
	var t tail
	for _, l := range lines {
		t.add(cut(l, textLimit))
	}
	return t.lines
}

// cut leaves out the middle of a text that is longer than limit bytes.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	head, tail, end := whole(s[:limit/2], s[len(s)-limit/2:])
	left := len(s) - len(head) - len(tail)
	return strings.ToValidUTF8(fmt.Sprintf("%s%s… %d bytes left out …%s%s", head, end, left, end, tail), "?")
}

// whole takes what is torn off the two ends of a text whose middle is left
// out: a line; a word where the lines are long; nothing where the words are,
// too. end is what ends them.
func whole(head, tail string) (_, _, end string) {
	for _, end := range []string{"\n", " "} {
		i, j := strings.LastIndex(head, end), strings.Index(tail, end)
		if i > len(head)/2 && j >= 0 && j < len(tail)/2 {
			return head[:i], tail[j+1:], end
		}
	}
	return head, tail, " "
}
