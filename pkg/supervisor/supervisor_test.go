package supervisor

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/etcd-node/etcd-node/pkg/status"
)

func TestReadyAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := run(t, func(o *Options, _ *rig) {
			o.Prepare = func(context.Context, func(string)) (Launch, error) {
				return Launch{ReadyAll: true, StopTimeout: time.Second}, nil
			}
		})
		members := func(connected bool) []status.Member {
			return []status.Member{{Name: "a", Self: true, Connected: true}, {Name: "b", Connected: true}, {Name: "c", Connected: connected, Cause: "refused"}, {Name: "l", Learner: true}}
		}
		r.proc().view(status.View{Name: "a", Ready: true, Leader: "b", Members: members(false)})
		synctest.Wait()
		if st, _ := r.s.Status(t.Context()); st.State != status.Joining || !strings.Contains(st.Line(), "ETCD_NODE_READY=all waits for c (refused)") {
			t.Errorf("with a member missing: %s", st.Line())
		}
		r.proc().view(status.View{Name: "a", Ready: true, Leader: "b", Members: members(true)})
		synctest.Wait()
		if st, _ := r.s.Status(t.Context()); st.State != status.Serving {
			t.Errorf("with all voting members connected: %s", st.Line())
		}
		r.stop()
	})
}

func TestWatchdogAtHalf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := run(t, func(o *Options, _ *rig) { o.Watchdog = 4 * time.Second })
		r.beat(9 * time.Second)
		if len(r.pings) != 4 {
			t.Errorf("%d pings in 9 s with WatchdogSec=4", len(r.pings))
		}
		r.stop()
	})
}
