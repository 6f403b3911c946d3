package shown

import (
	"strings"
	"unicode/utf8"
)

// Columns is how wide a text is at most, unless a word or a command is wider: the width
// of a terminal that nobody has made wider.
const Columns = 80

// Fold is a line as lines of at most [Columns], each with its end, broken at blanks;
// those after the first begin with hang. What is narrower than hang is no place for a
// break, nor is the gap between two columns.
func Fold(line, hang string) string {
	var b strings.Builder
	for utf8.RuneCountInString(line) > Columns {
		at := lastBlank(line, utf8.RuneCountInString(hang))
		if at < 0 {
			break
		}
		b.WriteString(strings.TrimRight(line[:at], " ") + "\n")
		line = hang + strings.TrimLeft(line[at:], " ")
	}
	return b.String() + strings.TrimRight(line, " ") + "\n"
}

// lastBlank is where a line is to be broken: at the last blank that leaves [Columns],
// or at the first one after them; -1 where there is none.
func lastBlank(line string, from int) int {
	last, column := -1, 0
	for i, r := range line {
		if column > Columns && last >= 0 {
			break
		}
		if r == ' ' && column > from && !strings.HasSuffix(line[:i], " ") {
			last = i
		}
		column++
	}
	return last
}
