package election

import (
	"context"
	"errors"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"
)

// Members of these tests: 1 leads unless said otherwise.
const (
	lead   = 1
	first  = 2 // of the survivors
	second = 3
)

// kill is what a follower sees of a leader's process that dies; the stream
// that the leader opened tells its end at the second knock.
func kill(f *fakeServer, n *fakeNetwork, s Streams) { killed(f, n, s, syscall.ECONNREFUSED) }

// killed is the same, with what the next dial gets.
func killed(f *fakeServer, n *fakeNetwork, s Streams, redial error) {
	var knocks atomic.Int32
	f.mu.Lock()
	on := f.on
	f.on = func(kind string) {
		if kind == "knock" {
			if knocks.Add(1) == 2 {
				loseWriter(s, lead)
			}
		}
		if on != nil {
			on(kind)
		}
	}
	f.mu.Unlock()
	n.end(redial)
	loseReaders(s, lead)
}

// scene is a follower of lead that has been watching it for a minute, and does not
// renew its connection at this moment.
func scene(t *testing.T, self uint64, voters []uint64, change func(*Options)) (*fakeServer, *fakeNetwork, Streams, *Elector) {
	f, n, s := newFakeServer(lead, voters...), &fakeNetwork{}, NewStreams()
	for _, id := range voters {
		if id != self {
			connect(s, id)
		}
	}
	e := run(t, f, self, n, s, change)
	time.Sleep(time.Minute + renewAfter()/2)
	if asked := f.kinds(); len(asked) != 0 {
		t.Fatalf("asked for %v while all was well", asked)
	}
	f.mu.Lock()
	f.begun = time.Now()
	f.mu.Unlock()
	return f, n, s, e
}

func TestFirstInRankAsksAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, n, s, e := scene(t, first, []uint64{1, 2, 3}, nil)
		kill(f, n, s)
		time.Sleep(10 * time.Millisecond)
		f.elected(first)
		time.Sleep(time.Minute)
		if got, want := f.kinds(), []string{"knock", "forget", "hup"}; !slices.Equal(got, want) {
			t.Errorf("asked %v, want %v", got, want)
		}
		if at := f.times("hup"); at[0] > 5*time.Millisecond {
			t.Errorf("asked after %v", at[0])
		}
		if c := e.Counts(); c.Deaths != 1 || c.Deceived != 0 || c.Campaigns == 0 {
			t.Errorf("counts %+v", c)
		}
	})
}

// etcd refuses a message in the name of a member whose removal it has applied a
// moment ago. The elector goes on.
func TestRefusedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, n, s, e := scene(t, first, []uint64{1, 2, 3}, nil)
		f.mu.Lock()
		f.refuse = errors.New("cannot process message from removed member")
		f.mu.Unlock()
		kill(f, n, s)
		time.Sleep(2 * pollInterval)
		f.elected(first)
		time.Sleep(time.Minute)
		if got, want := f.kinds(), []string{"knock", "forget", "hup"}; !slices.Equal(got, want) {
			t.Errorf("asked %v, want %v", got, want)
		}
		if c := e.Counts(); c.Deaths != 1 {
			t.Errorf("%+v", c)
		}
	})
}

// The second forgets at once, to be able to vote, and asks only when the first
// has not been elected.
func TestSecondInRankWaits(t *testing.T) {
	for _, elected := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			f, n, s, _ := scene(t, second, []uint64{1, 2, 3}, nil)
			kill(f, n, s)
			time.Sleep(baseTurn - 10*time.Millisecond)
			synctest.Wait()
			if at := f.times("forget"); len(at) != 1 || at[0] > 5*time.Millisecond {
				t.Errorf("forgot at %v", at)
			}
			if at := f.times("hup"); len(at) > 0 {
				t.Errorf("asked at %v", at)
			}
			if elected {
				f.elected(first)
			}
			time.Sleep(100 * time.Millisecond)
			if at := f.times("hup"); len(at) > 0 == elected {
				t.Errorf("elected %v: asked at %v", elected, at)
			}
			f.elected(second)
		})
	}
}

// Where the first asks in vain because our log is longer, it is our turn.
func TestSecondInRankAsksWhenItRefusedTheFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, n, s, _ := scene(t, second, []uint64{1, 2, 3}, nil)
		kill(f, n, s)
		time.Sleep(5 * time.Millisecond)
		say(s, "3 [logterm: 2, index: 9, vote: 0] rejected MsgPreVote from 2 [logterm: 2, index: 8] at term 2", "", "", 0)
		time.Sleep(time.Millisecond)
		if len(f.times("hup")) == 0 {
			t.Error("waits")
		}
		f.elected(second)
	})
}

// With five members another may still elect the first, so we wait.
func TestRefusalThatDecidesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, n, s, _ := scene(t, second, []uint64{1, 2, 3, 4, 5}, nil)
		kill(f, n, s)
		time.Sleep(5 * time.Millisecond)
		say(s, "3 [logterm: 2, index: 9, vote: 0] rejected MsgPreVote from 2 [logterm: 2, index: 8] at term 2", "", "", 0)
		time.Sleep(10 * time.Millisecond)
		if at := f.times("hup"); len(at) != 0 {
			t.Errorf("asked at %v", at)
		}
		f.elected(first)
	})
}

// The member before us is dead too.
func TestRankCountsTheConnected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, n, s, _ := scene(t, second, []uint64{1, 2, 3, 4, 5}, nil)
		loseReaders(s, first)
		kill(f, n, s)
		time.Sleep(10 * time.Millisecond)
		if len(f.times("hup")) == 0 {
			t.Error("waits for the dead")
		}
		f.elected(second)
	})
}

// A candidate is not restarted: its vote may take long to be written, and the
// question would throw it away. Once it cannot win any more, it asks again.
func TestCandidateIsLeftAlone(t *testing.T) {
	for name, lose := range map[string]func(*fakeServer, Streams){
		"split votes": func(_ *fakeServer, s Streams) {
			say(s, "2 received MsgVoteResp rejection from 3 at term 7", "", "", 0)
		},
		"a quorum against it": func(f *fakeServer, _ Streams) { f.become(raft.StateFollower, 7, first) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, n, s, _ := scene(t, first, []uint64{1, 2, 3}, nil)
				var once sync.Once
				f.mu.Lock()
				f.on = func(kind string) {
					if kind == "hup" {
						once.Do(func() { f.become(raft.StateCandidate, 7, first) })
					}
				}
				f.mu.Unlock()
				kill(f, n, s)
				time.Sleep(time.Second)
				if at := f.times("hup"); len(at) != 1 {
					t.Errorf("asked at %v", at)
				}
				say(s, "2 received MsgVoteResp rejection from 3 at term 6", "", "", 0) // of an election before
				time.Sleep(100 * time.Millisecond)
				if at := f.times("hup"); len(at) != 1 {
					t.Errorf("asked at %v", at)
				}
				loseReaders(s, second) // it may vote all the same
				time.Sleep(time.Second / 2)
				if at := f.times("hup"); len(at) != 1 {
					t.Errorf("asked at %v", at)
				}
				connect(s, second)
				lose(f, s)
				time.Sleep(time.Second / 2)
				if at := f.times("hup"); len(at) < 2 {
					t.Errorf("asked at %v", at)
				}
				f.elected(first)
			})
		})
	}
}

// What is not the whole evidence.
func TestHalfEvidence(t *testing.T) {
	for _, tc := range []struct {
		name   string
		do     func(f *fakeServer, n *fakeNetwork, s Streams)
		doubts int
	}{
		{"streams lost, connection stands", func(_ *fakeServer, _ *fakeNetwork, s Streams) { loseReaders(s, lead); loseWriter(s, lead) }, 0},
		{"connection reset, streams lost, port answers", func(_ *fakeServer, n *fakeNetwork, s Streams) {
			n.end(nil)
			loseReaders(s, lead)
			loseWriter(s, lead)
		}, 0},
		{"timeout", func(_ *fakeServer, n *fakeNetwork, s Streams) {
			n.end(syscall.ETIMEDOUT)
			loseReaders(s, lead)
			loseWriter(s, lead)
		}, 0},
		{"refused, raft still hears it", func(_ *fakeServer, n *fakeNetwork, _ Streams) { n.end(syscall.ECONNREFUSED) }, 1},
		{"refused, one stream left", func(_ *fakeServer, n *fakeNetwork, s Streams) {
			n.end(syscall.ECONNREFUSED)
			say(s, msgLost, fieldReader, "stream Message", lead)
			loseWriter(s, lead)
		}, 1},
		{"refused, its own connection to us stands: a firewall or DNAT in front of it", func(_ *fakeServer, n *fakeNetwork, s Streams) {
			n.end(syscall.ECONNREFUSED)
			loseReaders(s, lead)
		}, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, n, s, e := scene(t, first, []uint64{1, 2, 3}, nil)
				tc.do(f, n, s)
				time.Sleep(10 * time.Second)
				if len(f.times("forget"))+len(f.times("hup")) > 0 {
					t.Errorf("asked for %v", f.kinds())
				}
				if c := e.Counts(); c.Doubts != tc.doubts || c.Deaths != 0 {
					t.Errorf("counts %+v", c)
				}
				if k := len(f.times("knock")); k > quickKnocks+12 {
					t.Errorf("knocked %d times", k)
				}
			})
		})
	}
}

// A new leader may be there when the old one's death is known, before the elector
// looks or after it: then it is too late to give up or to ask.
func TestNewerLeader(t *testing.T) {
	for _, before := range []string{"knock", "forget", "hup"} {
		t.Run(before, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, n, s, e := scene(t, first, []uint64{1, 2, 3}, nil)
				f.mu.Lock()
				f.before = func(kind string) {
					if kind == before {
						f.raft.Lead, f.raft.HardState = second, &raftpb.HardState{Term: new(uint64(3)), Vote: new(uint64(second))}
					}
				}
				f.mu.Unlock()
				kill(f, n, s)
				time.Sleep(time.Minute)
				want := map[string][]string{"knock": {"knock"}, "forget": {"knock", "late forget"}, "hup": {"knock", "forget", "late hup"}}[before]
				if got := f.kinds(); !slices.Equal(got[:min(len(got), len(want))], want) || f.View().Raft.Lead != second {
					t.Errorf("asked %v, want %v; it follows %d", got, want, f.View().Raft.Lead)
				}
				if c := e.Counts(); c.Deceived > 0 {
					t.Errorf("counts %+v", c)
				}
			})
		})
	}
}

// A member that has agreed to another leaves it the time to stand, once.
func TestAgreedToAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, n, s, _ := scene(t, second, []uint64{1, 2, 3}, nil)
		kill(f, n, s)
		time.Sleep(10 * time.Millisecond)
		agree := func() {
			say(s, "3 [logterm: 2, index: 9, vote: 0] cast MsgPreVote for 2 [logterm: 2, index: 9] at term 2", "", "", 0)
		}
		agree()
		time.Sleep(200 * time.Millisecond)
		if at := f.times("hup"); len(at) > 0 {
			t.Errorf("asked at %v", at)
		}
		for range 4 {
			agree()
			time.Sleep(100 * time.Millisecond)
		}
		if at := f.times("hup"); len(at) == 0 {
			t.Error("does not ask, though the other never stands")
		}
		f.elected(second)
	})
}

// The order takes the longer the farther the members are apart.
func TestOrderFarApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const trip = 60 * time.Millisecond
		f, n, s, _ := scene(t, second, []uint64{1, 2, 3}, func(o *Options) {
			dial := o.Network.Dial
			o.Network.Dial = func(ctx context.Context, address string) (net.Conn, error) {
				time.Sleep(trip)
				return dial(ctx, address)
			}
		})
		kill(f, n, s)
		time.Sleep(time.Second)
		if at := f.times("hup"); len(at) == 0 || at[0]-f.times("forget")[0] < baseTurn+2*trip {
			t.Errorf("asked at %v, forgot at %v", at, f.times("forget"))
		}
		f.elected(second)
	})
}

func TestWhoNeverAsks(t *testing.T) {
	for name, tc := range map[string]struct {
		self    uint64
		members func(*fakeServer)
		change  func(*Options)
		// evidence: it sees the leader die, and has no right to act on it.
		evidence bool
	}{
		"a learner":     {first, func(f *fakeServer) { f.members[1].Learner = true }, nil, true},
		"the leader":    {lead, func(*fakeServer) {}, nil, false},
		"a removed one": {first, func(f *fakeServer) { f.members = slices.Delete(f.members, 1, 2) }, nil, true},
		"switched off":  {first, func(*fakeServer) {}, func(o *Options) { o.Failover = false }, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, n, s, e := scene(t, tc.self, []uint64{1, 2, 3}, tc.change)
				f.mu.Lock()
				all := slices.Clone(f.members)
				tc.members(f)
				f.mu.Unlock()
				kill(f, n, s)
				if !tc.evidence {
					time.Sleep(10 * time.Second)
				} else {
					time.Sleep(300 * time.Millisecond)
				}
				if len(f.times("forget"))+len(f.times("hup")) > 0 || e.Counts().Deaths > 0 {
					t.Errorf("asked for %v", f.kinds())
				}
				if tc.evidence { // given the vote, it acts on what it knows
					f.mu.Lock()
					f.members = all
					f.mu.Unlock()
					time.Sleep(time.Second)
					if e.Counts().Deaths == 0 {
						t.Error("it had no evidence")
					}
				}
			})
		})
	}
}

// A leader that lives is known again with its next heartbeat. It is left alone
// for a minute, then two, and so on, however often the same happens.
func TestDeceived(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, n, s, e := scene(t, first, []uint64{1, 2, 3}, nil)
		go func() { // deceived again and again, every ten seconds
			for range 60 * 6 {
				n.mu.Lock()
				n.err = nil
				n.mu.Unlock()
				connect(s, lead)
				time.Sleep(9 * time.Second)
				n.end(syscall.ECONNREFUSED)
				loseReaders(s, lead)
				loseWriter(s, lead)
				for range 10 { // heartbeats
					time.Sleep(100 * time.Millisecond)
					if f.View().Raft.Lead == raft.None {
						f.elected(lead)
					}
				}
			}
		}()
		time.Sleep(time.Hour + time.Minute)
		var at []time.Duration
		for _, d := range f.times("forget") { // with the first heartbeat, perhaps, once more
			if len(at) == 0 || d-at[len(at)-1] > time.Second {
				at = append(at, d)
			}
		}
		if len(at) < 4 || len(at) > 6 {
			t.Fatalf("forgot a living leader %d times in an hour: %v", len(at), at)
		}
		pause := minDistrust
		for i := 1; i < len(at); i++ {
			if d := at[i] - at[i-1]; d < pause {
				t.Errorf("pause %d was %v, want at least %v", i, d, pause)
			}
			pause *= 2
		}
		if c := e.Counts(); c.Deceived != len(at) {
			t.Errorf("counts %+v", c)
		}
	})
}

// Survivors that honour their lease to its end, as stock etcd does, are asked
// again until then.
func TestAsksAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, n, s, _ := scene(t, first, []uint64{1, 2, 3}, nil)
		kill(f, n, s)
		time.Sleep(1100 * time.Millisecond)
		at := f.times("hup")
		if last := at[len(at)-1]; last < time.Second {
			t.Errorf("asked last after %v", last)
		}
		time.Sleep(time.Minute)
		if at := f.times("hup"); at[len(at)-1] > 2100*time.Millisecond {
			t.Errorf("asked last after %v: etcd's timer has taken over by then", at[len(at)-1])
		}
		f.elected(first)
	})
}

// The leader was restarted before anybody noticed: nothing refuses, but it asks
// for an election itself.
func TestLeaderAsks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, _, s, _ := scene(t, first, []uint64{1, 2, 3}, nil)
		say(s, "2 [logterm: 2, index: 9, vote: 1] ignored MsgPreVote from 3 [logterm: 2, index: 9] at term 2: lease is not expired (remaining ticks: 9)", "", "", 0)
		time.Sleep(time.Second)
		if got := f.kinds(); len(got) != 0 {
			t.Fatalf("asked %v when another follower asked", got)
		}
		f.begun = time.Now()
		say(s, "2 [logterm: 2, index: 9, vote: 1] ignored MsgPreVote from 1 [logterm: 2, index: 9] at term 2: lease is not expired (remaining ticks: 9)", "", "", 0)
		time.Sleep(10 * time.Millisecond)
		if got, want := f.kinds(), []string{"forget", "hup"}; !slices.Equal(got, want) {
			t.Errorf("asked %v, want %v", got, want)
		}
		f.elected(first)
	})
}

// It was restarted before we noticed, but another follower did in time, and asks.
func TestAnotherAsks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, n, s, _ := scene(t, second, []uint64{1, 2, 3}, nil)
		killed(f, n, s, nil) // its successor accepts
		time.Sleep(20 * time.Millisecond)
		if at := f.times("forget"); len(at) > 0 {
			t.Fatalf("forgot at %v, though nobody refused or asked", at)
		}
		say(s, "3 [logterm: 2, index: 9, vote: 1] ignored MsgPreVote from 2 [logterm: 2, index: 9] at term 2: lease is not expired (remaining ticks: 9)", "", "", 0)
		time.Sleep(time.Millisecond)
		if at := f.times("forget"); len(at) != 1 {
			t.Errorf("forgot at %v", at)
		}
		f.elected(first)
	})
}

// A member that has fallen behind may hear a leader of which it has not applied
// yet that it was added. That one is not removed.
func TestLeaderNotYetAMember(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, s := newFakeServer(4, 1, 2, 3), NewStreams()
		connect(s, 1, 2)
		e := run(t, f, 3, &fakeNetwork{}, s, nil)
		time.Sleep(time.Minute)
		if c := e.Counts(); c != (Counts{}) || len(f.asked) > 0 {
			t.Fatalf("it asked %v: %+v", f.kinds(), c)
		}
		f.mu.Lock()
		f.removed = append(f.removed, 4)
		f.mu.Unlock()
		time.Sleep(time.Second)
		if c := e.Counts(); c.Deaths != 1 {
			t.Errorf("removed, it was not given up: %+v", c)
		}
	})
}
