package settings

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
)

// Change is a setting that differs between two configurations.
type Change struct {
	Name     string // etcd's flag, or the variable of one of etcd-node's own
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
	followsURL = "at the restart after etcd-node ctl member update: it listens for peers as the data says"
	peerURLs   = "none: there is data, and it says where this member is; etcd-node ctl member update changes that"
	noEffect   = "none"
)

// Diff lists what other would change. Where the data dir of r holds a member,
// what only a first start reads has no effect.
func (r *Resolved) Diff(other *Resolved) (changes []Change) {
	a, b := r.byName(), other.byName()
	all := maps.Clone(a)
	maps.Copy(all, b)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		from, to := a[name], b[name]
		if slices.EqualFunc(from, to, func(x, y Setting) bool { return x.Value == y.Value }) {
			continue
		}
		c := Change{Name: name, From: printable(from), To: printable(to), Effect: effect(name, r.HasData)}
		if name == "listen-peer-urls" && r.HasData && r.Derived(name) && other.Derived(name) && sameButScheme(c.From, c.To) {
			c.Effect = followsURL
		}
		if len(to) > 0 {
			c.Origin = to[0].origin()
		} else {
			c.Origin = "was " + from[0].origin()
		}
		changes = append(changes, c)
	}
	return changes
}

// Reach is how far a change goes in a daemon that runs.
type Reach int

// The reaches, the farthest last.
const (
	ToNothing Reach = iota // it has no effect, now or later
	ToLevel                // the level of the log, which changes at once
	ToMember               // the member has to be restarted
	ToAnother              // it would be another member than the one that lives here
)

// Reach says how far a change of a configuration goes; hasData: it has a member.
func (c Change) Reach(hasData bool) Reach {
	switch {
	case hasData && slices.Contains([]string{"name", "data-dir", "wal-dir", "initial-cluster-token"}, c.Name):
		return ToAnother
	case c.Name == "log-level":
		return ToLevel
	case c.Name == "initial-cluster": // the member compares it with the cluster
		return ToMember
	case c.Effect == noEffect, c.Effect == tooLate, c.Effect == peerURLs:
		return ToNothing
	}
	return ToMember
}

// sameButScheme reports whether lists of URLs differ in nothing but their
// schemes.
func sameButScheme(a, b string) bool {
	plain := func(s string) string { return strings.ReplaceAll(s, "https://", "http://") }
	return plain(a) == plain(b)
}

func (r *Resolved) byName() map[string][]Setting {
	m := make(map[string][]Setting)
	for _, s := range slices.Concat(r.Settings, r.Own) {
		m[s.Name] = append(m[s.Name], s)
	}
	return m
}

func printable(settings []Setting) string {
	var list []string
	for _, s := range settings {
		list = append(list, s.Shown())
	}
	return strings.Join(list, ", ")
}

// effect says what a change of a setting does, and when.
func effect(name string, hasData bool) string {
	switch {
	case name == "v2-deprecation", name == "discovery-fallback", name == "logger", name == "ETCD_NODE_ENV_FILE", name == "ETCD_NODE_UNIT", slices.Contains(Ignored, name):
		return noEffect
	case name == "heartbeat-interval", name == "election-timeout":
		return onAllHosts
	case hasData && (name == "data-dir" || name == "wal-dir"):
		return otherDir
	case hasData && name == "initial-advertise-peer-urls":
		return peerURLs
	case !strings.HasPrefix(name, "initial-") && !strings.HasPrefix(name, "discovery-"), name == "initial-election-tick-advance":
		return atRestart
	case hasData:
		return tooLate
	}
	return atFirst
}

// Ignored are the flags that etcd's main accepts and passes over. Package
// etcdflags holds this list against etcd's.
var Ignored = []string{
	"cluster-active-size", "cluster-remove-delay", "cluster-sync-interval", "config", "force",
	"max-result-buffer", "max-retry-attempts", "peer-heartbeat-interval", "peer-election-timeout",
	"retry-interval", "snapshot", "v", "vv", "test.coverprofile", "test.outputdir",
}

// Deprecated are the flags of which etcd's main warns, and its words. Package
// etcdflags holds them against etcd's.
var Deprecated = map[string]string{
	"max-snapshots":  "--max-snapshots is deprecated in 3.6 and will be decommissioned in 3.8.",
	"v2-deprecation": "--v2-deprecation is deprecated and scheduled for removal in v3.8. The default value is enforced, ignoring user input.",
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
