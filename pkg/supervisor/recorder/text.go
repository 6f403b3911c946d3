package recorder

import (
	"fmt"
	"strings"
	"time"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/shown"
)

// Text is the record as a person reads it: a line with its time, in this
// machine's zone, and below that what is longer, indented. It ends with a line
// break.
func (r Record) Text() string {
	at := r.Time.Local().Format(time.DateTime)
	var b strings.Builder
	line := func(format string, args ...any) {
		fmt.Fprintf(&b, "%s  %s\n", at, shown.Hanging(fmt.Sprintf(format, args...)))
	}
	if r.Lost > 0 {
		line("lost before this one: %s", shown.Count(r.Lost, "record"))
	}
	if r.Back {
		line("the clock was set back")
	}
	switch {
	case r.Kind == Start:
		line("etcd-node %s started, boot %.8s", r.Version, r.Boot)
		if r.Format > Format {
			line("a later version of etcd-node wrote what follows: shown as far as this one knows it")
		}
	case r.Kind == Stop:
		line("etcd-node ended")
	case r.Kind == State:
		line("%s", strings.TrimSuffix(string(r.State)+": "+r.Reason, ": "))
	case r.Kind == Dump:
		line("%s", r.Reason)
		b.WriteString(indented(r.Dump))
	case r.Kind != Ended || r.End == nil: // a later version's
		line("%s", strings.TrimSuffix(string(r.Kind)+": "+r.Reason, ": "))
	case r.End.ID == failure.IDDaemonKilled || r.End.ID == failure.IDMachineDown:
		line("%s: %s", r.End.ID, r.End.Cause)
	default:
		line("the member ended (%s): %s: %s", r.End.how(), r.End.ID, r.End.Cause)
		b.WriteString(indented(strings.Join(r.End.Lines, "\n") + "\n" + r.End.Crash))
	}
	return b.String()
}

// how says how the process ended.
func (e *End) how() string {
	how := fmt.Sprintf("exit status %d", e.Status)
	switch {
	case e.Signal != 0:
		how = fmt.Sprintf("signal %d", e.Signal)
	case e.Status < 0:
		how = "before its process began"
	}
	if e.OOM {
		how += ", and the kernel's OOM killer had struck"
	}
	return how
}

// indented sets a text off from the records around it.
func indented(text string) string {
	if text = strings.TrimSpace(text); text == "" {
		return ""
	}
	return "    " + shown.Hanging(text) + "\n"
}
