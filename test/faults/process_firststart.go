package main

import (
	"net"
	"os"
	"strings"
	"time"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/status"
)

// firstStart is about nodes without data, and about data that is here twice.
func (p *product) firstStart() []fault {
	// lists gives nodes the list of them all.
	lists := func(nodes ...*local) {
		var list []string
		for _, n := range nodes {
			list = append(list, n.Name+"="+n.Peer)
		}
		for _, n := range nodes {
			n.set("ETCD_INITIAL_CLUSTER", strings.Join(list, ","))
		}
	}
	// untouched: nothing was begun.
	untouched := func(n *local) {
		if left, err := os.ReadDir(n.Data()); err != nil && !os.IsNotExist(err) || len(left) > 0 {
			n.s.fail("it began something: %v, %v", left, err)
		}
	}
	const waits = "waits with cause and next step, writes nothing, and goes on by itself when it is followed"
	return []fault{
		{"a longer list beside a cluster of one", failure.IDNotListed, waits, goalExplained, p.on(func(s *stage) (string, time.Duration) {
			a, b := s.single(), s.local("b")
			lists(a, b)
			b.start()
			x := b.await("STATUS=joining: cluster ")
			b.explained(failure.IDNotListed)
			untouched(b)
			a.added(b)
			b.serves()
			b.kept()
			return b.essence(x.Text), x.At.Sub(b.begun)
		})},
		{"state existing on a node that was not added", failure.IDNotListed, waits, goalExplained, p.on(func(s *stage) (string, time.Duration) {
			a, b := s.single(), s.local("b")
			lists(a, b)
			b.set("ETCD_INITIAL_CLUSTER_STATE", "existing")
			b.start()
			x := b.await("STATUS=joining: cluster ")
			b.explained(failure.IDNotListed)
			untouched(b)
			a.added(b)
			b.serves()
			b.kept()
			return b.essence(x.Text), x.At.Sub(b.begun)
		})},
		{"state existing on all of three, and no data", failure.IDNoCluster, "waits with cause and next step, and writes nothing", goalExplained, p.on(func(s *stage) (string, time.Duration) {
			nodes := s.cluster("a", "b", "c")
			for _, n := range nodes {
				n.set("ETCD_INITIAL_CLUSTER_STATE", "existing")
				n.start()
			}
			_, at := nodes[0].condition(failure.IDNoCluster)
			x := nodes[0].await("STATUS=joining: no node of the list has data")
			seen, took := nodes[0].essence(x.Text), at.Sub(nodes[0].begun)
			for _, n := range nodes {
				untouched(n)
				n.stop()
				n.unset("ETCD_INITIAL_CLUSTER_STATE")
				n.start()
			}
			nodes[0].serves()
			nodes[0].put()
			return seen, took
		})},
		{"a listed machine does not answer at the first start", failure.IDNoAnswer, "waits for a while, says why, and begins with a quorum", goalExplained, p.on(func(s *stage) (string, time.Duration) {
			nodes := s.cluster("a", "b", "c")
			l, err := net.Listen("tcp", strings.TrimPrefix(nodes[2].Peer, "http://")) // which accepts, and says nothing
			s.must(err)
			defer l.Close()
			for _, n := range nodes[:2] {
				n.set("ETCD_NODE_BOOTSTRAP_WAIT", "3s")
				n.start()
			}
			_, at := nodes[0].condition(failure.IDNoAnswer)
			x := nodes[0].await("STATUS=joining: waiting up to 3s for an answer from c")
			nodes[0].serves()
			nodes[0].put()
			nodes[0].logged("a new cluster begins although not all of its members could be asked")
			return nodes[0].essence(x.Text), at.Sub(nodes[0].begun)
		})},
		{"data and pin of a running member on another machine", failure.IDCloned, refusal, goalExplained, p.on(func(s *stage) (string, time.Duration) {
			a, b, c := s.three()
			c.stop()
			x := s.local("x")
			for from, to := range map[string]string{c.Data(): x.Data(), c.Pins(): x.Pins()} {
				s.must(os.RemoveAll(to))
				s.must(os.CopyFS(to, os.DirFS(from)))
			}
			c.up()
			lists(a, b, x)
			x.start()
			seen, took := x.refused(failure.IDCloned)
			c.until("connected to all", func(st status.Status) bool { return st.View.AllConnected() })
			a.kept()
			return seen, took
		})},
	}
}

// added adds a node as a member through this one; etcd refuses it for 5 s after a
// start.
func (n *local) added(other *local) {
	c := n.etcd()
	n.s.eventually(func() error {
		_, err := c.MemberAdd(n.s.ctx, []string{other.Peer})
		return err
	})
}
