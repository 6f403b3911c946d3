package election

import (
	"context"
	"net"
	"slices"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.etcd.io/raft/v3"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/etcd-node/etcd-node/pkg/member/silence"
)

const ms = time.Millisecond

// fakeHosts are the leader's host and those of the other voters; all of them
// live or none.
type fakeHosts struct {
	mu    sync.Mutex
	gone  bool
	asked bool
	asks  int
	heard time.Time
	since time.Time // it vanished or came back, and the leader writes at once

	end        func(error) // ends all connections; the next dials get the error
	abandoned  int
	resolved   [][][]string // the leader's URLs and the others', each time
	unresolved bool
}

func (h *fakeHosts) vanish(gone bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.gone, h.since = gone, time.Now()
}

// vanishAsked has the host vanish when it has just been asked something.
func (h *fakeHosts) vanishAsked() {
	for before := h.asking(); ; time.Sleep(ms) {
		if now := h.asking(); now > before || now == 0 {
			h.vanish(true)
			return
		}
	}
}

func (h *fakeHosts) asking() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.asks
}

// look is a host that says something seldom.
func (h *fakeHosts) look() silence.Look {
	h.mu.Lock()
	defer h.mu.Unlock()
	if now := time.Now(); !h.gone && (h.asked || now.Sub(h.heard) > time.Second) {
		h.heard, h.asked = now, false
	}
	return silence.Look{At: time.Now(), Heard: h.heard, Acked: !h.gone && !h.asked, Sent: h.since, Again: 204 * ms}
}

func (h *fakeHosts) On(net.Conn)                { _ = h }
func (h *fakeHosts) Look() (silence.Look, bool) { return h.look(), true }
func (h *fakeHosts) Refresh()                   { _ = h }
func (h *fakeHosts) Resolve(_ context.Context, host []string, others [][]string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.resolved = append(h.resolved, append([][]string{host}, others...))
	return !h.unresolved
}
func (h *fakeHosts) Abandon() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.abandoned++
}
func (h *fakeHosts) Ask() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.asked, h.asks = true, h.asks+1
	return nil
}

func (h *fakeHosts) left() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.abandoned
}

// fakeVoters are the hosts from the leader's side.
type fakeVoters struct {
	*fakeHosts
	voters map[uint64][]string
}

func (v *fakeVoters) Resolve(_ context.Context, urls map[uint64][]string) { v.voters = urls }
func (v *fakeVoters) Look() (time.Time, map[uint64]silence.Look) {
	looks := map[uint64]silence.Look{}
	for id := range v.voters {
		looks[id] = v.look()
	}
	return time.Now(), looks
}

// listening is a scene in which hosts are listened to. The leader's vanishes with
// vanish; the others are reached, unless alone.
func listening(t *testing.T, self uint64, voters []uint64, change func(*Options)) (f *fakeServer, h *fakeHosts, s Streams, e *Elector, alone func()) {
	var mu sync.Mutex
	cutOff := false
	h = &fakeHosts{}
	var n *fakeNetwork
	f, n, s, e = scene(t, self, voters, func(o *Options) {
		o.Network.Silence = Silence{
			Limit: 400 * ms, Host: func() Host { return h }, Voters: func() Voters { return &fakeVoters{fakeHosts: h} },
		}
		dial := o.Network.Dial
		o.Network.Dial = func(ctx context.Context, address string) (net.Conn, error) {
			mu.Lock()
			off := cutOff
			mu.Unlock()
			h.mu.Lock()
			gone := h.gone
			h.mu.Unlock()
			// A fresh connection leads to where the line leads, which is a pipe here.
			if off || gone && (address == "pipe" || address == hex(lead)+":2380") {
				<-ctx.Done()
				return nil, ctx.Err()
			}
			return dial(ctx, address)
		}
		if change != nil {
			change(o)
		}
	})
	h.mu.Lock()
	h.end = n.end
	h.mu.Unlock()
	return f, h, s, e, func() { mu.Lock(); cutOff = true; mu.Unlock() }
}

// known is the most until a follower knows.
const known = silence.Quiet + 200*ms + 404*ms + 2*50*ms

func TestHostSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, h, _, e, _ := listening(t, first, []uint64{1, 2, 3}, nil)
		h.vanish(true)
		time.Sleep(known)
		if got, want := f.kinds(), []string{"forget", "hup"}; !slices.Equal(got, want) {
			t.Errorf("asked %v, want %v", got, want)
		}
		if at := f.times("hup"); len(at) == 0 || at[0]-f.times("forget")[0] > 5*ms {
			t.Errorf("asked after %v", at)
		}
		if c := e.Counts(); c.Silent != 1 || c.Deaths != 0 || c.Campaigns == 0 {
			t.Errorf("counts %+v", c)
		}
		if n := h.left(); n != 0 { // it may be back, and lead on
			t.Errorf("connections abandoned %d times before another leads", n)
		}
		f.elected(first)
		time.Sleep(time.Minute)
		if c := e.Counts(); c.Deceived != 0 || c.Silent != 1 {
			t.Errorf("counts %+v", c)
		}
		if n := h.left(); n != 1 {
			t.Errorf("connections abandoned %d times when another leads", n)
		}
	})
}

// The other follower, which counts from another moment, has half of the evidence.
func TestHalfSilentAndAnotherAsks(t *testing.T) {
	ignored := func(s Streams) {
		say(s, "3 [logterm: 2, index: 9, vote: 1] ignored MsgPreVote from 2 [logterm: 2, index: 9] at term 2: lease is not expired (remaining ticks: 9)", "", "", 0)
	}
	for after, want := range map[time.Duration]bool{150 * ms: false, 300 * ms: true} { // it was asked
		synctest.Test(t, func(t *testing.T) {
			f, h, s, _, _ := listening(t, second, []uint64{1, 2, 3}, nil)
			ignored(s) // long before
			time.Sleep(time.Second)
			h.vanishAsked()
			time.Sleep(after)
			if at := f.times("forget"); len(at) > 0 {
				t.Fatalf("forgot at %v", at)
			}
			ignored(s)
			time.Sleep(ms)
			if at := f.times("forget"); len(at) > 0 != want {
				t.Errorf("after %v: forgot at %v, want %v", after, at, want)
			}
			f.elected(first)
		})
	}
}

// A host that was heard again was not silent, whoever asks then.
func TestHalfSilentAndHeardAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, h, s, e, _ := listening(t, second, []uint64{1, 2, 3}, nil)
		h.vanishAsked()
		time.Sleep(300 * ms)
		h.vanish(false)
		time.Sleep(200 * ms)
		say(s, "3 [logterm: 2, index: 9, vote: 1] ignored MsgPreVote from 2 [logterm: 2, index: 9] at term 2: lease is not expired (remaining ticks: 9)", "", "", 0)
		time.Sleep(time.Second)
		if c := e.Counts(); c != (Counts{}) || len(f.kinds()) > 0 {
			t.Errorf("asked %v, counts %+v", f.kinds(), c)
		}
		f.elected(first)
		time.Sleep(ms)
		if n := h.left(); n != 0 {
			t.Errorf("connections with a host that is heard abandoned %d times", n)
		}
	})
}

// Others may notice later: they are asked often for as long as that takes, and
// seldom then.
func TestAsksWhileOthersNotice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, h, _, e, _ := listening(t, first, []uint64{1, 2, 3}, func(o *Options) { o.Timeout = 5 * time.Second })
		h.vanish(true)
		time.Sleep(known + 3*time.Second)
		at := f.times("hup")
		late := slices.IndexFunc(at, func(d time.Duration) bool { return d-at[0] > 600*ms })
		for i := 1; i < late; i++ {
			if pause := at[i] - at[i-1]; pause > 100*ms {
				t.Errorf("asked at %v: a pause of %v", at, pause)
			}
		}
		if late < 5 || late > 20 || at[late-1]-at[0] < 400*ms || len(at)-late > 12 {
			t.Errorf("asked %d times at first and %d then: %v", late, len(at)-late, at)
		}
		if c := e.Counts(); c.Campaigns != 1 {
			t.Errorf("counted as %d elections", c.Campaigns)
		}
		f.elected(first)
	})
}

// A process that dies while its host is hushed has died, and that is what is
// counted and said; so does one whose leader has a name.
func TestDiesWhileHushed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.InfoLevel)
		f, h, s, e, _ := listening(t, second, []uint64{1, 2, 3}, func(o *Options) { o.Log = zap.New(core) })
		f.mu.Lock()
		for i := range f.members {
			f.members[i].Name = "member-" + hex(f.members[i].ID)
		}
		f.mu.Unlock()
		time.Sleep(2 * time.Second) // until it is looked at
		h.vanishAsked()
		time.Sleep(300 * ms) // half of the limit, and more
		h.mu.Lock()
		h.gone = false // the host speaks, a moment before its own time is up
		end := h.end
		h.mu.Unlock()
		end(syscall.ECONNREFUSED)
		loseReaders(s, lead)
		say(s, msgLost, fieldWriter, writerProbed, lead)
		time.Sleep(20 * ms)
		if c := e.Counts(); c.Deaths != 1 || c.Silent != 0 {
			t.Errorf("counts %+v", c)
		}
		f.elected(first)
		time.Sleep(ms)
		said := logs.FilterMessageSnippet("the leader is gone").All()
		if len(said) != 1 || said[0].ContextMap()["leader"] != hex(lead) || said[0].ContextMap()["leader-name"] != "member-"+hex(lead) {
			t.Errorf("%v", said)
		}
		said = logs.FilterMessageSnippet("a leader was elected without").All()
		if len(said) != 1 || said[0].ContextMap()["leader-name"] != "member-"+hex(first) || said[0].ContextMap()["was-name"] != "member-"+hex(lead) {
			t.Errorf("%v", said)
		}
	})
}

// The member that is cut off itself gives up nobody, and distrusts nobody then.
func TestCutOffItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, h, _, e, alone := listening(t, first, []uint64{1, 2, 3}, nil)
		alone()
		h.vanish(true)
		time.Sleep(900 * ms) // then etcd acts
		h.vanish(false)
		time.Sleep(time.Second)
		if c := e.Counts(); c != (Counts{}) || len(f.kinds()) > 0 {
			t.Errorf("asked for %v, counts %+v", f.kinds(), c)
		}
	})
}

// A leader that was only away for a moment is known again, and is left to etcd's
// timer for a while.
func TestSilentAndBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, h, _, e, _ := listening(t, first, []uint64{1, 2, 3}, nil)
		for range 2 {
			h.vanish(true)
			time.Sleep(known)
			h.vanish(false)
			time.Sleep(100 * ms)
			if f.View().Raft.Lead == raft.None {
				f.elected(lead)
			}
			time.Sleep(10 * time.Second)
		}
		if c := e.Counts(); c.Silent != 1 || c.Deceived != 1 {
			t.Errorf("counts %+v", c)
		}
		time.Sleep(minDistrust)
		h.vanish(true)
		time.Sleep(known)
		if c := e.Counts(); c.Silent != 2 {
			t.Errorf("counts %+v", c)
		}
		f.elected(first)
	})
}

func TestWhoNeverListens(t *testing.T) {
	for name, tc := range map[string]struct {
		self   uint64
		change func(*Options)
		learns bool
	}{
		"a learner":     {first, nil, true},
		"the leader":    {lead, nil, false},
		"off":           {first, func(o *Options) { o.Network.Silence.Limit = 0 }, false},
		"failover off":  {first, func(o *Options) { o.Failover = false }, false},
		"unix peer URL": {first, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, h, _, e, _ := listening(t, tc.self, []uint64{1, 2, 3}, tc.change)
				f.mu.Lock()
				f.members[1].Learner = tc.learns
				for i := range f.members {
					if name == "unix peer URL" {
						f.members[i].PeerURLs = []string{"unix://localhost:1"}
					}
				}
				f.mu.Unlock()
				time.Sleep(time.Minute) // until the line is renewed
				before := h.asking()
				h.vanish(true)
				time.Sleep(time.Second)
				asked := h.asking() - before
				if name == "unix peer URL" {
					asked = 0 // on the line that it had
				}
				if c := e.Counts(); c != (Counts{}) || asked > 0 || len(f.times("forget")) > 0 && name != "unix peer URL" {
					t.Errorf("asked its host %d times and for %v, counts %+v", asked, f.kinds(), c)
				}
			})
		})
	}
}

// Where the others are is looked up when the leader is new, and then seldom; sooner
// where that was in vain, or a member comes or moves; not while the leader's host
// is silent.
func TestResolves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, h, _, _, alone := listening(t, first, []uint64{1, 2, 3}, nil)
		count := func() (n int, last [][]string) {
			h.mu.Lock()
			defer h.mu.Unlock()
			return len(h.resolved), h.resolved[len(h.resolved)-1]
		}
		var all [][]string
		f.mu.Lock()
		for _, m := range f.members {
			if m.ID == lead {
				all = append([][]string{m.PeerURLs}, all...)
			} else {
				all = append(all, m.PeerURLs)
			}
		}
		f.mu.Unlock()
		time.Sleep(time.Minute)
		if n, last := count(); n != 1 || !slices.EqualFunc(last, all, slices.Equal) {
			t.Errorf("resolved %d times, %v, want %v", n, last, all)
		}
		f.mu.Lock()
		f.members = append(f.members, Member{ID: 99, Learner: true, PeerURLs: []string{"http://new:2380"}})
		f.mu.Unlock()
		time.Sleep(time.Minute) // until it is looked at
		n, last := count()
		if n != 2 || !slices.ContainsFunc(last[1:], func(u []string) bool { return u[0] == "http://new:2380" }) {
			t.Errorf("resolved %d times, %v", n, last)
		}
		h.mu.Lock()
		h.unresolved = true
		h.mu.Unlock()
		time.Sleep(resolvePause)
		before, _ := count()
		time.Sleep(time.Minute)
		if now, _ := count(); now-before < 4 || now-before > 7 {
			t.Errorf("resolved %d times in a minute, in vain", now-before)
		}
		alone()
		h.vanish(true)
		time.Sleep(900 * ms)
		before, _ = count()
		time.Sleep(time.Minute)
		if now, _ := count(); now != before {
			t.Errorf("resolved %d times while the network is away", now-before)
		}
	})
}
