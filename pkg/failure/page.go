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

Every way in which a member ends, cannot start, or runs without being of use. ` + "`etcd-node explain`" + ` prints the entry of
the last failure, ` + "`etcd-node explain ID`" + ` prints any entry, and ` + "`etcd-node explain --list`" + ` lists them all. The commands that
it prints hold this node's own values, and its etcdctl commands name an endpoint, the TLS files and, if authentication is on, a
user. Here you fill in the words in capitals:

` + legend() + `
## Classes

* **transient**: heals by a restart or by itself. etcd-node tries again at once, then with growing pauses of up to 3 s, give or take a fifth. If an
  exit code is shown, systemd tries again instead.
* **operator**: heals when somebody repairs something outside the data. etcd-node tries again every 30 s, give or take a
  fifth; what depends on the other members, it asks them all the time.
* **permanent**: another try would not help. The daemon ends with the exit code, and systemd leaves it alone.
* **waits**: what is missing may still come. Under systemd the daemon waits for it, with the reason in the status, and goes on
  by itself; without systemd it ends with the exit code.
* **shown**: a state of a running member, which is never restarted because of it.

Without a service manager, any failure before the member has first served ends the process, with exit code 1 if the table
shows none.

## Exit codes

| exit code | meaning | systemd restarts it |
|---|---|---|
| 0 | stopped as told | no |
| 1 | failed; another start may heal it | yes |
| 2 | bad command line, of any command (the daemon under systemd: 78; etcd's own two proxies: 1) | – |
| 3 | no daemon answers (status and explain) | – |
| 4 | you may not ask the daemon (status, explain and history) | – |
| 65 | the data is damaged or of another version | no |
| 66 | the data dir is empty where a member used to be | no |
| 67 | this member was removed from the cluster | no |
| 75 | not joined within ` + "`ETCD_NODE_START_TIMEOUT`" + `, or every attempt of a start has failed for a minute | yes |
| 76 | the peers, or the data, belong to another cluster | no |
| 78 | the configuration is wrong | no |

## Entries

| ID | class | exit code | cause |
|---|---|---|---|
`)
	r := replacer(nil)
	for _, e := range catalogue {
		exit := "–"
		if e.ends() {
			exit = fmt.Sprint(e.Exit)
		}
		fmt.Fprintf(&b, "| [%s](#%s) | %s | %s | %s |\n", e.ID, e.ID, e.Kind(), exit, e.Cause)
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

// legend explains the words in capitals.
func legend() string {
	var b strings.Builder
	for _, m := range meanings {
		fmt.Fprintf(&b, "* %s: %s\n", m.word, m.is)
	}
	return b.String()
}

// prose keeps file patterns from becoming emphasis.
func prose(s string) string { return strings.ReplaceAll(s, "*", `\*`) }
