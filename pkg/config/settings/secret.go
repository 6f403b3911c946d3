package settings

import (
	"strings"

	"github.com/etcd-node/etcd-node/pkg/shown"
)

// Redacted stands where a secret would.
const Redacted = "(redacted)"

// Secret reports whether s must not be in argv, in a log, or printed as it is.
func (s Setting) Secret() bool { return s.password() || shown.Redacted(s.Value) != s.Value }

// password reports whether all of the value is secret.
func (s Setting) password() bool {
	switch s.Name {
	case "discovery-password":
		return true
	case "discovery-user": // "user:password"
		return strings.Contains(s.Value, ":")
	}
	return false
}

// Shown is the value as it may be printed.
func (s Setting) Shown() string {
	if s.password() {
		return Redacted
	}
	return shown.Redacted(s.Value)
}
