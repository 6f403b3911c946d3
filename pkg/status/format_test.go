package status

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"
)

// What a daemon of the first format has answered.
func TestStatusOfFormat1(t *testing.T) {
	raw, err := os.ReadFile("testdata/status-1.json")
	if err != nil {
		t.Fatal(err)
	}
	s, same, err := Decode(raw)
	if err != nil || s.State != Serving || s.Restarts != 1 || s.View.Leader != "etcd-1" || len(s.View.Members) != 1 ||
		s.LastEnd.ID != "killed" || s.LastEnd.Over.IsZero() || s.Values["name"] != "etcd-1" {
		t.Errorf("%+v, %v", s, err)
	}
	if !bytes.Equal(same, raw) {
		t.Errorf("the JSON was changed: %s", same)
	}
}

// A later daemon's status is shown as far as it is known, and its JSON whole.
func TestStatusOfLaterFormat(t *testing.T) {
	raw := `{"format":2,"state":"serving","lastEnd":{"id":7,"cause":"x"},"member":{"name":"a","leader":"a","alarms":"none"},"news":[1.50]}`
	s, same, err := Decode([]byte(raw))
	if err != nil || s.State != Serving || s.View.Leader != "a" || s.LastEnd.Cause != "x" || string(same) != raw {
		t.Errorf("%+v, %s, %v", s, same, err)
	}
	for _, bad := range []string{"", "{}", "null", "7", `{"format":1,"state":7}`, `{"format":2`, `{"format":2,"state":"x"}x`} {
		if s, _, err := Decode([]byte(bad)); err == nil {
			t.Errorf("%s is %+v", bad, s)
		}
	}
}

// The daemon runs as the service user; root asks it and reads the answer at a
// terminal.
func TestStatusCannotControlTheTerminal(t *testing.T) {
	const hostile = "\x1b[2J http://u:secretpw@h \u009b\r"
	s := Status{
		Format: Format, State: Backoff, Reason: hostile, Notices: []string{hostile}, Values: map[string]string{"name": hostile},
		LastEnd:    &End{ID: hostile, Cause: hostile, Next: []string{hostile}},
		View:       View{Name: hostile, Leader: hostile, Alarms: []string{hostile}, Members: []Member{{Name: hostile, PeerURLs: []string{hostile}, Cause: hostile}}},
		Conditions: []Condition{{ID: hostile, Text: hostile}},
	}
	check := func(what, text string) {
		t.Helper()
		for _, c := range []string{"\x1b", "\u009b", "\r", `\u001b`, `\r`, "secretpw"} {
			if strings.Contains(text, c) {
				t.Errorf("%s has %q: %q", what, c, text)
			}
		}
	}
	var b bytes.Buffer
	if err := s.Encode(&b); err != nil {
		t.Fatal(err)
	}
	check("what is written", b.String())
	check("the line", s.Line())
	raw := strings.ReplaceAll(`{"format":1,"state":"serving","reason":"X","member":{"name":"X","members":[{"peerUrls":["X"]}]},"values":{"X":"X"},"news":["X"]}`,
		"X", `\u001b[2J http://u:secretpw@h `+"\u009b"+`\r`)
	read, clean, err := Decode([]byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	check("what is read", read.View.Name+read.View.Members[0].PeerURLs[0]+read.Reason)
	check("the JSON that is read", string(clean))
	for k, v := range read.Values {
		check("a value", k+v)
	}
}

// No text begins a line of its own, and a command is one command.
func TestTextHasNoForgedLines(t *testing.T) {
	s := Status{
		State: Serving, View: View{Name: "a\nnext x", Members: []Member{{Name: "b\nnext x"}}, Conditions: []Condition{{ID: "c; reboot", Text: "d\nnext x"}}},
		LastEnd: &End{Cause: "e\nnext x", Next: []string{"f\nnext x"}}, Notices: []string{"g\nnext x"},
	}
	text := s.Text(time.Now())
	for line := range strings.SplitSeq(text, "\n") {
		if strings.HasPrefix(strings.TrimSpace(line), "next x") && !strings.HasPrefix(line, "            ") {
			t.Errorf("forged: %q in\n%s", line, text)
		}
	}
	if !strings.Contains(text, "etcd-node explain 'c; reboot'") {
		t.Errorf("not quoted:\n%s", text)
	}
}
