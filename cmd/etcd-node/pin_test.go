package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/status"
	"github.com/etcd-node/etcd-node/test/poll"
)

// pinned waits until the pin names a member.
func (n *node) pinned(id string) {
	n.t.Helper()
	path := filepath.Join(n.Pins(), "pin.json")
	poll.Eventually(n.t, func() error {
		raw, err := os.ReadFile(path)
		if err == nil && (id == "" || !strings.Contains(string(raw), id)) {
			err = fmt.Errorf("%s: the pin does not name %q: %s", n.Name, id, raw)
		}
		return err
	})
}

// Two of three vote for as long as the third is dead, and never serve with
// ETCD_NODE_READY=all. They are pinned all the same: the votes must not be lost.
func TestPinWithReadyAll(t *testing.T) {
	t.Parallel()
	a, b, _ := abc(t)
	for _, n := range []*node{a, b} {
		n.env = []string{"ETCD_NODE_READY=all"}
		n.start(true)
	}
	for _, n := range []*node{a, b} {
		st := n.until("waiting for c", func(st status.Status) bool {
			return st.State == status.Joining && strings.Contains(st.Line(), "ETCD_NODE_READY=all waits for c")
		})
		n.pinned(st.View.MemberID)
	}
	b.stop()
	b.wipe()
	b.start(true)
	b.awaitsDisk()
	if c := a.Readies() + b.Readies(); c != 0 {
		t.Errorf("READY=1 was said %d times", c)
	}
	a.stop()
}

// Where a unit has no directory for the pin the status says so. A daemon that is
// run by hand has none either, which is not worth a word.
func TestStatusWithoutPinDirectory(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		managed bool
		dirs    []string
		said    bool
	}{{true, nil, true}, {true, []string{"data"}, true}, {true, []string{"data", "pin"}, false}, {false, nil, false}} {
		n := single(t)
		var dirs []string
		for _, dir := range tc.dirs {
			dirs = append(dirs, filepath.Join(n.Dir, dir))
		}
		n.env = []string{"STATE_DIRECTORY=" + strings.Join(dirs, ":")}
		n.start(tc.managed)
		st := n.until("serving", serving)
		said := slices.ContainsFunc(st.Conditions, func(c status.Condition) bool {
			return c.ID == failure.IDCannotRecord && strings.Contains(c.Text, "StateDirectory=etcd etcd-node")
		})
		if said != tc.said || said != strings.Contains(st.Line(), "an empty data dir will not be recognised as a lost one") {
			t.Errorf("managed %v, %q: %s", tc.managed, tc.dirs, st.Line())
		}
		n.stop()
	}
}

// A second unit on the machine that was copied from the first one, directories
// and all: it begins nothing, and takes nothing from the first.
func TestTwoUnitsOnePin(t *testing.T) {
	t.Parallel()
	first, second := running(t), single(t)
	id := first.status().View.MemberID
	first.pinned(id)
	second.env = []string{"STATE_DIRECTORY=" + second.Data() + ":" + first.Pins(), "RUNTIME_DIRECTORY=" + first.Run()}
	second.start(true)
	second.await("STATUS=failed: this pin is of " + first.Data() + ": give this unit its own StateDirectory, RuntimeDirectory and LogsDirectory")
	second.exits(78)
	if left, _ := filepath.Glob(filepath.Join(second.Data(), "member", "wal")); len(left) > 0 {
		t.Errorf("it began: %v", left)
	}
	if _, err := second.Logged(t.Context(), "another daemon answers at "); err != nil {
		t.Error(err)
	}
	first.pinned(id)
	if st := first.status(); !serving(st) || st.View.MemberID != id {
		t.Errorf("the first one: %s", st.Line())
	}
	first.stop()

	// The same member in another place: its data is there.
	moved := filepath.Join(first.Dir, "moved")
	if err := os.Rename(first.Data(), moved); err != nil {
		t.Fatal(err)
	}
	first.up("--data-dir=" + moved)
	first.pinned(moved)
	first.stop()
}
