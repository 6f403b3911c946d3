package election

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// The page says what the rules are, in the same words and order.
func TestPage(t *testing.T) {
	page, err := os.ReadFile("../../../docs/failover.md")
	if err != nil {
		t.Fatal(err)
	}
	for title, rules := range map[string][]rule{"### While raft follows a leader\n": rules.following, "### While there is no leader\n": rules.electing} {
		_, table, _ := strings.Cut(string(page), title)
		_, table, _ = strings.Cut(table, "|---|---|\n")
		table, _, _ = strings.Cut(table, "\n\n")
		var told, want []string
		for row := range strings.Lines(table) {
			told = append(told, strings.TrimSpace(strings.Split(row, "|")[1]))
		}
		for _, r := range rules {
			want = append(want, r.name)
		}
		if !slices.Equal(told, want) {
			t.Errorf("the page tells %q, the rules are %q", told, want)
		}
	}
}
