package failure

import (
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// Prose fits a terminal, commands stay in one piece.
func TestExplain(t *testing.T) {
	const columns = 76
	for _, e := range All() {
		text, ok := Explain(e.ID, nil)
		if !ok {
			t.Fatalf("no %s", e.ID)
		}
		commands := map[string]int{}
		for _, s := range e.Next {
			for _, c := range s.Run {
				commands["      "+replacer(nil).Replace(c)]++
			}
		}
		for line := range strings.SplitSeq(text, "\n") {
			switch {
			case commands[line] > 0:
				commands[line]--
			case utf8.RuneCountInString(line) > columns && strings.Contains(strings.TrimSpace(line), " "):
				t.Errorf("%s: %d columns: %q", e.ID, utf8.RuneCountInString(line), line)
			case strings.TrimRight(line, " ") != line:
				t.Errorf("%s: blanks at the end of %q", e.ID, line)
			}
		}
		for c, missing := range commands {
			if missing > 0 {
				t.Errorf("%s: %q is missing as a line", e.ID, c)
			}
		}
		for _, want := range []string{"What it means", "What etcd-node does", "How it shows"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s has no %q", e.ID, want)
			}
		}
	}
	if text, ok := Explain("no-such", nil); ok || text != "" {
		t.Error("explains what is not there")
	}
}

// A configuration that was refused is explained by what is wrong with it.
func TestExplainRefused(t *testing.T) {
	text, _ := Explain(IDConfiguration, map[string]string{"refused": "ETCD_NODE_FAILOVER: \"no\" is neither on nor off (write on or off)\nETCD_NAME: x"})
	for _, want := range []string{
		"configuration: the configuration is not valid\n",
		"\nWhat to do\n  Correct ETCD_NODE_FAILOVER: \"no\" is neither on nor off (write on or off).\n  Correct ETCD_NAME: x.\n  See every setting and where it comes from:\n",
		"\nHow it shows\n  etcd-node finds a value",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	for _, not := range []string{"cluster list differs", "couldn't find", "discovery"} {
		if strings.Contains(text, not) {
			t.Errorf("%q in\n%s", not, text)
		}
	}
	if text, _ := Explain(IDConfiguration, nil); !strings.Contains(text, "couldn't find") || strings.Contains(text, "Correct ETCD") {
		t.Errorf("the entry itself was changed:\n%s", text)
	}
}

func TestExplainHasThisNodesValues(t *testing.T) {
	text, _ := Explain(IDLocked, map[string]string{"data-dir": "/var/lib/etcd"})
	if want := "fuser -v /var/lib/etcd/member/snap/db"; !strings.Contains(text, want) {
		t.Errorf("lacks %q:\n%s", want, text)
	}
	text, _ = Explain(IDLocked, nil)
	for _, want := range []string{"fuser -v DATA-DIR/member", "DATA-DIR: what `etcd-node config` shows"} {
		if !strings.Contains(text, want) {
			t.Errorf("a value that is not known is a word, and explained; no %q in\n%s", want, text)
		}
	}
}

// Whatever is known or not, no placeholder is printed: a command with braces
// looks as if it could be run.
func TestNoPlaceholderIsPrinted(t *testing.T) {
	print := func(s string) string { return strings.ReplaceAll(s, "{print $5}", "") } // awk's
	if page := print(Page()); strings.ContainsAny(page, "{}") {
		t.Errorf("docs/failures.md: %q", around(page))
	}
	all := map[string]string{}
	for _, key := range keys {
		all[key] = "x"
	}
	for _, values := range []map[string]string{nil, {"name": "", "endpoints": ""}, all} {
		for _, e := range All() {
			text, _ := Explain(e.ID, values)
			text += "\n" + strings.Join(New(e.ID, "").Fill(values).Next, "\n")
			if text = print(text); strings.ContainsAny(text, "{}") {
				t.Errorf("%s with %v: %q", e.ID, values, around(text))
			}
		}
	}
}

// around is the first line with a brace.
func around(text string) string {
	for line := range strings.SplitSeq(text, "\n") {
		if strings.ContainsAny(line, "{}") {
			return line
		}
	}
	return ""
}

// Every word that stands for a value is explained.
func TestWords(t *testing.T) {
	for _, p := range placeholders {
		if p.word != "" && len(wordsIn("x "+p.word)) != 1 {
			t.Errorf("%s is explained %d times", p.word, len(wordsIn("x "+p.word)))
		}
	}
}

// capitals are what a reader of a command takes for a word to fill in: no
// variable, which has a "$" before it or a "=" behind it.
var capitals = regexp.MustCompile(`(?:^|[^$A-Za-z0-9_.-])([A-Z][A-Z-]*[A-Z])(?:$|[^A-Za-z0-9_=-])`)

// Every word in a command that is to be filled in is explained under it, and no
// other one.
func TestWordsInCommands(t *testing.T) {
	explained := map[string]bool{}
	for _, e := range All() {
		text, _ := Explain(e.ID, nil)
		_, list, _ := strings.Cut(text, "\nFor you to fill in\n")
		var want, got []string
		for _, found := range capitals.FindAllStringSubmatch(strings.ReplaceAll(replacer(nil).Replace(e.commands()), " ", "  "), -1) {
			want = append(want, found[1])
		}
		for _, m := range meanings {
			if strings.Contains(list, "\n  "+m.word+": ") || strings.HasPrefix(list, "  "+m.word+": ") {
				got = append(got, m.word)
				explained[m.word] = true
			}
		}
		slices.Sort(want)
		slices.Sort(got)
		if want = slices.Compact(want); !slices.Equal(want, got) {
			t.Errorf("%s: the commands have %q, explained are %q", e.ID, want, got)
		}
	}
	for _, m := range meanings {
		if fromValues := []string{WordCA, WordCert, WordKey}; !explained[m.word] && !slices.Contains(fromValues, m.word) {
			t.Errorf("%s is in no command", m.word)
		}
	}
}

// keys are those of all [Values].
var keys = []string{
	"name", "member-id", "cluster-id", "data-dir", "peer-urls", "initial-cluster", "endpoints",
	"client-url", "client-ca", "client-cert", "client-key", "client-insecure", "unit", "env-file", "auth", "ended", "own-urls",
}

// What the service user has written into a value does nothing where root pastes
// the command: to a shell it is one word, to a terminal plain text, and no flag
// to a program.
func TestValuesAreQuoted(t *testing.T) {
	for _, value := range []string{
		"; rm -rf /", "$(reboot)", "`reboot`", "a b", "'; reboot; '", "x\nreboot", "x\x1b[2K\rreboot", "\u009b2J", "--help", "http://u:secretpw@h;reboot",
	} {
		values := map[string]string{}
		for _, key := range keys {
			values[key] = value
		}
		var script []string
		for _, e := range All() {
			text, _ := Explain(e.ID, values)
			for _, printed := range append(Steps(e.ID, values), text) {
				for _, c := range []string{"\x1b", "\r", "\u009b", "\nreboot", "secretpw", " --help"} {
					if strings.Contains(printed, c) {
						t.Errorf("%s: %q in %q", e.ID, c, printed)
					}
				}
			}
			for _, s := range e.Next {
				for _, c := range s.Run {
					script = append(script, replacer(values).Replace(c))
				}
			}
		}
		for _, command := range script {
			bare := quoted.ReplaceAllString(strings.ReplaceAll(command, `'\''`, ""), "")
			if strings.Contains(bare, "rm -rf /") || strings.Contains(bare, "reboot") {
				t.Errorf("something stands outside of quotes in %q", command)
			}
		}
		if out, err := exec.Command("sh", "-nc", strings.Join(script, "\n")).CombinedOutput(); err != nil {
			t.Errorf("%q: a shell cannot parse the commands: %v: %s", value, err, out)
		}
	}
}

var quoted = regexp.MustCompile(`'[^']*'`)

// Commands of etcdctl's reach the member and get past its TLS.
func TestEtcdctlIsComplete(t *testing.T) {
	text, _ := Explain(IDNoSpaceAlarm, map[string]string{
		"client-url": "https://192.0.2.1:2379", "client-ca": "/tls/ca.crt",
	})
	if want := "etcd-node ctl alarm disarm --endpoints=https://192.0.2.1:2379 --cacert=/tls/ca.crt\n"; !strings.Contains(text, want) {
		t.Errorf("no %q in\n%s", want, text)
	}
	if text, _ := Explain(IDNoSpaceAlarm, nil); !strings.Contains(text, "etcd-node ctl alarm disarm\n") {
		t.Errorf("flags without a value:\n%s", text)
	}
	for _, id := range []string{IDNoSpaceAlarm, IDQuotaLow} {
		text, _ := Explain(id, map[string]string{"client-url": "http://192.0.2.1:2379", "endpoints": "http://192.0.2.2:2379,http://192.0.2.3:2379"})
		for _, want := range []string{
			`rev=$(etcd-node ctl endpoint status --write-out=fields --endpoints=http://192.0.2.1:2379 | sed -n 's/^"Revision" : //p')` + "\n      etcd-node ctl compact \"$rev\" --endpoints=http://192.0.2.1:2379\n",
			"etcd-node ctl defrag --endpoints=http://192.0.2.2:2379,http://192.0.2.3:2379 --command-timeout=60s\n",
			"etcd-node ctl defrag --command-timeout=60s --endpoints=http://192.0.2.1:2379\n",
		} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: no %q in\n%s", id, want, text)
			}
		}
	}
	for _, e := range All() {
		for _, s := range e.Next {
			for _, c := range s.Run {
				if own := strings.Count(c, "{own-endpoint}"); strings.HasPrefix(c, "etcd-node ctl ") &&
					(own+strings.Count(c, "--endpoints=") != 1 || strings.Count(c, "{client-tls}") != 1) {
					t.Errorf("%s: %q", e.ID, c)
				}
			}
		}
	}
}

// On a machine with two members the commands are for the one that is meant.
func TestCommandsAreForTheUnit(t *testing.T) {
	values := map[string]string{"unit": "etcd@events", "env-file": "/etc/default/etcd@events"}
	for _, e := range All() {
		text, _ := Explain(e.ID, values)
		for _, printed := range append(Steps(e.ID, values), text) {
			if other := regexp.MustCompile(`systemctl [a-z-]+(?: --\S+)* etcd([\s;` + "`" + `]|$)|/default/etcd([\s:]|$)`).FindString(printed); other != "" {
				t.Errorf("%s: %q in %q", e.ID, other, printed)
			}
		}
	}
	for text, want := range map[string]string{
		"`systemctl disable --now etcd`":   "`systemctl disable --now etcd@events`",
		"systemctl enable --now etcd@NAME": "systemctl enable --now etcd@NAME",
		"systemctl stop etcd-x":            "systemctl stop etcd-x",
	} {
		for range 2 { // what is for the unit already stays
			if text = ForUnit(text, values); text != want {
				t.Errorf("%q, want %q", text, want)
			}
		}
	}
	if once := ForUnit("etcd-node status", values); ForUnit(once, values) != once {
		t.Error(ForUnit(once, values))
	}
	text, _ := Explain(IDWiped, values)
	for _, want := range []string{"systemctl start etcd@events\n", "ETCD_NODE_UNIT=etcd@events etcd-node forget\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q:\n%s", want, text)
		}
	}
	if text, _ := Explain(IDLoopbackConfig, values); !strings.Contains(text, "scp OTHER-NODE:/etc/default/etcd@events /etc/default/etcd@events\n") {
		t.Error(text)
	}
}

// Where the cluster asks for a user, so do the printed commands name one; what
// etcdctl does not run stays as it is.
func TestUserWhereAuthIsOn(t *testing.T) {
	for _, auth := range []string{"", "true"} {
		text, _ := Explain(IDNoSpaceAlarm, map[string]string{"auth": auth})
		for line := range strings.Lines(text) {
			if !strings.HasPrefix(line, "      ") {
				continue
			}
			if named := strings.Contains(line, " --user=root"); named != (auth == "true" && strings.Contains(line, "etcd-node ctl ")) {
				t.Errorf("auth %q: %q", auth, line)
			}
		}
	}
	if got := Etcdctl("put a b", Values{"client-url": "http://192.0.2.1:2379", "auth": "true"}); got != "etcd-node ctl put a b --endpoints=http://192.0.2.1:2379 --user=root" {
		t.Error(got)
	}
}

// A daemon that has ended does not promise to come back.
func TestEndedPromisesNothing(t *testing.T) {
	for _, e := range All() {
		text, _ := Explain(e.ID, map[string]string{"ended": "true"})
		text = strings.Join(strings.Fields(text), " ")
		if e.Lives || e.Class == Permanent {
			continue
		}
		for _, promise := range []string{"comes back by itself", "tries again", "tried again"} {
			if strings.Contains(text, promise) {
				t.Errorf("%s: %q in %s", e.ID, promise, text)
			}
		}
		if !strings.Contains(text, "the daemon has ended") {
			t.Errorf("%s does not say so: %s", e.ID, text)
		}
	}
	if next := strings.Join(New("port-busy", "").Fill(map[string]string{"ended": "true"}).Next, ""); !strings.HasPrefix(next, "stop the other process; then start it again: ss ") {
		t.Error(next)
	}
}

// The class is one word, and the same in every place.
func TestClassIsOne(t *testing.T) {
	page := Page()
	for _, e := range All() {
		text, _ := Explain(e.ID, nil)
		if want := "\n  " + upper(e.Kind()) + ": "; !strings.Contains(text, want) {
			t.Errorf("%s: explain does not begin with %q:\n%s", e.ID, want, text)
		}
		if want := "| [" + e.ID + "](#" + e.ID + ") | " + e.Kind() + " |"; !strings.Contains(page, want) {
			t.Errorf("%s: docs/failures.md has no %q", e.ID, want)
		}
	}
}
