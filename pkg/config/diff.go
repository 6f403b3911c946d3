package config

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// Change is a setting that differs between two configurations.
type Change struct {
	Name     string // etcd's flag, or the variable of one of ours
	From, To string // "" where it is not set: etcd's default; secrets are redacted
	Origin   string // of To, or of From where To is not set
	Effect   string // when it counts, "at the next restart"
}

// What a change does, and when.
const (
	atRestart  = "at the next restart"
	onAllHosts = "at the next restart; the same on all members"
	atFirst    = "at the first start"
	tooLate    = "none: there is data, and only a first start reads it"
	otherDir   = "at the next restart, in another directory: stop, move the data there, start"
	peerURLs   = "none: there is data, and it says where this member is; etcdctl member update changes that"
	noEffect   = "none"
)

// Diff lists what other would change. Where the data dir of r holds a member,
// what only a first start reads has no effect.
func (r *Resolved) Diff(other *Resolved) (changes []Change) {
	a, b := byName(r), byName(other)
	names := sorted(a)
	for name := range b {
		if _, both := a[name]; !both {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, func(x, y string) int { return cmp.Compare(x, y) })
	for _, name := range names {
		from, to := a[name], b[name]
		if slices.EqualFunc(from, to, func(x, y Setting) bool { return x.Value == y.Value }) {
			continue
		}
		c := Change{Name: name, From: values(from), To: values(to), Effect: effect(name, r.HasData)}
		if len(to) > 0 {
			c.Origin = to[0].origin()
		} else {
			c.Origin = "was " + from[0].origin()
		}
		changes = append(changes, c)
	}
	return changes
}

func byName(r *Resolved) map[string][]Setting {
	m := make(map[string][]Setting)
	for _, s := range slices.Concat(r.etcds(), r.own) {
		m[s.Name] = append(m[s.Name], s)
	}
	return m
}

func values(settings []Setting) string {
	var list []string
	for _, s := range settings {
		list = append(list, s.shown())
	}
	return join(list)
}

// effect says what a change of a setting does, and when.
func effect(name string, hasData bool) string {
	switch name {
	case "initial-cluster", "initial-cluster-token", "initial-cluster-state", "discovery-endpoints", "discovery-srv", "discovery-srv-name",
		"discovery-token", "discovery-user", "discovery-password", "discovery-cert", "discovery-key", "discovery-cacert",
		"discovery-dial-timeout", "discovery-request-timeout", "discovery-keepalive-time", "discovery-keepalive-timeout",
		"discovery-insecure-transport", "discovery-insecure-skip-tls-verify":
		if hasData {
			return tooLate
		}
		return atFirst
	case "initial-advertise-peer-urls":
		if hasData {
			return peerURLs
		}
		return atFirst
	case "data-dir", "wal-dir":
		if hasData {
			return otherDir
		}
	case "heartbeat-interval", "election-timeout":
		return onAllHosts
	case "v2-deprecation", "discovery-fallback", "logger", "ETCD_NODE_ENV_FILE":
		return noEffect
	}
	if f := newTable().Lookup(name); f != nil && isIgnored(f) {
		return noEffect
	}
	return atRestart
}

// WriteDiff prints changes as an aligned table.
func WriteDiff(w io.Writer, changes []Change) error {
	if len(changes) == 0 {
		_, err := fmt.Fprintln(w, "nothing would change")
		return err
	}
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "SETTING\tNOW\tTHEN\tEFFECT\tORIGIN")
	for _, c := range changes {
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\n", c.Name, cell(c.From), cell(c.To), c.Effect, c.Origin)
	}
	return tw.Flush()
}

// cell is a value in a table.
func cell(value string) string {
	if value == "" {
		return "(default)"
	}
	return strings.NewReplacer("\t", " ", "\n", " ", "\r", " ").Replace(value)
}
