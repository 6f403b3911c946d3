package shown

import (
	"strings"
	"testing"
)

func TestFold(t *testing.T) {
	x := strings.Repeat("x", 90)
	for line, want := range map[string]string{
		"short": "short\n",
		"  key       " + strings.Repeat("word ", 20): "  key       " + strings.Repeat("word ", 12) + "word\n            " + strings.Repeat("word ", 6) + "word\n",
		"  key       " + x:                           "  key       " + x + "\n",
		"  key       " + x + " " + x + " a":          "  key       " + x + "\n            " + x + "\n            a\n",
		strings.Repeat("ü", 80):                      strings.Repeat("ü", 80) + "\n",
	} {
		if got := Fold(line, strings.Repeat(" ", 12)); got != want {
			t.Errorf("%q:\n%s\nwant\n%s", line, got, want)
		}
	}
}
