package supervisor

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/etcd-node/etcd-node/pkg/identity"
	"github.com/etcd-node/etcd-node/pkg/pipe"
	"github.com/etcd-node/etcd-node/pkg/status"
)

// tellIDs has the member tell its IDs, as soon as it knows them.
func (r *rig) tellIDs(member string, stored, ready bool) {
	r.proc().view(status.View{Name: "a", ClusterID: "c", MemberID: member, Stored: stored, Ready: ready, Leader: "a", Members: single})
	synctest.Wait()
}

// A member is pinned as soon as it has something to lose, and again only under
// other IDs.
func TestPin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := run(t, nil)
		for _, id := range []string{"1", "1", "2"} {
			r.tellIDs(id, true, true)
			r.proc().end(killed())
			r.pass(time.Second)
		}
		if len(r.pins) != 2 || r.pins[0].MemberID != "1" || r.pins[1].MemberID != "2" || r.pins[0].ClusterID != "c" {
			t.Errorf("pinned %+v", r.pins)
		}
		// The next member knows.
		if g := r.proc().received[0].Guard; g.Pin == nil || g.Pin.MemberID != "2" {
			t.Errorf("the member was told %+v", g)
		}
		r.stop()
	})
	synctest.Test(t, func(t *testing.T) {
		pinned := identity.Pin{ClusterID: "c", MemberID: "1"}
		r := run(t, func(o *Options, _ *rig) {
			o.Prepare = func(context.Context, func(string)) (Launch, error) {
				return Launch{StopTimeout: time.Second, Guard: pipe.Guard{Pin: &pinned}}, nil
			}
		})
		r.tellIDs("1", true, true)
		if len(r.pins) != 0 {
			t.Errorf("pinned %+v again", r.pins)
		}
		r.stop()
	})
}

// The pin follows the data to another directory: by it two units are told apart.
func TestPinFollowsTheData(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		since := time.Now().Add(-time.Hour)
		pinned := identity.Pin{ClusterID: "c", MemberID: "1", DataDir: "/old", Since: since}
		r := run(t, func(o *Options, _ *rig) {
			o.Prepare = func(context.Context, func(string)) (Launch, error) {
				return Launch{StopTimeout: time.Second, Guard: pipe.Guard{Pin: &pinned}, Values: map[string]string{"data-dir": "/new"}}, nil
			}
		})
		r.tellIDs("1", true, true)
		r.tellIDs("1", true, true)
		if len(r.pins) != 1 || r.pins[0].DataDir != "/new" || !r.pins[0].Since.Equal(since) {
			t.Errorf("pinned %+v", r.pins)
		}
		r.stop()
	})
}

// With ETCD_NODE_READY=all a member votes for as long as a peer is dead, and
// never serves.
func TestPinBeforeServing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := run(t, func(o *Options, _ *rig) {
			o.Prepare = func(context.Context, func(string)) (Launch, error) {
				return Launch{ReadyAll: true, StopTimeout: time.Second}, nil
			}
		})
		v := status.View{Name: "a", ClusterID: "c", MemberID: "1", Stored: true, Leader: "a", Members: []status.Member{{Name: "a", Self: true, Connected: true}, {Name: "b"}}}
		r.proc().view(v)
		v.Ready = true
		r.proc().view(v)
		synctest.Wait()
		if len(r.pins) != 1 || r.pins[0].MemberID != "1" {
			t.Errorf("pinned %+v", r.pins)
		}
		r.wantTrace(status.Starting, status.Joining)
		r.stop()
	})
}

// A first start that is interrupted before anything is stored may begin anew,
// which a pin would forbid.
func TestNoPinBeforeAnythingIsStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := run(t, nil)
		r.tellIDs("1", false, false)
		r.proc().end(killed())
		r.pass(time.Second)
		if g := r.proc().received[0].Guard; len(r.pins) != 0 || g.Pin != nil {
			t.Errorf("pinned %+v, the member was told %+v", r.pins, g)
		}
		r.stop()
	})
}

// --force-new-cluster counts for one member process; the pin remembers that for
// as long as it is set.
func TestForcedOnce(t *testing.T) {
	forced := status.View{Name: "a", ClusterID: "c", MemberID: "1", Stored: true, Forced: true, Members: single}
	start := func(t *testing.T, pin *identity.Pin) *rig {
		return run(t, func(o *Options, _ *rig) {
			o.Prepare = func(context.Context, func(string)) (Launch, error) {
				return Launch{StopTimeout: time.Second, Guard: pipe.Guard{Pin: pin}}, nil
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		since := time.Now().Add(-time.Hour)
		r := start(t, &identity.Pin{ClusterID: "c", MemberID: "1", Since: since})
		if r.proc().received[0].Guard.Forced {
			t.Error("the first process was told that another had started with it")
		}
		r.proc().view(forced)
		synctest.Wait()
		if len(r.pins) != 1 || !r.pins[0].Forced || !r.pins[0].Since.Equal(since) {
			t.Errorf("pinned %+v", r.pins)
		}
		for range 2 {
			r.proc().end(killed())
			r.pass(time.Second)
			if !r.proc().received[0].Guard.Forced {
				t.Error("a restart was not told")
			}
			r.proc().view(forced) // it is set, but left out
			synctest.Wait()
		}
		if len(r.pins) != 1 {
			t.Errorf("pinned %+v", r.pins)
		}
		r.stop()
	})
	// Without the setting it counts the next time.
	synctest.Test(t, func(t *testing.T) {
		r := start(t, &identity.Pin{ClusterID: "c", MemberID: "1", Forced: true})
		r.tellIDs("1", true, true)
		if len(r.pins) != 1 || r.pins[0].Forced {
			t.Errorf("pinned %+v", r.pins)
		}
		r.stop()
	})
}
