package shown

import (
	"os/exec"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestText(t *testing.T) {
	for s, want := range map[string]string{
		"two\nlines\tü … 漢":                  "two\nlines\tü … 漢",
		"\x1b[31mred\x07\r\x00\x7f":          "?[31mred????",
		"\u0085 \u009b2J":                    "? ?2J",
		"torn \xff\xc3 and \ufffd":           "torn ?? and ?",
		"\u2028\u2029 \u202egnp.exe \u2066x": "?? ?gnp.exe ?x",
		"http://u:p\x1bw@h":                  "http://(redacted)@h",
	} {
		if got := Text(s); got != want {
			t.Errorf("%q: %q, want %q", s, got, want)
		}
	}
}

// hostile are values that would do something in a shell or on a terminal.
var hostile = []string{
	"; rm -rf /", "$(reboot)", "`reboot`", "a b", "it's", "'; reboot; '", `"$HOME"`, `\`, "*", "~root", "{a,b}", "a|b", "a&b", "a>b", "#x", "!x", "",
}

// A shell hands each word on as it was, and runs nothing in it.
func TestQuoted(t *testing.T) {
	for _, s := range hostile {
		out, err := exec.Command("sh", "-c", "printf %s "+Quoted(s)).CombinedOutput()
		if err != nil || string(out) != s {
			t.Errorf("%q as %s: %q, %v", s, Quoted(s), out, err)
		}
	}
	for _, s := range []string{"/var/lib/etcd", "etcd-1=http://192.0.2.1:2380,etcd-2=https://x", "cb84685a2cc9ed23", "a%b+c@d_e"} {
		if Quoted(s) != s {
			t.Errorf("%s is quoted: %s", s, Quoted(s))
		}
	}
	if got, want := Quoted("http://u:pw@h"), "'http://(redacted)@h'"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got := Quoted("a\nreboot\n\x1b[2K"); strings.ContainsAny(got, "\n\x1b") {
		t.Errorf("%q", got)
	}
}

func TestCopy(t *testing.T) {
	type inner struct {
		S    string
		When time.Time
		n    int
	}
	type word string
	type outer struct {
		W    word
		P    *inner
		L    []inner
		M    map[string]string
		A    any
		N    int
		Nils struct {
			P *inner
			L []string
			M map[string]string
			A any
		}
	}
	const bad, good = "\x1b http://u:pw@h", "? http://(redacted)@h"
	now := time.Now()
	make := func(s string) outer {
		return outer{W: word(s), P: &inner{s, now, 1}, L: []inner{{s, now, 2}}, M: map[string]string{s: s}, A: map[string]any{"a": []any{s, 1.5}}, N: 7}
	}
	v := make(bad)
	if got, want := Copy(v), make(good); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if !reflect.DeepEqual(v, make(bad)) {
		t.Errorf("the original was changed: %+v", v)
	}
}
