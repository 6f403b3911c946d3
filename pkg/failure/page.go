package failure

import (
	"fmt"
	"strings"
)

// Page is docs/failures.md, generated from the catalogue.
func Page() string {
	var b strings.Builder
	b.WriteString(`# Failures

<!-- Generated from pkg/failure by go generate. Change it there. -->

Every way a member ends, cannot start, or runs without being of use. ` + "`etcd-node explain`" + ` prints the entry of the
last failure with this node's own values in its commands, ` + "`etcd-node explain ID`" + ` any entry, ` + "`etcd-node explain --list`" + `
all. There its etcdctl commands also name an endpoint and the files for TLS. Words in capitals are yours to fill in:

` + legend() + `
Classes:

* **transient**: heals by a restart or by itself; tried again at once, then with growing pauses up to 3 s. Where an exit code is
  shown it is systemd that tries again.
* **operator**: heals when somebody repairs something outside the data; tried again every 30 s.
* **permanent**: another try makes nothing better; the daemon ends with the exit code and systemd leaves it alone.
* **shown**: a state of a running member; it is never restarted because of it.

Without a service manager any failure before the first serving ends the process, with exit code 1 where none is shown.

| ID | class | exit code | cause |
|---|---|---|---|
`)
	r := replacer(nil)
	for _, e := range catalogue {
		exit := "–"
		if e.ends() {
			exit = fmt.Sprint(e.Exit)
		}
		fmt.Fprintf(&b, "| [%s](#%s) | %s | %s | %s |\n", e.ID, e.ID, e.kind(), exit, e.Cause)
	}
	for _, e := range catalogue {
		fmt.Fprintf(&b, "\n## %s\n\n**%s**\n%s %s\n\n", e.ID, Step{Say: e.Cause}.sentence(), prose(e.Means), e.follows())
		fmt.Fprintf(&b, "*What etcd-node does:* %s\n", prose(e.Acts))
		for _, s := range e.Next {
			if s.Say != "" {
				b.WriteString("\n" + prose(r.Replace(s.sentence())) + "\n")
			}
			if len(s.Run) > 0 {
				b.WriteString("\n```sh\n" + r.Replace(strings.Join(s.Run, "\n")) + "\n```\n")
			}
		}
		if e.Never != "" {
			fmt.Fprintf(&b, "\n*What not to do:* %s\n", prose(r.Replace(e.Never)))
		}
		fmt.Fprintf(&b, "\n*How it shows:* %s\n", prose(e.shows()))
	}
	return b.String()
}

// legend says what words in capitals stand for.
func legend() string {
	var b strings.Builder
	for _, m := range meanings {
		fmt.Fprintf(&b, "* %s: %s\n", m.word, m.is)
	}
	return b.String()
}

// prose keeps file patterns from becoming emphasis.
func prose(s string) string { return strings.ReplaceAll(s, "*", `\*`) }

// kind is the class as the page's table has it.
func (e Entry) kind() string {
	if e.Lives {
		return "shown"
	}
	return string(e.Class)
}
