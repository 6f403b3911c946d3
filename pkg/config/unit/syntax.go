package unit

import (
	"iter"
	"strings"

	"github.com/etcd-node/etcd-node/pkg/shown"
)

// assignments are those of a unit file's section [Service], in their order. A
// line that ends in a backslash goes on in the next one, past comments.
func assignments(text string) iter.Seq2[string, string] {
	return func(yield func(key, value string) bool) {
		section, begun := "", ""
		for line := range strings.Lines(text) {
			line = strings.TrimRight(line, "\r\n")
			bare := strings.TrimSpace(line)
			if strings.HasPrefix(bare, "#") || strings.HasPrefix(bare, ";") || bare == "" && begun == "" {
				continue
			}
			if more, goesOn := strings.CutSuffix(line, `\`); goesOn {
				begun += more + " "
				continue
			}
			line, begun = strings.TrimSpace(begun+line), ""
			if strings.HasPrefix(line, "[") {
				section = line
				continue
			}
			key, value, ok := strings.Cut(line, "=")
			if ok && section == "[Service]" && !yield(strings.TrimSpace(key), strings.TrimSpace(value)) {
				return
			}
		}
	}
}

// words splits a value as systemd does: at blanks, but not inside of quotes,
// which go. Of the escapes a quote and a backslash are what a setting of etcd's
// may need.
func words(value string) (list []string) {
	var (
		word   strings.Builder
		quote  rune
		inside bool // of a word
		escape bool
	)
	for _, r := range value {
		switch {
		case escape:
			word.WriteRune(r)
			escape = false
		case r == '\\':
			escape, inside = true, true
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '"' || r == '\'':
			quote, inside = r, true
		case r == ' ' || r == '\t':
			if inside {
				list = append(list, word.String())
				word.Reset()
				inside = false
			}
		default:
			word.WriteRune(r)
			inside = true
		}
	}
	if inside {
		list = append(list, word.String())
	}
	return list
}

// word is s as one word of a value in a unit file: it is split by [words], and
// systemd expands specifiers in it.
func word(s string) string {
	s = strings.NewReplacer("\n", "?", "%", "%%").Replace(shown.Text(s))
	if !strings.ContainsAny(s, " \t\"'\\;#") {
		return s
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}
