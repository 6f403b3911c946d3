package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/status"
)

// identity is about who lives on this node, and whether its cluster agrees.
func (p *product) identity() []fault {
	wiped := func(state string) fault {
		return fault{"wiped disk of one of three, state " + state + ", no pin", failure.IDWipedRejoin, refusal, goalExplained, p.on(func(s *stage) (string, time.Duration) {
			a, _, c := s.three()
			c.stop()
			s.removeAll(c.Data())
			c.command("forget")
			c.set("ETCD_INITIAL_CLUSTER_STATE", state)
			c.start()
			seen, took := c.refused(failure.IDWipedRejoin)
			a.kept()
			return seen, took
		})}
	}
	return []fault{
		{"empty directory over the data of a cluster of one", failure.IDWiped, waited, goalExplained, p.on(func(s *stage) (string, time.Duration) {
			n := s.used()
			return n.unmounted()
		})},
		{"empty directory over the data of one of three", failure.IDWiped, waited, goalExplained, p.on(func(s *stage) (string, time.Duration) {
			a, _, c := s.three()
			c.stop()
			seen, took := c.unmounted()
			a.kept()
			return seen, took
		})},
		{"the same with a damaged pin", failure.IDWiped, waited, goalExplained, p.on(func(s *stage) (string, time.Duration) {
			n := s.used()
			s.must(os.WriteFile(n.pinFile(), []byte("{"), 0o600))
			return n.unmounted("MEMBER-ID")
		})},
		wiped("new"),
		wiped("existing"),
		{"damaged pin, data in place", failure.IDCannotRecord, carrying + "; the pin is written anew", goalExplained, p.on(func(s *stage) (string, time.Duration) {
			n := s.used()
			s.must(os.WriteFile(n.pinFile(), []byte("{"), 0o600))
			n.start()
			x := n.serves()
			st, _ := n.until("serving", func(st status.Status) bool { return st.View.Ready })
			s.eventually(func() error {
				if raw, _ := os.ReadFile(n.pinFile()); !strings.Contains(string(raw), st.View.MemberID) {
					return fmt.Errorf("the pin was not written anew: %s", raw)
				}
				return nil
			})
			n.kept()
			return "notice: " + n.essence(strings.Join(st.Notices, "; ")), x.At.Sub(n.begun)
		})},
		{"another member's data", failure.IDOtherIdentity, refusal, goalExplained, p.on(func(s *stage) (string, time.Duration) {
			n, other := s.used(), s.serving("b")
			other.stop()
			s.acked = s.acked[:1] // the first one's
			s.must(os.Rename(n.Data(), n.Data()+".kept"))
			s.must(os.Rename(other.Data(), n.Data()))
			n.start()
			seen, took := n.refused(failure.IDOtherIdentity)
			n.restore()
			n.up()
			n.kept()
			return seen, took
		})},
		{"data of a cluster of one on loopback, list of three", failure.IDLoopbackData, refusal, goalExplained, p.on(func(s *stage) (string, time.Duration) {
			n := s.cluster("a")[0]
			n.up()
			n.put()
			n.versioned()
			n.stop()
			n.set("ETCD_INITIAL_CLUSTER", n.Cluster+",b=http://192.0.2.1:2380,c=http://192.0.2.2:2380")
			n.start()
			seen, took := n.refused(failure.IDLoopbackData)
			n.set("ETCD_INITIAL_CLUSTER", n.Cluster)
			n.up()
			n.kept()
			return seen, took
		})},
		{"another cluster token than the other two", failure.IDForeign, refusal, goalExplained, p.on(func(s *stage) (string, time.Duration) {
			nodes := s.cluster("a", "b", "c")
			nodes[2].set("ETCD_INITIAL_CLUSTER_TOKEN", "other")
			for _, n := range nodes {
				n.start()
			}
			seen, took := nodes[2].refused(failure.IDForeign)
			nodes[0].serves()
			nodes[0].kept()
			return seen, took
		})},
		{"removed from the cluster while it runs", failure.IDRemoved, refusal, goalExplained, p.on(func(s *stage) (string, time.Duration) {
			a, _, c := s.three()
			id := c.id()
			c.Mark()
			at := a.remove(id)
			seen, took := c.refused(failure.IDRemoved)
			a.kept()
			return seen, took - at.Sub(c.begun)
		})},
		{"removed from the cluster while it is down", failure.IDRemoved, refusal + "; never READY", goalExplained, p.on(func(s *stage) (string, time.Duration) {
			a, _, c := s.three()
			id := c.id()
			c.stop()
			a.remove(id)
			c.start()
			seen, took := c.refused(failure.IDRemoved)
			if c.said("READY=1") {
				s.fail("it said READY=1")
			}
			a.kept()
			return seen, took
		})},
	}
}

func (n *local) pinFile() string { return filepath.Join(n.Pins(), "pin.json") }

// unmounted puts an empty directory where the data was. The member waits for its
// disk and touches nothing. What somebody puts there by hand is seen, and taken
// at the next start.
func (n *local) unmounted(unknown ...string) (seen string, took time.Duration) {
	n.s.must(os.Rename(n.Data(), n.Data()+".kept"))
	n.s.must(os.Mkdir(n.Data(), 0o700))
	n.start()
	x := n.await("STATUS=joining: waiting for its disk to be mounted: the data dir " + n.Data() + " is empty where a member used to be")
	seen, took = n.essence(x.Text), x.At.Sub(n.begun)
	n.explained(failure.IDWiped, unknown...)
	n.s.must(os.Remove(n.Data())) // which must be empty
	n.s.must(os.Rename(n.Data()+".kept", n.Data()))
	n.await("STATUS=joining: data is there now, but no mount has brought it; once it is whole: systemctl restart etcd")
	n.stop()
	n.up()
	n.kept()
	return seen, took
}

// id is the member's.
func (n *local) id() uint64 {
	st, _ := n.until("a member", func(st status.Status) bool { return st.View.MemberID != "" })
	id, err := strconv.ParseUint(st.View.MemberID, 16, 64)
	n.s.must(err)
	return id
}

// remove removes a member through this one, and returns when that was asked
// for; etcd refuses it for 5 s after a start.
func (n *local) remove(id uint64) (at time.Time) {
	c := n.etcd()
	n.s.eventually(func() error {
		at = time.Now()
		ctx, cancel := context.WithTimeout(n.s.ctx, patience)
		defer cancel()
		_, err := c.MemberRemove(ctx, id)
		return err
	})
	return at
}

// versioned waits until the cluster has stored its version.
func (n *local) versioned() { n.logged("set initial cluster version") }
