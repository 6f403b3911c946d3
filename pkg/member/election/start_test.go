package election

import (
	"testing"
	"testing/synctest"
	"time"

	"go.etcd.io/etcd/server/v3/lease"
	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"
)

// followers are peers that say that they do not lead.
func followers() *fakeNetwork { return &fakeNetwork{says: lease.ErrNotPrimary.Error()} }

func TestSingleMemberElectsItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeServer(0, 1)
		tries := 0
		f.on = func(kind string) {
			if tries++; tries == 3 { // raft had to apply its configuration first
				f.elected(1)
			}
		}
		run(t, f, 1, &fakeNetwork{}, NewStreams(), nil)
		time.Sleep(time.Minute)
		at := f.times("hup")
		if len(at) != 3 || at[0] > time.Millisecond || at[2] > 20*time.Millisecond {
			t.Errorf("asked at %v", at)
		}
	})
}

// A leader that was known for a moment and is lost again is none: the question
// is put again. Not in a bubble, whose clock would stand still if it were not.
func TestStartLeaderLostAgain(t *testing.T) {
	f, s := newFakeServer(0, 1, 2, 3), NewStreams()
	connect(s, 1, 3)
	run(t, f, 2, followers(), s, nil)
	asked := func() int { return len(f.times("hup")) }
	until(t, "the first question", func() bool { return asked() > 0 })
	before := asked()
	f.mu.Lock() // both at once: nobody may look between the two
	close(f.chosen)
	f.chosen, f.raft.Lead = make(chan struct{}), raft.None
	f.mu.Unlock()
	until(t, "another one", func() bool { return asked() > before })
}

func TestStartNeedsAQuorum(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, s := newFakeServer(0, 1, 2, 3), NewStreams()
		run(t, f, 2, followers(), s, nil)
		time.Sleep(time.Minute)
		if len(f.asked) > 0 {
			t.Fatalf("asked alone: %v", f.kinds())
		}
		synctest.Wait()
		f.mu.Lock()
		if f.views > 310 {
			t.Errorf("looked %d times in a minute in which nothing moved", f.views)
		}
		f.mu.Unlock()
		connect(s, 3)
		time.Sleep(time.Millisecond)
		if at := f.times("hup"); len(at) != 1 {
			t.Errorf("asked at %v, want at once", at)
		}
		f.elected(2)
		time.Sleep(time.Minute)
		if at := f.times("hup"); len(at) != 1 {
			t.Errorf("asked again: %v", at)
		}
	})
}

func TestStartInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, s := newFakeServer(0, 1, 2, 3), NewStreams()
		run(t, f, 3, followers(), s, nil)
		connect(s, 1, 2)
		time.Sleep(baseTurn)
		if at := f.times("hup"); len(at) > 0 {
			t.Errorf("asked at %v, before the others' turns", at)
		}
		f.elected(1)
		time.Sleep(time.Minute)
		if at := f.times("hup"); len(at) > 0 {
			t.Errorf("asked at %v, though there is a leader", at)
		}
	})
}

func TestWhoNeverAsksAtStart(t *testing.T) {
	for name, tc := range map[string]struct {
		members func(*fakeServer)
		change  func(*Options)
	}{
		"a learner":          {func(f *fakeServer) { f.members[1].Learner = true }, nil},
		"follows a leader":   {func(f *fakeServer) { f.raft.Lead = 3 }, nil},
		"not a member yet":   {func(f *fakeServer) { f.members = f.members[:1] }, nil},
		"knows nobody":       {func(f *fakeServer) { f.members = nil }, nil},
		"it is switched off": {func(*fakeServer) {}, func(o *Options) { o.Start = false }},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, s := newFakeServer(0, 1, 2, 3), NewStreams()
				tc.members(f)
				connect(s, 1, 3)
				run(t, f, 2, followers(), s, tc.change)
				time.Sleep(time.Minute)
				if len(f.asked) > 0 {
					t.Errorf("asked for %v", f.kinds())
				}
			})
		})
	}
}

// A leader that was restarted asks out of order, so that its followers learn
// of it.
func TestFormerLeaderAsksAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, s := newFakeServer(0, 1, 2, 3), NewStreams()
		f.raft.HardState = &raftpb.HardState{Vote: new(uint64(3))}
		run(t, f, 3, followers(), s, nil)
		connect(s, 1, 2)
		time.Sleep(time.Millisecond)
		if at := f.times("hup"); len(at) != 1 {
			t.Errorf("asked at %v", at)
		}
		f.elected(1)
	})
}

// raft panics when it campaigns over entries that etcd has compacted already.
func TestNeverBeforeTheLogIsApplied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeServer(0, 1)
		f.raft.HardState = &raftpb.HardState{Commit: new(uint64(9))}
		run(t, f, 1, &fakeNetwork{}, NewStreams(), nil)
		time.Sleep(500 * time.Millisecond)
		if at := f.times("hup"); len(at) > 0 {
			t.Errorf("asked at %v", at)
		}
		f.mu.Lock()
		f.raft.Applied = 9
		f.mu.Unlock()
		time.Sleep(100 * time.Millisecond)
		if at := f.times("hup"); len(at) == 0 {
			t.Error("does not ask")
		}
		f.elected(1)
	})
}

// etcd expects no leader before it has recorded anything.
func TestNeverBeforeAnythingIsRecorded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeServer(0, 1)
		f.unrecorded = true
		run(t, f, 1, &fakeNetwork{}, NewStreams(), nil)
		time.Sleep(100 * time.Millisecond)
		f.mu.Lock()
		f.unrecorded = false
		f.mu.Unlock()
		time.Sleep(20 * time.Millisecond)
		if at := f.times("hup"); len(at) == 0 || at[0] < 100*time.Millisecond {
			t.Errorf("asked at %v", at)
		}
		f.elected(1)
	})
}

// Whoever has just voted for another must not depose it the moment it leads:
// what was proposed in between would be lost, the publication of a member that
// starts for example, which etcd repeats only after seven seconds.
func TestStartAfterAVote(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, s := newFakeServer(0, 1, 2, 3), NewStreams()
		f.raft.HardState = &raftpb.HardState{Term: new(uint64(4)), Vote: new(uint64(1))}
		run(t, f, 1, followers(), s, nil)
		time.Sleep(time.Second)
		f.mu.Lock()
		f.raft.HardState = &raftpb.HardState{Term: new(uint64(5)), Vote: new(uint64(2))}
		f.mu.Unlock()
		connect(s, 2, 3)
		time.Sleep(499 * time.Millisecond)
		if at := f.times("hup"); len(at) > 0 {
			t.Errorf("asked at %v", at)
		}
		time.Sleep(time.Second) // the other did not win
		if at := f.times("hup"); len(at) == 0 {
			t.Error("does not ask")
		}
		f.elected(1)
	})
}
