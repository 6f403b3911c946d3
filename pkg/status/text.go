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
	for i, m := range s.View.Members {
		key := "members"
		if i > 0 {
			key = ""
		}
		row(key, "%s", s.member(m))
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
	case !m.Self:
		is = append(is, "connected")
	}
	if m.Learner && m.Connected && !m.Self {
		// etcd refuses it as long as the learner is behind, so that it can only be early.
		is = append(is, "a voter by: "+failure.Etcdctl("member promote "+shown.Quoted(m.ID), s.values()))
	}
	return fmt.Sprintf("%-16s %-16s %s  %s", m.Name, m.ID, strings.Join(m.PeerURLs, ","), strings.Join(is, ", "))
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
