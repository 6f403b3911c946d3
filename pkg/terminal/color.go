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
	what  *regexp.Regexp
	color string
}{
	{regexp.MustCompile(`^[^ ][^:]*: serving: (no leader|leader that hears no quorum)[^;,]*`), red},
	{regexp.MustCompile(`^[^ ][^:]*: (backoff|failed|stopped)`), red},
	{regexp.MustCompile(`^[^ ][^:]*: serving`), green},
	{regexp.MustCompile(`^[^ ][^:]*: (starting|joining|restarting|stopping)`), yellow},
	{regexp.MustCompile(`^problem `), red},
	{regexp.MustCompile(`^warning `), yellow},
	{regexp.MustCompile(`^ok `), green},
	{regexp.MustCompile(`^  alarm .*`), red},
	{regexp.MustCompile(`^  warning .*`), yellow},
	{regexp.MustCompile(`not connected.*|EXPIRED`), red},
	{regexp.MustCompile(`^ +slow: .*`), yellow},
	{regexp.MustCompile(`\bin ([0-9]|[12][0-9]) days|\bin [0-9]+ h\b`), yellow},
}

// Paint colours the text of a status.
func Paint(text string) string {
	lines := strings.SplitAfter(text, "\n")
	for i, line := range lines {
		for _, p := range paints {
			if at := p.what.FindStringIndex(strings.TrimSuffix(line, "\n")); at != nil {
				lines[i] = line[:at[0]] + p.color + line[at[0]:at[1]] + plain + line[at[1]:]
				break
			}
		}
	}
	return strings.Join(lines, "")
}
