package shown

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// credentials are everything before the last "@" of a URL, which ends at the
// next URL, blank or quote. An operator may forget to escape the "@", "," or "/"
// of a password, and it is better to hide too much than to show half of it.
var credentials = regexp.MustCompile(`//(?:[^\s":\\]|\\.|:[^\s"/]|:/[^\s"/])*(?::/?)?@`)

// hostAlone begins a match of a URL without credentials, in whose path there is
// an "@" all the same.
var hostAlone = regexp.MustCompile(`^//(?:[\w.-]+|\[[\w.:%]+\])(?::\d+)?[/?#]`)

// Redacted takes the user and the password out of the URLs in a text.
func Redacted(s string) string {
	if !strings.Contains(s, "@") { // nearly every text
		return s
	}
	return credentials.ReplaceAllStringFunc(s, func(match string) string {
		if hostAlone.MatchString(match) {
			return match
		}
		return "//(redacted)@"
	})
}

// Text is s without passwords in URLs and without characters that control a
// terminal: each of those, and each byte that is not UTF-8, becomes "?". Line
// breaks and tabs stay.
func Text(s string) string {
	return strings.Map(func(c rune) rune {
		if c != '\n' && c != '\t' && controls(c) {
			return '?'
		}
		return c
	}, Redacted(s))
}

// controls reports whether a character acts on a terminal instead of being
// printed: it moves the cursor, ends the line, or turns the direction of
// writing around.
func controls(c rune) bool {
	return c == utf8.RuneError || unicode.In(c, unicode.Cc, unicode.Zl, unicode.Zp, unicode.Bidi_Control)
}

// plain is a word that no shell takes for anything else.
var plain = regexp.MustCompile(`^[A-Za-z0-9_./:=@%+,-]+$`)

// Quoted is the [Text] s as one word of a shell command: as it is where it is
// plain, else in single quotes, with "?" for line breaks and tabs.
func Quoted(s string) string {
	s = strings.NewReplacer("\n", "?", "\t", "?").Replace(Text(s))
	if plain.MatchString(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// Hanging indents all lines of a text but the first, so that none of them can
// look like a line of the program's own.
func Hanging(s string) string { return strings.ReplaceAll(s, "\n", "\n    ") }
