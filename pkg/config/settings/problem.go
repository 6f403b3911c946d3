package settings

import (
	"slices"
	"strings"

	"github.com/etcd-node/etcd-node/pkg/shown"
)

// Problem is one thing that is wrong with the configuration. Its text has no
// secret in it.
type Problem struct {
	Where string // "ETCD_IP_2", "--name", "/etc/default/etcd:12"; may be ""
	What  string // what is wrong and why
	Hint  string // what to do; may be ""
	// Usage marks a command line that cannot be parsed: an unknown flag, or a
	// value that the flag does not take. etcd exits 2 for these.
	Usage bool
}

func (p *Problem) Error() string {
	s := p.What
	if p.Where != "" {
		s = p.Where + ": " + s
	}
	if p.Hint != "" {
		s += " (" + p.Hint + ")"
	}
	return shown.Redacted(s)
}

// Invalid is the error that lists every problem of a configuration.
type Invalid struct {
	Problems []Problem
	// Notices are what was noticed besides, not part of the error's text: a
	// line without effect may be why something else is missing.
	Notices []string
}

func (e *Invalid) Error() string {
	lines := make([]string, len(e.Problems))
	for i := range e.Problems {
		lines[i] = e.Problems[i].Error()
	}
	return strings.Join(lines, "\n")
}

// Usage reports whether the command line itself is at fault.
func (e *Invalid) Usage() bool {
	return slices.ContainsFunc(e.Problems, func(p Problem) bool { return p.Usage })
}
