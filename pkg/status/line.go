package status

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/etcd-node/etcd-node/pkg/shown"
)

// Line is the status in one line of plain words, for systemd's STATUS= and
// the log:
//
//	joining: 1 of 3 members; waiting for etcd-2 (192.168.122.6: connection refused), etcd-3 (…)
//	serving: follower of etcd-2, 3 of 3 members, restarted 1 time, last: killed by signal 9
//
// It is valid UTF-8 without control characters and never longer than maxLine.
func (s Status) Line() string {
	var b strings.Builder
	b.WriteString(string(s.State))
	b.WriteString(": ")
	if s.Killed {
		return b.String() + "the member was killed and has not ended; is its disk hanging? (dmesg)"
	}
	switch s.State {
	case Joining:
		b.WriteString(s.joining())
	case Serving:
		b.WriteString(s.serving())
	default:
		b.WriteString(s.Reason)
	}
	if s.Silent > 0 {
		fmt.Fprintf(&b, "; nothing heard of the member for %d s (this is what it said last)", s.Silent)
	}
	for _, c := range s.AllConditions() {
		if c.Text != "" {
			b.WriteString("; " + c.Text)
		}
	}
	if s.Errand != "" {
		b.WriteString("; " + s.Errand)
	}
	if s.Restarts > 0 && s.State != Failed && s.State != Stopped {
		fmt.Fprintf(&b, ", restarted %s", shown.Count(s.Restarts, "time"))
		// In Backoff the reason already is how the member ended.
		if s.LastEnd != nil && s.State != Backoff {
			b.WriteString(", last: " + s.LastEnd.Cause)
		}
	}
	return strings.TrimSuffix(OneLine(shown.Text(b.String()), maxLine), ": ")
}

// maxLine is in bytes: a page of text. Nobody reads a longer line, and systemd
// takes twice as much.
const maxLine = 2048

func (s Status) joining() string {
	v := s.View
	switch {
	case v.Progress != "": // the members are not counted yet, even where they are listed
		return v.Progress
	case len(v.Members) == 0:
		return s.Reason
	}
	missing := missing(v.Members)
	out := count(v.Members)
	switch {
	case v.Leader == "" && !v.quorum():
		out += "; waiting for " + missing
	case v.Leader == "":
		out += "; waiting for the election of a leader"
	case v.Learner:
		out += fmt.Sprintf("; learner, catching up with leader %s", v.Leader)
	case !v.Ready:
		out += fmt.Sprintf("; leader is %s, publishing this member", v.Leader)
	}
	// With a quorum a missing member no longer is what this node waits for,
	// unless the operator demands all of them.
	if missing != "" && (v.Leader != "" || v.quorum()) {
		if v.Ready {
			out += "; ETCD_NODE_READY=all waits for " + missing
		} else {
			out += "; missing " + missing
		}
	}
	return out
}

func (s Status) serving() string {
	v := s.View
	var role string
	members := count(v.Members)
	switch {
	case v.Leader == "":
		role = "no leader (writes wait for a quorum)"
	case v.leads() && v.NoQuorum:
		role = "leader that hears no quorum (writes get an error)"
	case v.leads():
		role = "leader"
	case v.Learner:
		role = "learner of " + v.Leader
	default:
		role = "follower of " + v.Leader
	}
	if v.NoQuorum && v.quorum() { // it is not known yet who of them is silent
		members = "fewer than a quorum of " + members[strings.Index(members, " of ")+len(" of "):]
	}
	out := role + ", " + members
	if m := missing(v.Members); m != "" {
		out += "; missing " + m
	}
	if len(v.Alarms) > 0 {
		out += "; alarm " + strings.Join(v.Alarms, ", ")
	}
	return out
}

// count is "1 of 3 members": those that vote and are connected, this one
// included. Learners are counted apart, because no quorum needs them.
func count(members []Member) string {
	var voters, learners tally
	for _, m := range members {
		if m.Learner {
			learners.add(m)
		} else {
			voters.add(m)
		}
	}
	out := voters.of("member")
	if learners.all > 0 {
		out += ", " + learners.of("learner")
	}
	return out
}

// tally counts members of one kind.
type tally struct{ connected, all int }

func (t *tally) add(m Member) {
	t.all++
	if m.Connected {
		t.connected++
	}
}

func (t tally) of(noun string) string {
	return fmt.Sprintf("%d of %s", t.connected, shown.Count(t.all, noun))
}

// missing names the members that are not connected, each with its cause.
func missing(members []Member) string {
	var out []string
	for _, m := range members {
		if m.Connected {
			continue
		}
		name := m.Name
		if name == "" {
			name = strings.Join(m.PeerURLs, ",")
		}
		if m.Cause != "" {
			name += " (" + m.Cause + ")"
		}
		out = append(out, name)
	}
	return strings.Join(out, ", ")
}

// OneLine is a text as one line of valid UTF-8 in at most limit bytes, safe to
// send to systemd and to show on a terminal. Line breaks become "; ", other
// control characters "?". A line that is too long ends with "…" after a word,
// or within one that is longer than half of the line.
func OneLine(text string, limit int) string {
	lines := strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' })
	line := strings.Map(func(r rune) rune { // makes a broken byte a U+FFFD
		if unicode.IsControl(r) {
			return '?'
		}
		return r
	}, strings.Join(lines, "; "))
	if len(line) <= limit {
		return line
	}
	const mark = "…"
	end := limit - len(mark)
	if end < 0 {
		return ""
	}
	for !utf8.RuneStart(line[end]) {
		end--
	}
	if blank := strings.LastIndexByte(line[:end], ' '); blank >= end/2 {
		end = blank + 1
	}
	return line[:end] + mark
}
