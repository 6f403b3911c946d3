package config

import (
	"flag"
	"regexp"
	"strconv"
	"strings"

	"github.com/etcd-node/etcd-node/pkg/config/etcdflags"
	"github.com/etcd-node/etcd-node/pkg/config/settings"
)

// commentBehind is what a comment behind a value looks like.
var commentBehind = regexp.MustCompile(`\s#`)

// mistypedProblem returns the problem of a name, an address or a URL with
// something in it that cannot belong there and that systemd leaves there: a
// comment, a quote, a blank at an end; nil if there is no such thing.
func mistypedProblem(f *flag.Flag, s settings.Setting) *settings.Problem {
	if !etcdflags.IsURLs(f) && !plain[f.Name] {
		return nil
	}
	what, hint := mistyped(s.Value)
	if f.Name == "name" && what == "" && strings.ContainsAny(s.Value, ",= \t\n") {
		what, hint = "holds a blank, \",\" or \"=\"", "write a name of letters, digits and dashes"
	}
	if what == "" {
		return nil
	}
	return &settings.Problem{Where: s.Source, What: strconv.Quote(s.Value) + " " + what, Hint: hint}
}

// mistyped says what in a value cannot have been meant, and the way out.
func mistyped(value string) (what, hint string) {
	switch {
	case commentBehind.MatchString(value):
		return "holds a \"#\": behind a value it does not begin a comment", "give the comment a line of its own"
	case strings.ContainsAny(value, `"'`):
		return "holds a quote", "put the whole value in quotes, or none of it"
	case strings.ContainsAny(value, "\r\n"):
		return "holds the end of a line", "close the quote on the line on which it begins, and write the value on one line"
	case value != strings.TrimSpace(value):
		return "begins or ends with a blank", "take the blank out of the quotes"
	}
	return "", ""
}
