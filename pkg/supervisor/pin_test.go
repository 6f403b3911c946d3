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

// A member pins itself when it serves, and again only under other IDs.
func TestPin(t *testing.T) {
	serve := func(r *rig, member string) {
		r.proc().view(status.View{Name: "a", ClusterID: "c", MemberID: member, Ready: true, Leader: "a", Members: single})
		synctest.Wait()
	}
	synctest.Test(t, func(t *testing.T) {
		r := run(t, nil)
		for _, id := range []string{"1", "1", "2"} {
			serve(r, id)
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
		serve(r, "1")
		if len(r.pins) != 0 {
			t.Errorf("pinned %+v again", r.pins)
		}
		r.stop()
	})
}
