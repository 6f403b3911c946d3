package status

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/shown"
)

// columns is how wide a text is at most, unless a word or a command is longer.
const columns = 80

// indent is where the text of a row begins.
const indent = "            "

// fold is a line as lines of at most 80 columns, broken at blanks; those after the
// first begin with hang.
func fold(line, hang string) string {
	var b strings.Builder
	for utf8.RuneCountInString(line) > columns {
		at := lastBlank(line, utf8.RuneCountInString(hang))
		if at < 0 {
			break
		}
		b.WriteString(strings.TrimRight(line[:at], " ") + "\n")
		line = hang + strings.TrimLeft(line[at:], " ")
	}
	return b.String() + strings.TrimRight(line, " ") + "\n"
}

// lastBlank is where a line is to be broken: at the last blank that leaves 80 columns,
// or at the first one after them; -1 where there is none. What is before column from
// is no place for it.
func lastBlank(line string, from int) int {
	last, column := -1, 0
	for i, r := range line {
		if column > columns && last >= 0 {
			break
		}
		// A blank before a blank is a gap between two columns.
		if r == ' ' && column > from && !strings.HasSuffix(line[:i], " ") {
			last = i
		}
		column++
	}
	return last
}

// members are the rows of the members, in columns. What does not fit behind a member
// stands below it.
func (s Status) members() (lines []string) {
	var urls []string
	name, at := 0, 0
	for _, m := range s.View.Members {
		urls = append(urls, strings.Join(m.PeerURLs, ","))
		name, at = max(name, utf8.RuneCountInString(m.Name)), max(at, utf8.RuneCountInString(urls[len(urls)-1]))
	}
	below := strings.Repeat(" ", name+1)
	for i, m := range s.View.Members {
		line := fmt.Sprintf("%-*s %-16s %-*s ", name, m.Name, m.ID, at, urls[i])
		first := true
		for _, word := range s.member(m) {
			switch {
			case first && len(indent)+utf8.RuneCountInString(line+" "+word) <= columns:
				line += " " + word
			case !first && len(indent)+utf8.RuneCountInString(line+", "+word) <= columns:
				line += ", " + word
			default:
				lines = append(lines, strings.TrimRight(line, " "))
				folded := strings.Split(strings.TrimSuffix(fold(indent+below+word, indent+below), "\n"), "\n")
				for j := range folded {
					folded[j] = strings.TrimPrefix(folded[j], indent)
				}
				lines, line = append(lines, folded[:len(folded)-1]...), folded[len(folded)-1]
			}
			first = false
		}
		lines = append(lines, strings.TrimRight(line, " "))
		if m.Learner && m.Connected && !m.Self {
			// etcd refuses it as long as the learner is behind, so that it can only be early.
			lines = append(lines, below+"a voter by: "+failure.Etcdctl("member promote "+shown.Quoted(m.ID), s.values()))
		}
	}
	return lines
}
