package status

import (
	"cmp"
	"fmt"
	"maps"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/shown"
)

// Text is the status in several lines, for a person at a terminal.
func (s Status) Text(now time.Time) string {
	var b strings.Builder
	name := cmp.Or(s.View.Name, s.Values["name"], "this node") // before its name is found
	fmt.Fprintf(&b, "%s: %s\n", OneLine(name, maxLine), s.Line())
	row := func(key, format string, args ...any) {
		text := strings.ReplaceAll(fmt.Sprintf(format, args...), "\n", "\n            ")
		fmt.Fprintf(&b, "  %-9s %s\n", key, text)
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
		row(key, "%s", line)
	}
	for _, a := range s.View.Alarms {
		row("alarm", "%s", a)
	}
	for _, c := range s.AllConditions() {
		if c.Text != "" {
			row("warning", "%s", c.Text)
		}
		row("explained", "%s", failure.ForUnit("etcd-node explain "+shown.Quoted(c.ID), s.Values))
	}
	elections := "elections"
	if off := s.View.ElectionsOff; off != "" {
		row(elections, "off (%s)", off)
		elections = "" // a start may have asked for one all the same
	}
	if e := s.View.Elections; e != (Elections{}) {
		row(elections, "%d asked for without waiting, %s, %s; %s, %s", e.Campaigns,
			shown.Count(e.Deaths, "dead leader"), shown.Count(e.Silent, "silent host"), shown.Count(e.Deceived, "deception"), shown.Count(e.Doubts, "doubt"))
	}
	if r := s.View.Requests; r != (Requests{}) {
		row("requests", "%d lost with a leader and ended, which may have been carried out or not", r.Ended)
	}
	for i, c := range s.Certificates {
		key := "expires"
		if i > 0 {
			key = ""
		}
		row(key, "%s", c.text(now))
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
				row("next", "%s", n)
			}
		}
	}
	for _, n := range s.Notices {
		row("notice", "%s", n)
	}
	return b.String()
}

// text is "in 364 days  /etc/etcd/etcd.crt (cert-file, peer-cert-file)".
func (c Certificate) text(now time.Time) string {
	left, when := c.NotAfter.Sub(now), ""
	switch days := int(left.Hours() / 24); {
	case left <= 0:
		when = "EXPIRED"
	case days < 2:
		when = fmt.Sprintf("in %d h", int(left.Hours()))
	default:
		when = fmt.Sprintf("in %d days", days)
	}
	return fmt.Sprintf("%-12s %s (%s)", when, c.File, strings.Join(c.Settings, ", "))
}

// members are the rows of the members, in columns.
func (s Status) members() (lines []string) {
	var names, urls []string
	name, at := 0, 0
	for _, m := range s.View.Members {
		names = append(names, m.Name)
		urls = append(urls, strings.Join(m.PeerURLs, ","))
		name, at = max(name, utf8.RuneCountInString(m.Name)), max(at, utf8.RuneCountInString(urls[len(urls)-1]))
	}
	for i, m := range s.View.Members {
		lines = append(lines, strings.TrimRight(fmt.Sprintf("%-*s %-16s %-*s  %s", name, names[i], m.ID, at, urls[i], s.member(m)), " "))
	}
	return lines
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

func (s Status) member(m Member) string {
	var is []string
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
		is = append(is, "not connected: "+m.Cause)
	case !m.Connected:
		is = append(is, "not connected")
	case !m.Self && m.RoundTrip > 0:
		is = append(is, fmt.Sprintf("connected %.1f ms", m.RoundTrip*1000))
	case !m.Self:
		is = append(is, "connected")
	}
	if m.Version != "" && m.Version != s.own() {
		is = append(is, "etcd "+m.Version)
	}
	if m.Learner && m.Connected && !m.Self {
		// etcd refuses it as long as the learner is behind, so that it can only be early.
		is = append(is, "a voter by: "+failure.Etcdctl("member promote "+shown.Quoted(m.ID), s.values()))
	}
	return strings.Join(is, ", ")
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
