package status

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/shown"
)

// indent is where the text of a row begins.
const indent = "            "

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
			case first && len(indent)+utf8.RuneCountInString(line+" "+word) <= shown.Columns:
				line += " " + word
			case !first && len(indent)+utf8.RuneCountInString(line+", "+word) <= shown.Columns:
				line += ", " + word
			default:
				lines = append(lines, strings.TrimRight(line, " "))
				folded := strings.Split(strings.TrimSuffix(shown.Fold(indent+below+word, indent+below), "\n"), "\n")
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
