package failure

import (
	"fmt"
	"strings"
)

// width is what a terminal of 80 columns shows without breaking lines, beside
// the prefix of a log or a mail.
const width = 76

// Explain returns the entry id as a text for a terminal, with this node's own
// [Values] in its commands: prose is wrapped at 76 columns,
// commands stand on lines of their own and are never wrapped. The second
// result is false where there is no such entry.
func Explain(id string, values map[string]string) (string, bool) {
	e, ok := byID(id)
	if !ok {
		return "", false
	}
	if id == IDConfiguration && values["refused"] != "" {
		e = e.refused(values["refused"])
	}
	r := replacer(values)
	var b strings.Builder
	Wrap(&b, "", e.ID+": "+e.Cause)
	ended := values["ended"] == "true" && e.Class != Permanent && !e.Lives
	if ended {
		Wrap(&b, "  ", fmt.Sprintf("%s, but the daemon has ended: without a service manager, a failure before the member has first served ends it, as it ends etcd.", upper(string(e.Class))))
	} else {
		Wrap(&b, "  ", e.follows())
	}
	section := func(title, text string) {
		if text != "" {
			fmt.Fprintf(&b, "\n%s\n", title)
			Wrap(&b, "  ", text)
		}
	}
	section("What it means", e.Means)
	if ended {
		section("What etcd-node does", "It has ended. Start it again once the cause is gone.")
	} else {
		section("What etcd-node does", e.Acts)
	}
	e.Next = e.steps(values)
	if len(e.Next) > 0 {
		b.WriteString("\nWhat to do\n")
	}
	for _, s := range e.Next {
		Wrap(&b, "  ", r.Replace(s.sentence()))
		for _, c := range s.Run {
			b.WriteString("      " + r.Replace(c) + "\n")
		}
	}
	if words := wordsIn(r.Replace(e.commands())); len(words) > 0 {
		b.WriteString("\nFor you to fill in\n")
		for _, w := range words {
			Wrap(&b, "  ", w+".")
		}
	}
	section("What not to do", r.Replace(e.Never))
	section("How it shows", e.shows())
	return ForUnit(b.String(), values), true
}

// follows is what the class and the exit code mean for the daemon.
func (e Entry) follows() string {
	switch {
	case e.Lives:
		return "Shown: the member keeps running; it is not restarted because of this."
	case e.Waits:
		return fmt.Sprintf("Waits: under systemd the daemon waits until this is mended, and goes on by itself; without systemd it ends with exit code %d.", e.Exit)
	case e.Class == Permanent:
		return fmt.Sprintf("Permanent: the daemon ends with exit code %d, and systemd leaves it alone.", e.Exit)
	case e.ends():
		return fmt.Sprintf("%s: the daemon ends with exit code %d, and systemd starts it again.", upper(string(e.Class)), e.Exit)
	case e.Class == Operator:
		return "Operator: needs a repair; " + e.again() + "."
	default:
		return "Transient: heals by a restart or by itself; tried again after 3 s at most, give or take a fifth."
	}
}

// again is when an entry of class operator is tried again.
func (e Entry) again() string {
	if e.Asks {
		return "the other members are asked all the time, and it goes on by itself"
	}
	return "tried again about every 30 s"
}

// shows is how the entry is recognised.
func (e Entry) shows() string {
	var texts []string
	for _, t := range e.Texts {
		texts = append(texts, `"`+t+`"`)
	}
	said := strings.Join(texts, ", ")
	if len(texts) > 1 {
		said = "one of " + said
	}
	switch {
	case said == "":
		return upper(e.Sign) + "."
	case e.Sign == "":
		return "etcd or the kernel says " + said + "."
	default:
		return upper(e.Sign) + "; or etcd or the kernel says " + said + "."
	}
}

// sentence is what the step says, as the head of its commands if it has any.
func (s Step) sentence() string {
	switch {
	case s.Say == "" || strings.HasSuffix(s.Say, "?"):
		return upper(s.Say)
	case len(s.Run) > 0:
		return upper(s.Say) + ":"
	default:
		return upper(s.Say) + "."
	}
}

// upper begins a sentence, unless with a name that is always in lower case. The
// catalogue's clauses begin with ASCII.
func upper(s string) string {
	if s == "" || strings.HasPrefix(s, "etcd") || strings.HasPrefix(s, "systemd") {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// Wrap writes text in lines of at most 76 columns, each behind indent. A
// word that is longer has a line for itself.
func Wrap(b *strings.Builder, indent, text string) {
	column := 0
	for word := range strings.FieldsSeq(text) {
		n := len([]rune(word))
		switch {
		case column == 0:
			b.WriteString(indent + word)
			column = len(indent) + n
		case column+1+n > width:
			b.WriteString("\n" + indent + word)
			column = len(indent) + n
		default:
			b.WriteString(" " + word)
			column += 1 + n
		}
	}
	if column > 0 {
		b.WriteString("\n")
	}
}
