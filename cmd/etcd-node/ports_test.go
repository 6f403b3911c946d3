package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A second instance on the machine, with the env file of the first but a data dir
// of its own: the member that the cluster knows by this address is alive, and is
// not to be removed.
func TestSecondInstance(t *testing.T) {
	t.Parallel()
	first := running(t)
	for _, name := range []string{"without a pin", "with a pin"} {
		second := newNode(t, "a")
		second.flags = append(append([]string{}, first.flags...), "--data-dir="+second.Data())
		if name == "with a pin" {
			first.pinned(first.status().View.MemberID)
			pin, err := os.ReadFile(filepath.Join(first.Pins(), "pin.json"))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.MkdirAll(second.Pins(), 0o700); err != nil {
				t.Fatal(err)
			}
			pin = []byte(strings.ReplaceAll(string(pin), first.Data(), second.Data()))
			if err := os.WriteFile(filepath.Join(second.Pins(), "pin.json"), pin, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		second.start(true)
		said := second.await("STATUS=backoff: a port of this member is in use by another process: ")
		if want := regexp.MustCompile(regexp.QuoteMeta(strings.TrimPrefix(first.Peer, "http://")) + ` is in use by process [0-9]+ \(`); !want.MatchString(said) {
			t.Errorf("%s: %q does not name the process", name, said)
		}
		if log := strings.Join(second.Lines(), "\n"); strings.Contains(log, "member remove") || strings.Contains(log, "counts on its data") {
			t.Errorf("%s: it blames the data:\n%s", name, log)
		}
		second.stop()
	}
	first.stop()
}
