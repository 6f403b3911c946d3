package supervisor

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// systemd drops a message that is longer than it takes, that holds a NUL, or
// whose STATUS= is not UTF-8; and a line break would begin another assignment.
func TestMessageIsTaken(t *testing.T) {
	problem := "ETCD_INITIAL_CLUSTER: " + strings.Repeat("etcd-1=http://192.0.2.1:2380,", 20)
	for name, text := range map[string]string{
		"nothing":           "",
		"many problems":     strings.Repeat(problem+"\n", 50),
		"no blanks":         strings.Repeat("x", 10_000),
		"wide runes":        strings.Repeat("漢", 5000),
		"broken runes":      strings.Repeat("ü\xff\xc3", 5000),
		"NUL":               strings.Repeat("\x00", 5000),
		"an assignment":     "failed:\nREADY=1\r\nMAINPID=1\n",
		"line breaks alone": strings.Repeat("\n", 5000),
	} {
		for _, others := range [][]string{nil, {"READY=1"}, {"STOPPING=1", "EXTEND_TIMEOUT_USEC=30000000"}} {
			got := message(append([]string{statusText + text}, others...))
			if len(got) > messageLimit || !utf8.ValidString(got) || strings.Contains(got, "\x00") {
				t.Errorf("%s: %d bytes, valid: %v", name, len(got), utf8.ValidString(got))
			}
			lines := strings.Split(got, "\n")
			if len(lines) != 1+len(others) || !strings.HasPrefix(lines[0], statusText) {
				t.Fatalf("%s: the lines are %q", name, lines)
			}
			for i, want := range others {
				if lines[i+1] != want {
					t.Errorf("%s: %q became %q", name, want, lines[i+1])
				}
			}
		}
	}
	for _, word := range []string{"x", "漢"} { // no more is lost than must be
		if got := message([]string{statusText + strings.Repeat(word, 5000)}); len(got) < messageLimit-len(word)-1 {
			t.Errorf("%s: cut to %d bytes", word, len(got))
		}
	}
	if got := message([]string{statusText + strings.Repeat("word ", 1000)}); !strings.HasSuffix(got, " word …") {
		t.Errorf("cut in a word: …%s", got[len(got)-20:])
	}
}

// listen plays systemd at a socket.
func listen(t *testing.T, name string) *net.UnixConn {
	t.Helper()
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func wantMessage(t *testing.T, c *net.UnixConn, want string) {
	t.Helper()
	buf := make([]byte, 2*messageLimit)
	c.SetReadDeadline(time.Now().Add(30 * time.Second))
	n, err := c.Read(buf)
	if err != nil || string(buf[:n]) != want {
		t.Errorf("systemd got %q, %v; want %q", buf[:n], err, want)
	}
}

func TestNotifier(t *testing.T) {
	if Notifier("") != nil {
		t.Error("there is a notifier without a socket")
	}
	for _, name := range []string{filepath.Join(t.TempDir(), "notify"), fmt.Sprintf("@etcd-node-test-%d", os.Getpid())} {
		c := listen(t, name)
		notify := Notifier(name)
		if err := notify("STATUS=two\nlines", "READY=1"); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		wantMessage(t, c, "STATUS=two; lines\nREADY=1")
		c.Close()
		os.Remove(name)
		if err := notify("READY=1"); err == nil {
			t.Errorf("%s: no error where nothing listens", name)
		}
	}
}

// A systemd that does not read holds the loop up for a moment only, and gets
// messages again once it reads.
func TestNotifierOfFullSocket(t *testing.T) {
	name := filepath.Join(t.TempDir(), "notify")
	c := listen(t, name)
	notify := Notifier(name)
	taken, err := 0, error(nil)
	for ; err == nil && taken < 10_000; taken++ { // net.unix.max_dgram_qlen is 10, unless it was set
		err = notify("WATCHDOG=1")
	}
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("after %d messages: %v", taken, err)
	}
	wantMessage(t, c, "WATCHDOG=1")
	if err := notify("READY=1"); err != nil {
		t.Errorf("there is room again: %v", err)
	}
}
