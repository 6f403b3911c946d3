package terminal

import (
	"os"
	"regexp"
	"strings"
)

// HasColor reports whether a file is a terminal whose user wants colour: NO_COLOR
// (no-color.org) and TERM=dumb say no.
func HasColor(f *os.File) bool {
	return os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && Is(f)
}

// The colours, of those that all terminals have.
const (
	red    = "\x1b[31m"
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	plain  = "\x1b[0m"
)

// paints are what stands out in the text of a status, and of a check: the first that fits a line
// counts.
var paints = []struct {
	what   *regexp.Regexp
	color  string
	goesOn bool // in the lines that are folded off a long one
}{
	{regexp.MustCompile(`^[^ ][^:]*: serving: (no leader|leader that hears no quorum)[^;,]*`), red, false},
	{regexp.MustCompile(`^[^ ][^:]*: (backoff|failed|stopped)`), red, false},
	{regexp.MustCompile(`^[^ ][^:]*: serving`), green, false},
	{regexp.MustCompile(`^[^ ][^:]*: (starting|joining|restarting|stopping)`), yellow, false},
	{regexp.MustCompile(`^problem `), red, false},
	{regexp.MustCompile(`^warning `), yellow, false},
	{regexp.MustCompile(`^ok `), green, false},
	{regexp.MustCompile(`^  alarm .*`), red, true},
	{regexp.MustCompile(`^  warning .*`), yellow, true},
	{regexp.MustCompile(`not connected|EXPIRED|\bin [^:]*: renew NOW`), red, false},
	{regexp.MustCompile(`^ +slow: .*`), yellow, false},
	{regexp.MustCompile(`\bin [^:]*: renew soon`), yellow, false},
}

// Paint colours the text of a status.
func Paint(text string) string {
	lines := strings.SplitAfter(text, "\n")
	folded := "" // the color of a row that goes on
	for i, line := range lines {
		if folded != "" && strings.HasPrefix(line, "            ") {
			lines[i] = folded + strings.TrimSuffix(line, "\n") + plain + "\n"
			continue
		}
		folded = ""
		for _, p := range paints {
			if at := p.what.FindStringIndex(strings.TrimSuffix(line, "\n")); at != nil {
				if p.goesOn {
					folded = p.color
				}
				lines[i] = line[:at[0]] + p.color + line[at[0]:at[1]] + plain + line[at[1]:]
				break
			}
		}
	}
	return strings.Join(lines, "")
}
