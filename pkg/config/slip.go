package config

import (
	"flag"
	"regexp"
	"strconv"
	"strings"
)

// commentBehind is what a comment behind a value looks like.
var commentBehind = regexp.MustCompile(`\s#`)

// slipProblem returns the problem of a value that holds what systemd leaves in
// it and no name, address or URL can hold: a comment, a quote, a blank at an
// end; nil if there is none.
func slipProblem(f *flag.Flag, s Setting) *Problem {
	if !isURLs(f) && !plain[f.Name] {
		return nil
	}
	what, hint := slip(s.Value)
	if f.Name == "name" && what == "" && strings.ContainsAny(s.Value, ",= \t\n") {
		what, hint = "holds a blank, \",\" or \"=\"", "write a name of letters, digits and dashes"
	}
	if what == "" {
		return nil
	}
	return &Problem{Where: s.Source, What: strconv.Quote(s.Value) + " " + what, Hint: hint}
}

// slip says what in a value looks like a slip of the pen, and the way out.
func slip(value string) (what, hint string) {
	switch {
	case commentBehind.MatchString(value):
		return "holds a \"#\": behind a value it is no comment", "give the comment a line of its own"
	case strings.ContainsAny(value, `"'`):
		return "holds a quote", "put the whole value in quotes, or none of it"
	case value != strings.TrimSpace(value):
		return "begins or ends with a blank", "take the blank out of the quotes"
	}
	return "", ""
}
