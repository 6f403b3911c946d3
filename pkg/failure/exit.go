package failure

import (
	"fmt"
	"syscall"
)

// FromExit says why a member process ended that did not tell by itself: from
// what it wrote while crashing, its exit status and its signal.
func FromExit(ws syscall.WaitStatus, crash string) Failure {
	if f, ok := FromText(crash); ok {
		return f
	}
	switch {
	case ws.Signaled():
		f := New(IDKilled, "")
		f.Cause = fmt.Sprintf("killed by signal %d", int(ws.Signal()))
		return f
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
