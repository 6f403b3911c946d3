package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The data and the pin of a cluster of one are copied to a second machine while
// it is off, and both get the list of both.
func TestCopyOfAMachineThatIsOff(t *testing.T) {
	t.Parallel()
	a, b := single(t), newNode(t, "b")
	cluster(b) // for the flags
	a.up()
	a.put("k", "v")
	a.stop()
	for from, to := range map[string]string{a.Data(): b.Data(), a.Pins(): b.Pins()} {
		if err := os.RemoveAll(to); err != nil {
			t.Fatal(err)
		}
		if err := os.CopyFS(to, os.DirFS(from)); err != nil {
			t.Fatal(err)
		}
	}
	pin := filepath.Join(b.Pins(), "pin.json") // another machine has the same path
	raw, err := os.ReadFile(pin)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(pin, []byte(strings.ReplaceAll(string(raw), a.Data(), b.Data())), 0o600); err != nil {
		t.Fatal(err)
	}
	a.list(a, b)
	b.list(a, b)
	b.start(true) // alone: nobody could tell it
	b.await("STATUS=failed: the data here is another machine's: its data is of a (" + a.Peer + "), which is another entry of the list; this machine is b")
	b.exits(76)
	a.up()
	a.holds("k", "v")
}
