package failure

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"syscall"
)

// FromError recognises a failure by an error: the one that it wraps, else by a
// type that the catalogue knows, else by its text. It is nil where the catalogue
// does not know it.
func FromError(err error) *Failure {
	if err == nil {
		return nil
	}
	if f := (*Failure)(nil); errors.As(err, &f) {
		return f
	}
	for _, e := range catalogue {
		for _, target := range e.errs {
			if errors.Is(err, target) {
				return e.failure(firstLine(err.Error()))
			}
		}
	}
	return FromText(err.Error())
}

// FromText recognises a failure by what etcd said: the text of an error, of a
// log line with its error field, or of a crash. It is nil where the catalogue
// does not know the text.
func FromText(text string) *Failure {
	e, pattern, ok := match(text)
	if !ok {
		return nil
	}
	f := e.failure(firstLine(text))
	f.Wire = slices.Contains(e.Wire, pattern)
	if m := named.FindStringSubmatch(text); m != nil {
		f.Values = map[string]string{"member-id": m[1]}
	}
	return f
}

// named is where etcd names this member: a node whose data is gone does not know
// its ID otherwise.
var named = regexp.MustCompile(`member ([0-9a-f]{8,16}) has already been bootstrapped`)

// FromExit says why a member process ended that did not tell by itself: from
// what it wrote while crashing, its exit status and its signal.
func FromExit(ws syscall.WaitStatus, crash string) *Failure {
	if f := FromCrash(crash); f != nil {
		return f
	}
	switch {
	case ws.Signaled():
		f := New(IDKilled, "")
		f.Cause = fmt.Sprintf("killed by signal %d", int(ws.Signal()))
		return f
	case outOfMemory(crash):
		return New(IDOutOfMemory, "the Go runtime was refused more")
	case crash != "":
		f := New(IDEnded, firstLine(crash))
		f.Cause = "crashed"
		return f
	default:
		f := New(IDEnded, "")
		f.Cause = fmt.Sprintf("ended with exit status %d without giving a reason", ws.ExitStatus())
		return f
	}
}

// wantMemory are the functions of Go's runtime that end the program when the
// kernel gives them no memory: which of them asks is chance.
var wantMemory = []string{
	"runtime.sysMapOS(", "runtime.sysReserve", "runtime.(*mheap).sysAlloc(", "runtime.(*mcache).refill(", "runtime.(*mcache).allocLarge(",
	"runtime.persistentalloc1(", "runtime.stackpoolalloc(", "runtime.stackalloc(", "runtime.getempty(",
}

// outOfMemory recognises the runtime's own end for want of memory. Its words go
// to stderr before the crash's text is switched on; the stack tells, in the
// line of throw's caller, two below it.
func outOfMemory(crash string) bool {
	lines := strings.Split(crash, "\n")
	i := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, "runtime.throw(") })
	return i >= 0 && i+2 < len(lines) && slices.ContainsFunc(wantMemory, func(f string) bool { return strings.HasPrefix(lines[i+2], f) })
}

// match finds the first entry with a text that matches, and that text.
func match(text string) (e Entry, pattern string, ok bool) {
	for _, e := range catalogue {
		for _, p := range e.Texts {
			if contains(text, p) {
				return e, p, true
			}
		}
	}
	return Entry{}, "", false
}

// contains reports whether text holds the parts of pattern, which "…"
// separates, in their order.
func contains(text, pattern string) bool {
	for part := range strings.SplitSeq(pattern, "…") {
		i := strings.Index(text, part)
		if i < 0 {
			return false
		}
		text = text[i+len(part):]
	}
	return true
}

// firstLine keeps a crash's goroutine dump out of one-line messages.
func firstLine(s string) string {
	s, _, _ = strings.Cut(strings.TrimSpace(s), "\n")
	// What etcd says is shorter, except where it quotes all members before it
	// says what is wrong with them.
	const head, tail = 300, 200
	if len(s) > head+tail {
		s = strings.ToValidUTF8(s[:head], "") + " … " + strings.ToValidUTF8(s[len(s)-tail:], "")
	}
	return s
}
