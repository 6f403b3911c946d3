package shown

import "fmt"

// Count is a number with its noun, which takes an "s" unless it is one:
// "1 member", "3 members".
func Count[N ~int | ~int64 | ~uint64](n N, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
