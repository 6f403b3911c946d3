package member

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	logged "go.uber.org/zap/zaptest/observer"

	"go.etcd.io/etcd/client/pkg/v3/types"

	"github.com/etcd-node/etcd-node/pkg/member/election"
)

// fakeServer is a server that leads until one of its heirs does.
type fakeServer struct {
	committed uint64
	move      func(ctx context.Context, to types.ID) error
	blocked   chan struct{} // until it is closed neither Close nor HardStop ends; nil: they end at once

	mu      sync.Mutex
	leader  types.ID
	changed chan struct{} // closed when the leader changes
	asked   []types.ID    // to lead
	ended   []string      // which of Close and HardStop were called
}

func (f *fakeServer) Leader() types.ID {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.leader
}

func (f *fakeServer) LeaderChangedNotify() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.changed
}

func (f *fakeServer) lead(id types.ID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.leader = id
	close(f.changed)
	f.changed = make(chan struct{})
}

func (f *fakeServer) MoveLeader(ctx context.Context, _, to uint64) error {
	f.mu.Lock()
	f.asked = append(f.asked, types.ID(to))
	f.mu.Unlock()
	return f.move(ctx, types.ID(to))
}

// say notes a step of the stop.
func (f *fakeServer) say(how string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ended = append(f.ended, how)
}

func (f *fakeServer) end(how string) {
	f.say(how)
	if f.blocked != nil {
		<-f.blocked
	}
}

// stopped runs a stop of member 1, which leads 2 and 3, and returns how long it
// took and what it logged.
func stopped(t *testing.T, f *fakeServer, ready bool, connected func(types.ID) bool) (took time.Duration, log *logged.ObservedLogs) {
	return stoppedWith(t, f, ready, connected, func(*shutdown) {})
}

func stoppedWith(_ *testing.T, f *fakeServer, ready bool, connected func(types.ID) bool, change func(*shutdown)) (took time.Duration, log *logged.ObservedLogs) {
	core, log := logged.New(zapcore.InfoLevel)
	f.leader, f.changed = 1, make(chan struct{})
	begun := time.Now()
	s := shutdown{
		leadership: f, committed: func() uint64 { return f.committed },
		close: func() { f.end("close") }, hardStop: func() { f.end("hard stop") },
		closed: func() { zap.New(core).Info(msgClosed) },
		hold:   func(context.Context) func() { f.say("hold"); return func() { f.say("release") } },
		self:   1, heirs: []types.ID{2, 3}, connected: connected, log: zap.New(core),
	}
	change(&s)
	s.run(ready)
	return time.Since(begun), log
}

func all(types.ID) bool { return true }

// refuse is a transfer that etcd gives up when its time is over.
func refuse(ctx context.Context, _ types.ID) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestHandOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f fakeServer
		f.move = func(ctx context.Context, to types.ID) error {
			time.Sleep(2 * time.Millisecond)
			f.say("move")
			f.lead(to)
			return refuse(ctx, to) // it looks once per heartbeat
		}
		took, log := stopped(t, &f, true, all)
		if steps := []string{"hold", "move", "release", "close", "hard stop"}; !slices.Equal(f.ended, steps) {
			t.Errorf("%v, want %v", f.ended, steps)
		}
		if !slices.Equal(f.asked, []types.ID{2}) || took != 2*time.Millisecond || log.FilterMessage("handed over the leadership").Len() != 1 {
			t.Errorf("asked %v, took %v, said %v", f.asked, took, log.All())
		}
	})
}

// The first heir goes away in the middle of it, or cannot lead: the second is
// asked at once.
func TestHandOverToSecondHeir(t *testing.T) {
	for name, first := range map[string]func(*fakeServer, context.Context) error{
		"it goes away": func(f *fakeServer, ctx context.Context) error { return refuse(ctx, 2) },
		"etcd refuses": func(*fakeServer, context.Context) error { return errors.New("bad leader transferee") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var f fakeServer
				begun := time.Now()
				f.move = func(ctx context.Context, to types.ID) error {
					if to == 2 {
						return first(&f, ctx)
					}
					f.lead(to)
					return nil
				}
				gone := func(id types.ID) bool {
					return id != 2 || name == "etcd refuses" || time.Since(begun) < 20*time.Millisecond
				}
				took, _ := stopped(t, &f, true, gone)
				if !slices.Equal(f.asked, []types.ID{2, 3}) || f.leader != 3 || took > 50*time.Millisecond {
					t.Errorf("asked %v, %v leads, took %v", f.asked, f.leader, took)
				}
			})
		})
	}
}

// No heir takes over, and etcd's own call does not come back either: the others
// elect a leader, and the stop goes on in time.
func TestHandOverFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		blocked := make(chan struct{})
		f := fakeServer{move: func(context.Context, types.ID) error { <-blocked; return nil }}
		took, log := stopped(t, &f, true, all)
		if !slices.Equal(f.asked, []types.ID{2, 3}) || took != handoverLimit {
			t.Errorf("asked %v, took %v", f.asked, took)
		}
		if !slices.Equal(f.ended, []string{"hold", "release", "close", "hard stop"}) || log.FilterMessageSnippet("the others will elect a leader").Len() != 1 {
			t.Errorf("ended by %v, said %v", f.ended, log.All())
		}
		close(blocked)
	})
}

// Without an heir nothing is kept back; and nobody is said to elect a leader where
// nobody else can.
func TestNoHeirs(t *testing.T) {
	for alone, warnings := range map[bool]int{true: 0, false: 1} {
		synctest.Test(t, func(t *testing.T) {
			var f fakeServer
			took, log := stoppedWith(t, &f, true, all, func(s *shutdown) { s.heirs, s.alone = nil, alone })
			if took != 0 || !slices.Equal(f.ended, []string{"close", "hard stop"}) {
				t.Errorf("took %v, ended by %v", took, f.ended)
			}
			if got := log.FilterMessageSnippet("the others will elect a leader").Len(); got != warnings {
				t.Errorf("alone %v: said %v", alone, log.All())
			}
		})
	}
}

// Learners cannot lead.
func TestSoleVoter(t *testing.T) {
	o := twoMembers()
	if soleVoter(o) {
		t.Error("there is another")
	}
	other := *o.members[1]
	other.IsLearner = true
	o.members[1] = &other
	if !soleVoter(o) {
		t.Error("the other is a learner")
	}
}

// Neither streams that never end nor a disk that hangs keep the process.
func TestStopLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := fakeServer{move: refuse, blocked: make(chan struct{})}
		took, log := stopped(t, &f, true, all)
		if want := handoverLimit + drainLimit + hardStopLimit; took != want {
			t.Errorf("it took %v, want %v", took, want)
		}
		if log.FilterMessageSnippet("did not stop in time").Len() != 1 {
			t.Errorf("it said %v", log.All())
		}
		close(f.blocked)
	})
}

// Before it is ready a member has nothing to hand over, and no client; it gets
// a moment for its first entry.
func TestStopBeforeReady(t *testing.T) {
	for committed, want := range map[uint64]time.Duration{0: entryLimit, 1: 0} {
		synctest.Test(t, func(t *testing.T) {
			f := fakeServer{committed: committed}
			took, _ := stopped(t, &f, false, all)
			if took != want || f.asked != nil || !slices.Equal(f.ended, []string{"hard stop"}) {
				t.Errorf("committed %d: took %v, asked %v, ended by %v", committed, took, f.asked, f.ended)
			}
		})
	}
}

// Voting members that are connected and answer, the longest connected first.
func TestHeirs(t *testing.T) {
	m := newTestMember()
	o := twoMembers()
	for id := types.ID(3); id <= 6; id++ {
		x := *o.members[1]
		x.ID, x.PeerURLs, x.IsLearner = id, []string{"http://" + id.String()}, id == 5
		o.members = append(o.members, &x)
	}
	for at, id := range []types.ID{4, 2, 5, 3} { // 6 is not connected
		m.heard.connected[id.String()] = time.Unix(int64(at), 0)
	}
	if got := m.heirs(o); !slices.Equal(got, []types.ID{4, 2, 3}) {
		t.Errorf("the heirs are %v", got)
	}
}

// The elector waits for a lock that etcd keeps while the disk hangs, and the
// server has not even started: the stop comes to its end.
func TestStopWithElectorStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newTestMember()
		m.elector = elector{Elector: election.New(election.Options{}), cancel: func() {}, done: make(chan struct{})}
		begun := time.Now()
		m.stop()
		if took := time.Since(begun); took != electorLimit+hardStopLimit {
			t.Errorf("it took %v", took)
		}
		close(m.elector.done)
	})
}
