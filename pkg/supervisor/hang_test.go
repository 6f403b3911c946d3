package supervisor

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/status"
	"github.com/etcd-node/etcd-node/pkg/supervisor/recorder"
)

// A hang is three ticks of the loop's own clock without a word, once.
func TestHangWatch(t *testing.T) {
	for name, tc := range map[string]struct{ events, want string }{ // . tick, _ late tick, x tick without a member, h heard
		"silent":               {"......", "  !   "},
		"beats":                {".h..h..h..h", "           "},
		"then silent":          {".h.....", "    !  "},
		"paused":               {".._.....", "     !  "},
		"paused when heard":    {"..h_....", "      ! "},
		"no member":            {"xxxxxx", "      "},
		"a pause without":      {"xx_...", "     !"},
		"member after a while": {"xxx...", "     !"},
	} {
		w, now := newHangWatch(3*time.Second), time.Now()
		w.lastTick = now
		var got strings.Builder
		for _, event := range tc.events {
			hangs := false
			switch event {
			case 'h':
				w.heard()
			case '_':
				now = now.Add(time.Minute)
				hangs = w.tick(now, true)
			default:
				now = now.Add(time.Second)
				hangs = w.tick(now, event == '.')
			}
			if hangs {
				got.WriteByte('!')
			} else {
				got.WriteByte(' ')
			}
		}
		if got.String() != tc.want {
			t.Errorf("%s: hangs at\n%s\n%s want\n%s", name, tc.events, got.String(), tc.want)
		}
	}
}

func TestSilentMemberIsKilled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := run(t, nil)
		first := r.proc()
		first.serve()
		r.pass(10 * time.Second)
		synctest.Wait()
		if !first.quit || first.killed {
			t.Fatalf("after 10 s: asked what it does: %v, killed: %v", first.quit, first.killed)
		}
		r.s.Status(t.Context()) // for the race detector: orders the read before what follows
		r.pass(dumpLimit)
		if !first.killed || len(r.procs) != 2 {
			t.Fatalf("killed: %v, starts: %d", first.killed, len(r.procs))
		}
		if st, _ := r.s.Status(t.Context()); st.LastEnd.ID != failure.IDHang {
			t.Errorf("last end %q", st.LastEnd.ID)
		}
		r.stop()
	})
}

// A member that can still run says what it hangs in, and is not killed on top.
func TestHangIsDumped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := run(t, func(o *Options, _ *rig) { o.HangLimit = 5 * time.Second })
		first := r.proc()
		first.dump = "goroutine 1 [select]:"
		first.serve()
		r.pass(5 * time.Second)
		if first.killed || len(r.procs) != 2 {
			t.Fatalf("killed: %v, starts: %d", first.killed, len(r.procs))
		}
		dumps, ends := r.kept(recorder.Dump), r.kept(recorder.Ended)
		if len(dumps) != 1 || dumps[0].Dump != first.dump || len(ends) != 1 || ends[0].End.ID != failure.IDHang || ends[0].End.Crash != "" {
			t.Errorf("dumps %+v, ends %+v", dumps, ends)
		}
		r.stop()
	})
}

// A paused machine stops both processes: the first tick after it is late, and
// the member has had no chance to beat.
func TestPausedMachineKillsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := run(t, nil)
		r.proc().serve()
		r.pass(9 * time.Second)
		synctest.Wait()
		r.s.hang.lastTick = r.s.hang.lastTick.Add(-time.Minute) // the loop is asleep
		r.s.Status(t.Context())                                 // for the race detector: orders the write
		r.pass(5 * time.Second)
		if r.proc().killed {
			t.Error("killed although the own tick was late")
		}
		r.beat(5 * time.Second)
		r.stop()
	})
}

// A process in uninterruptible sleep does not end when it is killed.
func TestKilledButThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := run(t, func(o *Options, _ *rig) {
			start := o.Start
			o.Start = func(l Launch) (*Process, error) {
				p, err := start(l)
				p.Kill = func() {}
				return p, err
			}
		})
		r.proc().serve()
		r.pass(12*time.Second + dumpLimit)
		if st, _ := r.s.Status(t.Context()); st.Line() != "serving: the member was killed and has not ended; is its disk hanging? (dmesg)" {
			t.Error(st.Line())
		}
		r.proc().end(killed())
		r.pass(time.Second)
		if st, _ := r.s.Status(t.Context()); st.State != status.Joining || st.Killed {
			t.Errorf("%+v", st)
		}
		r.stop()
	})
}
