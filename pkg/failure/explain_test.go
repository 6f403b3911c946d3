package failure

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// Prose fits a terminal, commands stay in one piece.
func TestExplain(t *testing.T) {
	const columns = 76
	for _, e := range All() {
		text, ok := Explain(e.ID, nil)
		if !ok {
			t.Fatalf("no %s", e.ID)
		}
		commands := map[string]bool{}
		for _, s := range e.Next {
			for _, c := range s.Run {
				commands["      "+c] = true
			}
		}
		for line := range strings.SplitSeq(text, "\n") {
			switch {
			case commands[line]:
				delete(commands, line)
			case utf8.RuneCountInString(line) > columns && strings.Contains(strings.TrimSpace(line), " "):
				t.Errorf("%s: %d columns: %q", e.ID, utf8.RuneCountInString(line), line)
			case strings.TrimRight(line, " ") != line:
				t.Errorf("%s: blanks at the end of %q", e.ID, line)
			}
		}
		for c := range commands {
			t.Errorf("%s: %q is not there as a line", e.ID, c)
		}
		for _, want := range []string{"What it means", "What etcd-node does", "How it shows"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s has no %q", e.ID, want)
			}
		}
	}
	if text, ok := Explain("no-such", nil); ok || text != "" {
		t.Error("explains what is not there")
	}
}

func TestExplainHasThisNodesValues(t *testing.T) {
	text, _ := Explain(IDLocked, map[string]string{"data-dir": "/var/lib/etcd"})
	if want := "fuser -v /var/lib/etcd/member/snap/db"; !strings.Contains(text, want) {
		t.Errorf("lacks %q:\n%s", want, text)
	}
	if text, _ := Explain(IDLocked, nil); !strings.Contains(text, "fuser -v {data-dir}/member") {
		t.Error("a value that is not known must stay a placeholder")
	}
}
