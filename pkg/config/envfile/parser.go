package envfile

import (
	"fmt"
	"strings"
)

// parser takes an env file apart, a byte at a time.
type parser struct {
	rest []byte
	line int   // the line rest begins on
	file *File // where remarks go
}

func newline(c byte) bool { return c == '\n' || c == '\r' }
func blank(c byte) bool   { return c == ' ' || c == '\t' || newline(c) }

// next takes the next byte off; ok is false at the end of the file.
func (p *parser) next() (c byte, ok bool) {
	if len(p.rest) == 0 {
		return 0, false
	}
	c, p.rest = p.rest[0], p.rest[1:]
	if c == '\n' {
		p.line++
	}
	return c, true
}

func (p *parser) remark(line int, format string, args ...any) {
	p.file.Ignored = append(p.file.Ignored, Remark{line, fmt.Sprintf(format, args...)})
}

// assignment reads up to and with the next assignment. Its name is not yet
// known to be one.
func (p *parser) assignment() (v Variable, ok bool) {
	for {
		line := p.line
		c, ok := p.next()
		switch {
		case !ok:
			return Variable{}, false
		case blank(c):
		case c == '#' || c == ';':
			p.comment()
		default:
			if name, ok := p.name(c); ok {
				return Variable{name, p.value(line), line}, true
			}
			p.remark(line, "no assignment (a \"=\" is missing); the line is ignored")
		}
	}
}

// comment skips to the end of the line.
func (p *parser) comment() {
	var escaped bool
	for line := p.line; ; line = p.line {
		c, ok := p.next()
		if !ok {
			return
		}
		if newline(c) {
			if escaped {
				p.remark(line, "a comment that ends in a backslash: systemd before 254 takes the next line as part of it; remove the backslash")
			}
			return
		}
		escaped = c == '\\' && !escaped
	}
}

// name reads what stands before the "=", first is its first byte; ok is false
// when the line ends before there was one.
func (p *parser) name(first byte) (name string, ok bool) {
	b := []byte{first}
	for {
		c, ok := p.next()
		switch {
		case !ok || newline(c):
			return "", false
		case c == '=':
			return strings.TrimRight(string(b), " \t"), true
		}
		b = append(b, c)
	}
}

// value reads what stands behind the "=". A quote is one only before the
// first character that is not quoted; blanks at both ends are cut unless they
// are quoted or escaped. start is the line of the name.
func (p *parser) value(start int) string {
	var (
		b    []byte
		keep int // b[keep:] are blanks that go if nothing follows
		bare bool
	)
	for {
		c, ok := p.next()
		switch {
		case !ok || newline(c):
			return string(b[:keep])
		case !bare && (c == '\'' || c == '"'):
			var closed bool
			if b, closed = p.quoted(b, c); !closed {
				p.remark(start, "a quote is not closed; the value goes on to the end of the file")
			}
			keep = len(b)
		case c == '\\':
			bare = true
			if c, ok = p.next(); ok && !newline(c) { // else the line is continued
				b = append(b, c)
			}
			keep = len(b)
		case !blank(c):
			bare = true
			b = append(b, c)
			keep = len(b)
		case bare:
			b = append(b, c)
		}
	}
}

// quoted appends what stands between quotes to b. In double quotes a
// backslash makes a quote, a backslash, "`" and "$" literal and continues the
// line; before everything else it stays.
func (p *parser) quoted(b []byte, quote byte) (_ []byte, closed bool) {
	for {
		c, ok := p.next()
		if !ok {
			return b, false
		}
		if c == quote {
			return b, true
		}
		if c == '\\' && quote == '"' {
			if c, ok = p.next(); !ok {
				return b, false
			}
			if c == '\n' {
				continue
			}
			if strings.IndexByte("\"\\`$", c) < 0 {
				b = append(b, '\\')
			}
		}
		b = append(b, c)
	}
}
