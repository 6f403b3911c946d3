package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

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
	b.refused(66, "the data dir is empty where a member used to be")
	if c := a.Readies() + b.Readies(); c != 0 {
		t.Errorf("READY=1 was said %d times", c)
	}
	a.stop()
}
