package main

import (
	"strings"
	"time"

	"github.com/etcd-node/etcd-node/pkg/failure"
)

// place is about where the members look for each other.
func (p *product) place() []fault {
	return []fault{
		{"first start of one of three", failure.IDNoQuorumYet, shown, goalExplained, p.on(func(s *stage) (string, time.Duration) {
			nodes := s.cluster("a", "b", "c")
			nodes[0].start()
			seen, took := nodes[0].leaderless(failure.IDNoQuorumYet)
			nodes[1].start()
			nodes[0].serves()
			nodes[0].put()
			nodes[0].kept()
			return seen, took
		})},
	}
}

// leaderless waits until the member shows why it has no leader, in a case in
// which a snapshot must not be restored.
func (n *local) leaderless(id string) (seen string, took time.Duration) {
	line, at := n.condition(id)
	if out := n.command("explain"); strings.Contains(out, "snapshot restore") {
		n.s.fail("explain leads to a restore:\n%s", out)
	}
	return n.essence(line), at.Sub(n.begun)
}
