package envfile

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Variable is one assignment that systemd passes on.
type Variable struct {
	Name  string
	Value string
	Line  int // the line its name stands on, from 1
}

// Remark says why a line has not the effect that its writer may expect. It
// never quotes a value.
type Remark struct {
	Line int
	Text string
}

// File is what systemd makes of an env file.
type File struct {
	// Variables are in the order of their first assignment; of several
	// assignments to one name the last one counts, value and line.
	Variables []Variable
	// Ignored are the lines that systemd passes over without an error, or
	// whose value a later line replaces, in the order of the file.
	Ignored []Remark
}

// SyntaxError is the error of a file that systemd refuses as a whole.
type SyntaxError struct {
	Line   int
	Reason string
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Reason) }

// Parse reads an env file by systemd's rules. The error is a [*SyntaxError]
// when systemd refuses the file: a NUL byte, or an assignment that is not
// UTF-8. Everything else that is wrong only costs the line it stands on and is
// listed in [File.Ignored].
func Parse(data []byte) (*File, error) {
	if i := bytes.IndexByte(data, 0); i >= 0 {
		return nil, &SyntaxError{1 + bytes.Count(data[:i], []byte("\n")), "a NUL byte; systemd refuses the whole file"}
	}
	f := &File{}
	index := make(map[string]int) // name → position in f.Variables
	for p := (parser{rest: data, line: 1, file: f}); ; {
		v, ok := p.assignment()
		if !ok {
			slices.SortStableFunc(f.Ignored, func(a, b Remark) int { return a.Line - b.Line })
			return f, nil
		}
		if !valid(v.Name) || !valid(v.Value) {
			return nil, &SyntaxError{v.Line, "not valid UTF-8; systemd refuses the whole file"}
		}
		if name, exported := strings.CutPrefix(v.Name, "export "); exported {
			p.remark(v.Line, "an env file is not a shell script: this assignment to %s is ignored; remove \"export\"", strings.TrimSpace(name))
		} else if !identifier(v.Name) {
			p.remark(v.Line, "%q is not the name of a variable; the line is ignored", v.Name)
		} else if i, again := index[v.Name]; again {
			p.remark(f.Variables[i].Line, "%s is set again in line %d, which counts; remove one of the two", v.Name, v.Line)
			f.Variables[i] = v
		} else {
			index[v.Name] = len(f.Variables)
			f.Variables = append(f.Variables, v)
		}
	}
}

// identifier reports whether systemd takes s as the name of a variable.
func identifier(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}

// valid reports whether s is what systemd calls UTF-8: unlike Go it does not
// count Unicode's noncharacters in.
func valid(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool {
		return r >= 0xFDD0 && r <= 0xFDEF || r&0xFFFE == 0xFFFE
	})
}
