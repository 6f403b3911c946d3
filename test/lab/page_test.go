package lab

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// page is a page of the documentation, by its lines.
type page struct {
	path  string
	lines []string
}

// command is one that stands in a page behind a prompt that names its machine,
// and what the page says that it prints.
type command struct {
	where    string // "etcd-1"; "etcd-N": on each; "$": on the workstation
	text     string
	at, rest int // its first line, and the first of what it prints
	end      int // the line after that
}

// section is what the page has the reader do under one heading, by its blocks.
type section struct {
	title  string
	blocks [][]command
}

func readPage(t *testing.T, path string) *page {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return &page{path: path, lines: strings.Split(string(text), "\n")}
}

var (
	prompt  = regexp.MustCompile(`^(?:(etcd-[0-9N])#|(\$)) (.*)$`)
	hereDoc = regexp.MustCompile(`<<'(\w+)'$`)
)

// sections are those in which something is done on a named machine.
func (p *page) sections() (list []section) {
	var s section
	for i := 0; i < len(p.lines); i++ {
		switch line := p.lines[i]; {
		case strings.HasPrefix(line, "## "):
			s = section{title: line[len("## "):]}
		case line == "```console":
			block, end := p.block(i + 1)
			if i = end; len(block) > 0 && s.title != "Install" { // which the lab has done
				if s.blocks = append(s.blocks, block); len(s.blocks) == 1 {
					list = append(list, s)
				}
				list[len(list)-1] = s
			}
		}
	}
	return list
}

// block reads one from line i on, and returns the line on which it ends.
func (p *page) block(i int) (block []command, end int) {
	for ; p.lines[i] != "```"; i++ {
		m := prompt.FindStringSubmatch(p.lines[i])
		if m == nil {
			continue
		}
		c := command{where: m[1] + m[2], text: m[3], at: i}
		if h := hereDoc.FindStringSubmatch(m[3]); h != nil {
			for last := ""; last != h[1]; {
				i++
				last = p.lines[i]
				c.text += "\n" + last
			}
		}
		for strings.HasSuffix(c.text, `\`) {
			i++
			c.text += "\n" + p.lines[i]
		}
		for c.rest = i + 1; p.lines[i+1] != "```" && !prompt.MatchString(p.lines[i+1]); {
			i++
		}
		c.end = i + 1
		block = append(block, c)
	}
	return block, i
}

// printed is what the page says that a command prints.
func (p *page) printed(c command) []string { return p.lines[c.rest:c.end] }
