package settings

import (
	"slices"
	"strings"
)

// OwnPrefix begins the names of etcd-node's own settings. What etcd may one
// day call its own does not begin so.
const OwnPrefix = "ETCD_NODE_"

// Nearest returns the known name that was most likely meant by a mistyped one,
// "" for none: a known name with all its words and some more (or some less),
// else the one with the fewest letters changed, where these are about a quarter
// and not all.
func Nearest(name string, known []string) (best string) {
	split := func(s string) []string {
		return strings.FieldsFunc(s, func(r rune) bool { return r == '_' || r == '-' })
	}
	parts := split(name)
	within := func(a, b []string) bool {
		return !slices.ContainsFunc(a, func(w string) bool { return !slices.Contains(b, w) })
	}
	letters := len(strings.TrimPrefix(strings.TrimPrefix(name, OwnPrefix), "ETCD_"))
	limit := min(letters/4+1, letters-1)
	least := limit + 1
	for _, k := range known {
		other := split(k)
		d := distance(name, k)
		// Two words and the prefix, or any setting with "timeout" would do.
		if min(len(parts), len(other)) > 2 && (within(parts, other) || within(other, parts)) {
			d = min(d, limit-1)
		}
		if d < least || d == least && best != "" && len(k) < len(best) {
			best, least = k, d
		}
	}
	return best
}

// distance counts the letters that have to be changed, added or taken away to
// make one of the other.
func distance(a, b string) int {
	last, row := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		row[0] = i + 1
		for j := range len(b) {
			change := 1
			if a[i] == b[j] {
				change = 0
			}
			row[j+1] = min(last[j]+change, last[j+1]+1, row[j]+1)
		}
		last, row = row, last
	}
	return last[len(b)]
}
