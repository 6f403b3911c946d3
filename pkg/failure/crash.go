package failure

import (
	"slices"
	"strings"
)

// FromCrash recognises a failure by what Go's runtime wrote when it ended the
// process: by where the program was, else by the words. It is nil where the
// catalogue does not know it.
func FromCrash(crash string) *Failure {
	head, stack := panicking(crash)
	switch {
	case strings.Contains(head, "runtime error: ") && len(stack) > 0 && strings.HasPrefix(stack[0], "go.etcd.io/bbolt"):
		return New(IDDamaged, firstLine(crash)) // bbolt trusts the pages that it reads
	case strings.Contains(head, unmarshals) && slices.ContainsFunc(stack, func(f string) bool { return strings.Contains(f, "/rafthttp.") }):
		return New(IDMessage, firstLine(crash)) // the message was not even a log entry yet
	}
	return FromText(crash)
}

// unmarshals is how etcd panics on what it cannot decode.
const unmarshals = "unmarshal should never fail"

// panicking returns what a crash says before its first stack, and the functions
// on that stack: from the one that panicked first on, without those of Go's own
// library above it.
func panicking(crash string) (head string, stack []string) {
	head, rest, _ := strings.Cut(crash, "\ngoroutine ")
	_, rest, _ = strings.Cut(rest, "\n")
	for line := range strings.SplitSeq(rest, "\n") {
		switch {
		case line == "": // the next goroutine
			return head, below(stack)
		case line[0] != '\t' && !strings.HasPrefix(line, "created by "):
			stack = append(stack, line)
		}
	}
	return head, below(stack)
}

// below drops what a panic has put on a stack. Of several panics, as where one
// was caught and passed on, the first lies deepest.
func below(stack []string) []string {
	for i := len(stack) - 1; i >= 0; i-- {
		if strings.HasPrefix(stack[i], "panic(") {
			stack = stack[i+1:]
			break
		}
	}
	for len(stack) > 0 && ofGo(stack[0]) {
		stack = stack[1:]
	}
	return stack
}

// ofGo reports whether a function is one of Go's library, whose import paths do
// not begin with a host: "runtime.goPanicIndex(…)", "encoding/binary.…".
func ofGo(function string) bool {
	name, _, _ := strings.Cut(function, "(")
	first, _, deeper := strings.Cut(name, "/")
	return !strings.HasPrefix(name, "main.") && !(deeper && strings.Contains(first, "."))
}
