package main

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"syscall"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/storage/backend"
	"go.etcd.io/etcd/server/v3/storage/schema"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/status"
)

// cluster is what the others do, or do not.
func (p *product) cluster() []fault {
	return []fault{
		{"quorum lost: two of three stopped", failure.IDNoQuorum, shown, goalExplained, p.on(func(s *stage) (string, time.Duration) {
			a, b, c := s.three()
			at := time.Now()
			b.stop()
			c.stop()
			line, shown := a.condition(failure.IDNoQuorum)
			b.start()
			c.start()
			a.well()
			return a.essence(line), shown.Sub(at)
		})},
		{"quorum lost: two of three frozen", failure.IDNoQuorum, shown, goalExplained, p.on(func(s *stage) (string, time.Duration) {
			a, b, c := s.three()
			at := time.Now()
			b.freeze()
			c.freeze()
			line, shown := a.condition(failure.IDNoQuorum)
			b.thaw()
			c.thaw()
			a.well()
			return a.essence(line), shown.Sub(at)
		})},
		{"one of three frozen, its connections standing", failure.IDPeerFrozen, shown + "; not restarted for having been paused", goalExplained, p.on(func(s *stage) (string, time.Duration) {
			leader, others := s.leads(s.three())
			c := others[0]
			pid := c.member()
			at := time.Now()
			c.freeze()
			line, shown := leader.condition(failure.IDPeerFrozen)
			c.rest(at.Add(15 * time.Second)) // longer than ETCD_NODE_HANG_LIMIT
			c.thaw()
			leader.well()
			if c.member() != pid {
				s.fail("%s was restarted", c.Name)
			}
			c.kept()
			return leader.essence(line), shown.Sub(at)
		})},
		{"NOSPACE alarm: the database has reached its quota", failure.IDNoSpaceAlarm, shown, goalExplained, p.on(func(s *stage) (string, time.Duration) {
			n := s.used()
			n.set("ETCD_QUOTA_BACKEND_BYTES", "4194304")
			n.up()
			at := n.overQuota()
			line, shown := n.condition(failure.IDNoSpaceAlarm)
			n.compactAndDisarm()
			n.well()
			return n.essence(line), shown.Sub(at)
		})},
		{"CORRUPT alarm: a member's database holds another value", failure.IDCorruptAlarm, shown, goalExplained, p.on(func(s *stage) (string, time.Duration) {
			a, b, c := s.three()
			for _, n := range []*local{a, b, c} { // off unless set
				n.stop()
				n.set("ETCD_CORRUPT_CHECK_TIME", "2s")
			}
			c.forge()
			for _, n := range []*local{a, b, c} {
				n.start()
			}
			a.serves()
			line, shown := a.condition(failure.IDCorruptAlarm)
			c.stop()
			c.forge() // a second time: it is as it was
			c.start()
			a.disarm()
			a.well()
			c.kept()
			return a.essence(line), shown.Sub(a.begun)
		})},
		{"another value in the database, --feature-gates=InitialCorruptCheck=true", "data-inconsistent", refusal, goalExplained, p.on(func(s *stage) (string, time.Duration) {
			a, _, c := s.three()
			c.stop()
			c.forge()
			c.set("ETCD_FEATURE_GATES", "InitialCorruptCheck=true")
			c.start()
			seen, took := c.refused("data-inconsistent")
			a.kept()
			return seen, took
		})},
		{"nobody to join answers, for 5 s", failure.IDNoCluster, back, goalServing, p.on(func(s *stage) (string, time.Duration) {
			a, b, c := s.three()
			c.replaceIn(a)
			a.stop()
			b.stop()
			c.start()
			_, at := c.condition(failure.IDNoCluster)
			seen := c.essence(c.await("STATUS=joining: no member of the cluster answers").Text)
			c.rest(at.Add(heldFor))
			a.start()
			b.start()
			c.Mark()
			gone := b.serves().At
			line, took := c.back(gone)
			return then(seen, line), took
		})},
		{"the cluster list names more members than there are", failure.IDOtherMembers, "joins by the cluster's own list, and says what is wrong", goalExplained, p.on(func(s *stage) (string, time.Duration) {
			a, _, c := s.three()
			c.replaceIn(a)
			c.set("ETCD_INITIAL_CLUSTER", a.Cluster+",d=http://127.0.0.1:1")
			c.start()
			c.serves()
			line, at := c.condition(failure.IDOtherMembers)
			c.kept()
			return c.essence(line), at.Sub(c.begun)
		})},
	}
}

// well waits until nothing is wrong, and all that was acknowledged is there.
func (n *local) well() {
	n.until("well again", func(st status.Status) bool {
		return st.State == status.Serving && st.View.Leader != "" && len(st.AllConditions()) == 0 && st.View.AllConnected()
	})
	n.kept()
}

// freeze stops supervisor and member, as a machine that hangs does.
func (n *local) freeze() {
	pid := n.member()
	n.signal(n.PID(), syscall.SIGSTOP)
	n.signal(pid, syscall.SIGSTOP)
	n.frozen = pid
}

func (n *local) thaw() {
	n.signal(n.frozen, syscall.SIGCONT)
	n.signal(n.PID(), syscall.SIGCONT)
}

// overQuota writes until nothing is taken any more, and returns when that was.
func (n *local) overQuota() time.Time {
	c := n.etcd()
	for range 100 {
		if _, err := c.Put(n.s.ctx, "burden", strings.Repeat("x", 256<<10)); errors.Is(err, rpctypes.ErrNoSpace) {
			return time.Now()
		} else if err != nil {
			n.s.must(err)
		}
	}
	n.s.fail("the quota was never reached")
	return time.Time{}
}

// compactAndDisarm is what explain says to do.
func (n *local) compactAndDisarm() {
	c := n.etcd()
	r, err := c.Get(n.s.ctx, "burden")
	n.s.must(err)
	_, err = c.Compact(n.s.ctx, r.Header.Revision, clientv3.WithCompactPhysical())
	n.s.must(err)
	_, err = c.Defragment(n.s.ctx, n.Client)
	n.s.must(err)
	n.disarm()
}

func (n *local) disarm() {
	ctx, cancel := context.WithTimeout(n.s.ctx, patience)
	defer cancel()
	_, err := n.etcd().AlarmDisarm(ctx, &clientv3.AlarmMember{})
	n.s.must(err)
}

// forge changes a value in the database of a member that is down.
func (n *local) forge() {
	n.s.edit(n.db(), func(tx backend.BatchTx) {
		keys, values := tx.UnsafeRange(schema.Key, make([]byte, 17), bytes.Repeat([]byte{0xff}, 17), 1)
		if len(keys) == 0 {
			n.s.fail("%s has no key in its database", n.Name)
		}
		other := bytes.Clone(values[0])
		other[len(other)-1] ^= 1
		tx.UnsafePut(schema.Key, bytes.Clone(keys[0]), other)
	})
}

// replaceIn makes this member, which goes down, a new one of the cluster that
// has not joined yet.
func (n *local) replaceIn(other *local) {
	id := n.id()
	n.stop()
	n.s.removeAll(n.Data())
	n.command("forget")
	other.remove(id)
	c := other.etcd()
	n.s.eventually(func() error { _, err := c.MemberAdd(n.s.ctx, []string{n.Peer}); return err })
	n.set("ETCD_INITIAL_CLUSTER_STATE", "existing")
}
