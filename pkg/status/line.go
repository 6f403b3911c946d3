package status

import (
	"fmt"
	"strings"

	"github.com/etcd-node/etcd-node/pkg/shown"
)

// Line is the status in one line of plain words, for systemd's STATUS= and
// the log:
//
//	joining: 1 of 3 members; waiting for etcd-2 (192.168.122.6: connection refused), etcd-3 (…)
//	serving: follower of etcd-2, 3 of 3 members, restarted 1 time, last: killed by signal 9
//
// It is valid UTF-8 without line breaks and never longer than systemd takes.
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
	for _, c := range s.AllConditions() {
		if c.Text != "" {
			b.WriteString("; " + c.Text)
		}
	}
	if s.Restarts > 0 && s.State != Failed && s.State != Stopped {
		fmt.Fprintf(&b, ", restarted %s", times(s.Restarts))
		// In Backoff the reason already is how the member ended.
		if s.LastEnd != nil && s.State != Backoff {
			b.WriteString(", last: " + s.LastEnd.Cause)
		}
	}
	return strings.TrimSuffix(oneLine(shown.Text(b.String())), ": ")
}

// maxLine is in bytes. systemd drops a datagram of more than 4096, and nobody
// reads a line of more than half of that.
const maxLine = 2048

func (s Status) joining() string {
	v := s.View
	if len(v.Members) == 0 {
		if v.Progress != "" {
			return v.Progress
		}
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
	switch {
	case v.Leader == "":
		role = "no leader (writes wait for a quorum)"
	case v.Leader == v.Name || v.Leader == v.MemberID:
		role = "leader"
	case v.Learner:
		role = "learner of " + v.Leader
	default:
		role = "follower of " + v.Leader
	}
	out := role + ", " + count(v.Members)
	if m := missing(v.Members); m != "" {
		out += "; missing " + m
	}
	if len(v.Alarms) > 0 {
		out += "; alarm " + strings.Join(v.Alarms, ", ")
	}
	return out
}

// count is "1 of 3 members": those connected, this one included.
func count(members []Member) string {
	n := 0
	for _, m := range members {
		if m.Connected {
			n++
		}
	}
	noun := "members"
	if len(members) == 1 {
		noun = "member"
	}
	return fmt.Sprintf("%d of %d %s", n, len(members), noun)
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

func times(n int) string {
	if n == 1 {
		return "1 time"
	}
	return fmt.Sprintf("%d times", n)
}

// oneLine keeps a line break in a cause from becoming a second assignment in
// an sd_notify datagram, and the datagram from being dropped.
func oneLine(s string) string {
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\r' || r == 0 }), "; ")
	if len(s) > maxLine {
		s = s[:maxLine-len("…")]
		return strings.ToValidUTF8(s, "") + "…"
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}
