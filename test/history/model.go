package history

import (
	"fmt"

	"github.com/anishathalye/porcupine"
)

// width is how many keys a group has: two are enough for a range to be torn.
const width = 2

// state is what a group's keys hold. Values are unique and not 0, which is: no key.
type state [width]int

type verb string

const (
	put    verb = "put"    // and return what was there
	get    verb = "get"    // one key
	list   verb = "list"   // all keys of the group, in one range
	remove verb = "delete" // and return what was there
	swap   verb = "swap"   // put if the key holds old, else get it
)

// call is what a client asks for.
type call struct {
	verb       verb
	key        int
	old, value int
}

// answer is what it is told.
type answer struct {
	known   bool
	swapped bool
	seen    state // before the call; only that key of it which was asked for
}

// group is the model of a group of keys.
var group = porcupine.Model{
	Init: func() any { return state{} },
	Step: func(before, input, output any) (bool, any) {
		s, c, a := before.(state), input.(call), output.(answer)
		after, saw := s, a.seen[c.key] == s[c.key]
		switch c.verb {
		case get:
			return saw, s
		case list:
			return a.seen == s, s
		case put:
			after[c.key] = c.value
		case remove:
			after[c.key] = 0
		case swap:
			if s[c.key] == c.old {
				after[c.key] = c.value
			}
			// That it was swapped says what it saw.
			saw = a.swapped == (s[c.key] == c.old) && (a.swapped || saw)
		}
		return saw || !a.known, after
	},
	DescribeOperation: func(input, output any) string {
		c, a := input.(call), output.(answer)
		what := map[verb]string{
			put: fmt.Sprintf("put %d=%d", c.key, c.value), get: fmt.Sprintf("get %d", c.key), list: "list",
			remove: fmt.Sprintf("delete %d", c.key), swap: fmt.Sprintf("swap %d %d→%d", c.key, c.old, c.value),
		}[c.verb]
		switch {
		case !a.known:
			return what + ": unknown"
		case c.verb == list:
			return fmt.Sprintf("%s: %v", what, a.seen)
		case c.verb == swap && a.swapped:
			return what + ": done"
		}
		return fmt.Sprintf("%s: was %d", what, a.seen[c.key])
	},
}
