package member

import (
	"context"
	"sync/atomic"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/client/pkg/v3/types"
	"go.etcd.io/etcd/server/v3/etcdserver"
	"go.etcd.io/etcd/server/v3/etcdserver/api/membership"

	"github.com/etcd-node/etcd-node/pkg/pace"
)

// pollInterval bounds how late a change is seen that nothing announces:
// membership, alarms, a learner's promotion. Each look costs a tenth of a
// millisecond, here and in the loop, for as long as the member lives.
const pollInterval = time.Second

// observer reads etcd in a goroutine of its own. etcd keeps its list of members
// and its alarms locked while it writes a change of them to the database, so a
// look takes as long as the disk hangs; the loop goes on with the last one.
type observer struct {
	look      func() *observation // returns nil before etcd has started
	asked     chan struct{}
	published chan struct{} // receives after last has been set
	last      atomic.Pointer[observation]
	looking   atomic.Pointer[time.Time] // when the look began that has not ended; nil between two looks
}

func newObserver(look func() *observation) *observer {
	return &observer{look: look, asked: make(chan struct{}, 1), published: make(chan struct{}, 1)}
}

// run looks again and again until ctx ends: when it is asked to, when the
// leader changes, and every pollInterval.
func (o *observer) run(ctx context.Context) {
	poll := pace.After(pollInterval)
	for {
		o.looking.Store(new(time.Now()))
		seen := o.look()
		o.looking.Store(nil)
		o.last.Store(seen)
		signal(o.published)
		var leaderChanged <-chan struct{}
		if seen != nil {
			leaderChanged = seen.leaderChanged
		}
		select {
		case <-ctx.Done():
			return
		case <-o.asked:
		case <-leaderChanged:
		case <-poll:
			poll = pace.After(pollInterval)
		}
	}
}

// ask has it look at once, because something has changed. It never blocks.
func (o *observer) ask() { signal(o.asked) }

// stuckSince is when the look began that has been blocked for at least limit;
// nil if there is no such look.
func (o *observer) stuckSince(now time.Time, limit time.Duration) *time.Time {
	if since := o.looking.Load(); since != nil && now.Sub(*since) >= limit {
		return since
	}
	return nil
}

// signal leaves one token in a channel of capacity 1.
func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default: // the last one has not been taken yet
	}
}

// observation is etcd at one moment. It does not change once it is published.
type observation struct {
	ready         bool // to serve; see awaitReady
	removed       bool // from the cluster
	cluster, self types.ID
	leader        types.ID // 0 if there is none
	leaderChanged <-chan struct{}
	term          uint64
	committed     uint64
	applied       uint64
	members       []*membership.Member // sorted by ID; empty until the list is stored
	alarms        []*etcdserverpb.AlarmMember
	auth          bool  // is on
	size, inUse   int64 // of the database, in bytes; the size is what counts against the quota
}

// observe looks at etcd. It can block for as long as the disk hangs.
func observe(s *etcdserver.EtcdServer, ready bool) *observation {
	o := &observation{
		ready: ready, cluster: s.Cluster().ID(), self: s.MemberID(),
		leaderChanged: s.LeaderChangedNotify(), // before the leader is read, or a change would be missed
	}
	o.leader, o.term = s.Leader(), s.Term()
	o.applied, o.committed = s.AppliedIndex(), s.CommittedIndex() // in this order: it is not ahead
	o.removed = s.IsIDRemoved(uint64(o.self))
	o.members, o.alarms = s.Cluster().Members(), s.Alarms()
	o.auth = s.AuthStore().IsAuthEnabled()
	db := s.Backend()
	o.size, o.inUse = db.Size(), db.SizeInUse()
	return o
}

// others are the members but this one.
func (o *observation) others() []*membership.Member {
	var others []*membership.Member
	for _, x := range o.members {
		if x.ID != o.self {
			others = append(others, x)
		}
	}
	return others
}

// absent reports whether a member has its name from the beginning of the cluster,
// which serves, and has itself never served.
func (o *observation) absent(x *membership.Member) bool {
	self := o.member(o.self)
	return o.ready && self != nil && len(self.ClientURLs) > 0 && x.Name != "" && len(x.ClientURLs) == 0
}

// member is the member with this ID, or nil.
func (o *observation) member(id types.ID) *membership.Member {
	for _, x := range o.members {
		if x.ID == id {
			return x
		}
	}
	return nil
}
