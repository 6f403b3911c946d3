package config

import (
	"errors"
	"flag"
	"io/fs"
	"regexp"
	"strconv"
	"syscall"

	"github.com/etcd-node/etcd-node/pkg/config/etcdflags"
	"github.com/etcd-node/etcd-node/pkg/config/settings"
)

// An env file is often an old shell snippet. systemd expands nothing in it, so
// "$(hostname -s)" arrives as these very characters. Two commands of the
// snippet ask for exactly what etcd-node finds by itself, and are taken as the
// wish for it. Any other shell syntax is an error where it cannot be meant
// literally: in addresses, names, URLs, cluster lists, tokens, numbers, and in
// paths unless there is such a file. In passwords and the rest "$" is a
// character like any other.
var (
	shellSyntax = regexp.MustCompile("[$][({A-Za-z_]|`")

	// In a path a "$" before a letter may be a character, but not at its start.
	pathSyntax = regexp.MustCompile("[$][({]|`|^[$]")

	// $(hostname -s), also by path, in backticks, with quotes left over.
	hostNameCommand = regexp.MustCompile("^[\"']?(?:[$][(]|`)\\s*(?:/\\S*/)?hostname\\s+(?:-s|--short)\\s*[)`][\"']?$")

	// $(ip addr show eth0 | …); the name of the interface is group 1. What
	// stands behind the first pipe only cuts the address out.
	addressCommand = regexp.MustCompile("^[\"']?(?:[$][(]|`)\\s*(?:/\\S*/)?ip(?:\\s+-\\S+)*" +
		"\\s+a(?:d|dd|ddr|ddre|ddres|ddress)?(?:\\s+(?:show|sh|list|ls)(?:\\s+(?:dev\\s+)?([A-Za-z0-9_.:@-]+))?)?" +
		"\\s*(?:[|].*)?[)`][\"']?$")
)

// asksHostName reports whether a value is the snippet's $(hostname -s).
func asksHostName(value string) bool { return hostNameCommand.MatchString(value) }

// asksAddress reports whether a value is the snippet's $(ip addr show IFACE …),
// and which interface it names, "" for none.
func asksAddress(value string) (iface string, ok bool) {
	m := addressCommand.FindStringSubmatch(value)
	if m == nil {
		return "", false
	}
	return m[1], true
}

// plain holds the flags of strings that are names or addresses; those of URLs
// are told by their type.
var plain = map[string]bool{
	"name": true, "initial-cluster": true, "initial-cluster-token": true, "host-whitelist": true,
	"discovery-endpoints": true, "discovery-srv": true, "discovery-srv-name": true,
}

// shellProblem returns the problem of a value of f that holds shell syntax
// where it cannot be legal; nil if there is none.
func shellProblem(f *flag.Flag, s settings.Setting) *settings.Problem {
	if !shellSyntax.MatchString(s.Value) || !etcdflags.IsURLs(f) && !plain[f.Name] {
		return nil
	}
	hint := "write the value itself"
	switch f.Name {
	case "name":
		hint = "remove the line: the short host name is found without it; or write the name itself"
	case "initial-cluster":
		hint = "remove the line and give ETCD_1=NAME and ETCD_IP_1=ADDRESS, ETCD_2=… for each member; or write the list itself"
	}
	p := shellIn(s.Value, hint)
	p.Where = s.Source
	return p
}

func shellIn(value, hint string) *settings.Problem {
	return &settings.Problem{What: "shell syntax in " + strconv.Quote(value) + "; systemd runs no command and expands no variable there", Hint: hint}
}

// pathProblem returns the problem of a path that was written for a shell: etcd
// would make a directory of that very name. nil if there is none, or if the
// path exists.
func (l *Loaded) pathProblem(s settings.Setting) *settings.Problem {
	for _, path := range s.Paths() {
		if !pathSyntax.MatchString(path) {
			continue
		}
		if _, err := l.in.Host.Stat(path); errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
			p := shellIn(path, "write the path itself")
			p.Where = s.Source
			return p
		}
	}
	return nil
}
