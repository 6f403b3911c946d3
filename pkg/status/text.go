package status

import (
	"cmp"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/shown"
)

// Text is the status in several lines, for a person at a terminal.
func (s Status) Text(now time.Time) string {
	var b strings.Builder
	name := cmp.Or(s.View.Name, s.Values["name"], "this node") // before its name is found
	// It stays one line, whatever its length: people look for words in it with head and grep.
	fmt.Fprintf(&b, "%s: %s\n", OneLine(name, maxLine), s.Line())
	row := func(key, format string, args ...any) {
		for line := range strings.SplitSeq(fmt.Sprintf(format, args...), "\n") {
			b.WriteString(shown.Fold(fmt.Sprintf("  %-9s %s", key, line), indent))
			key = ""
		}
	}
	// A command is one line, however long: it is there to be pasted.
	command := func(key, text string) {
		fmt.Fprintf(&b, "  %-9s %s\n", key, strings.ReplaceAll(text, "\n", "\n"+indent))
	}
	row("since", "%s (%s)", s.Since.Format(time.DateTime), ago(now, s.Since))
	if s.View.ClusterID != "" {
		row("cluster", "%s, this member %s", s.View.ClusterID, s.View.MemberID)
	}
	s.numbers(row)
	for i, line := range s.members() {
		key := "members"
		if i > 0 {
			key = ""
		}
		command(key, line) // in columns already
	}
	for _, a := range s.View.Alarms {
		row("alarm", "%s", a)
	}
	for _, c := range s.AllConditions() {
		if c.Text != "" {
			row("warning", "%s", c.Text)
		}
		command("explained", failure.ForUnit("etcd-node explain "+shown.Quoted(c.ID), s.Values))
	}
	elections := "elections"
	if off := s.View.ElectionsOff; off != "" {
		row(elections, "off (%s)", off)
		elections = "" // a start may have asked for one all the same
	}
	if e := s.View.Elections; e != (Elections{}) {
		row(elections, "%s", e)
	}
	if r := s.View.Requests; r != (Requests{}) {
		row("requests", "%d lost with a leader and ended: carried out or not, nobody knows", r.Ended)
	}
	left := 0
	for _, c := range s.Certificates {
		left = max(left, len(c.left(now)))
	}
	for i, c := range s.Certificates {
		key := "expires"
		if i > 0 {
			key = ""
		}
		row(key, "%-*s  %s (%s)", left, c.left(now), c.File, strings.Join(c.Settings, ", "))
	}
	if s.Found != "" {
		row("found", "%s", strings.ReplaceAll(s.Found, "; ", "\n"))
	}
	if s.MemberPID != 0 {
		row("process", "%d, supervised by %d", s.MemberPID, s.PID)
	}
	if e := s.LastEnd; e != nil {
		row("last end", "%s: %s", ago(now, e.Time), e.Cause)
		if !e.Over.IsZero() {
			row("", "%s", e.Since())
		} else {
			for _, n := range e.Next {
				command("next", n)
			}
		}
	}
	for _, n := range s.Notices {
		row("notice", "%s", n)
	}
	return b.String()
}

// String is "1 asked for without waiting: 1 dead leader".
func (e Elections) String() string {
	text := fmt.Sprintf("%d asked for without waiting", e.Campaigns)
	var why []string
	for _, x := range []struct {
		n    int
		what string
	}{{e.Deaths, "dead leader"}, {e.Silent, "silent host"}, {e.Deceived, "deception"}, {e.Doubts, "doubt"}} {
		if x.n > 0 {
			why = append(why, shown.Count(x.n, x.what))
		}
	}
	if len(why) > 0 {
		text += ": " + strings.Join(why, ", ")
	}
	return text
}

// Who looks at a status once a month sees a certificate that ends within a month; a
// week is what a renewal by hand takes where others hold the CA.
const (
	renewSoon = 30
	renewNow  = 7
)

// left is "in 364 days".
func (c Certificate) left(now time.Time) string {
	left := c.NotAfter.Sub(now)
	switch days := int(left.Hours() / 24); {
	case left <= 0:
		return "EXPIRED"
	case days < 2:
		return fmt.Sprintf("in %d h: renew NOW", int(left.Hours()))
	case days < renewNow:
		return fmt.Sprintf("in %d days: renew NOW", days)
	case days < renewSoon:
		return fmt.Sprintf("in %d days: renew soon", days)
	default:
		return fmt.Sprintf("in %d days", days)
	}
}

// own is the version of this node's etcd.
func (s Status) own() string {
	for _, m := range s.View.Members {
		if m.Self {
			return m.Version
		}
	}
	return ""
}

// member is what there is to say of one, the most important first.
func (s Status) member(m Member) (is []string) {
	if m.Self {
		is = append(is, "this node")
	}
	if m.Name != "" && m.Name == s.View.Leader {
		is = append(is, "leader")
	}
	if m.Learner {
		is = append(is, "learner")
	}
	switch {
	case !m.Connected && m.Cause != "":
		is = append(is, "not connected", m.Cause)
	case !m.Connected:
		is = append(is, "not connected")
	case !m.Self && m.RoundTrip > 0:
		is = append(is, fmt.Sprintf("%.1f ms", m.RoundTrip*1000))
	case !m.Self:
		is = append(is, "connected")
	}
	if m.Version != "" && m.Version != s.own() {
		is = append(is, "etcd "+m.Version)
	}
	return is
}

// values are the node's, for a command that the cluster is to take.
func (s Status) values() failure.Values {
	v := failure.Values{}
	maps.Copy(v, s.Values)
	if s.View.Auth {
		v["auth"] = "true"
	}
	return v
}

// ago is how long ago t was, in one unit.
func ago(now, t time.Time) string {
	d := now.Sub(t)
	switch {
	case d < time.Second:
		return "just now"
	case d < time.Minute:
		return fmt.Sprintf("%d s ago", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min ago", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h ago", int(d.Hours()))
	default: // of 48 hours and more, so never "1 days"
		return fmt.Sprintf("%d days ago", int(d.Hours()/24))
	}
}
