package flight

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"
)

// world is a cluster of members with real raft and real trackers, in the time of a
// bubble.
type world struct {
	members map[uint64]*member
	trips   map[uint64]time.Duration // from each member, on raft's streams
	next    atomic.Uint64            // of the requests' IDs
}

type member struct {
	raft.Node
	*world
	id      uint64
	tracker *Tracker
	lines   map[uint64]chan sent // to each other member; a line keeps the order
	props   chan *raftpb.Message // raft can block on a proposal: see rafthttp
	applied atomic.Uint64

	mu      sync.Mutex
	changed chan struct{}
	waiting map[uint64]chan struct{}
}

type sent struct {
	*raftpb.Message
	due time.Time
}

func newWorld(ctx context.Context, trips map[uint64]time.Duration) (w *world, ended *sync.WaitGroup) {
	w, ended = &world{members: map[uint64]*member{}, trips: trips}, &sync.WaitGroup{}
	peers := []raft.Peer{}
	for id := range trips {
		peers = append(peers, raft.Peer{ID: id})
	}
	for id := range trips {
		m := &member{
			world: w, id: id, tracker: New(Options{Timeout: time.Second, Changed: func() {}}), lines: map[uint64]chan sent{},
			props: make(chan *raftpb.Message, 1<<12), changed: make(chan struct{}), waiting: map[uint64]chan struct{}{},
		}
		for to := range trips {
			m.lines[to] = make(chan sent, 1<<12)
		}
		w.members[id] = m
	}
	for id, m := range w.members {
		storage := raft.NewMemoryStorage()
		m.Node = raft.StartNode(&raft.Config{
			ID: id, ElectionTick: 10, HeartbeatTick: 1, Storage: storage, MaxSizePerMsg: 1 << 20, MaxInflightMsgs: 256,
			CheckQuorum: true, PreVote: true, Logger: raftLog{&raft.DefaultLogger{Logger: log.New(io.Discard, "", 0)}, m.tracker},
		}, peers)
		ended.Go(func() { m.run(ctx, storage) })
		ended.Go(func() { m.propose(ctx) })
		ended.Go(func() { m.tracker.Run(ctx, m, zap.NewNop()) })
		for to, line := range m.lines {
			ended.Go(func() { m.carry(ctx, line, w.members[to]) })
		}
	}
	return w, ended
}

// run is what etcd's raftNode and its applier do.
func (m *member) run(ctx context.Context, storage *raft.MemoryStorage) {
	defer m.Stop()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			m.Tick()
		case rd := <-m.Ready():
			_ = storage.Append(rd.Entries)
			if !raft.IsEmptyHardState(rd.HardState) {
				_ = storage.SetHardState(rd.HardState)
			}
			for _, msg := range rd.Messages {
				m.lines[msg.GetTo()] <- sent{msg, time.Now().Add(m.trips[m.id])}
			}
			for _, e := range rd.CommittedEntries {
				m.apply(e)
			}
			if rd.SoftState != nil && rd.SoftState.Lead != raft.None {
				m.mu.Lock()
				close(m.changed)
				m.changed = make(chan struct{})
				m.mu.Unlock()
			}
			m.Advance()
		}
	}
}

func (m *member) apply(e *raftpb.Entry) {
	m.applied.Store(e.GetTerm())
	switch data := e.GetData(); {
	case e.GetType() == raftpb.EntryConfChange:
		cc := &raftpb.ConfChange{}
		if err := proto.Unmarshal(data, cc); err == nil {
			m.ApplyConfChange(cc)
		}
	case len(data) == 8:
		m.mu.Lock()
		defer m.mu.Unlock()
		if c, ok := m.waiting[binary.BigEndian.Uint64(data)]; ok {
			close(c)
			delete(m.waiting, binary.BigEndian.Uint64(data))
		}
	}
}

func (m *member) carry(ctx context.Context, line <-chan sent, to *member) {
	for {
		select {
		case <-ctx.Done():
			return
		case s := <-line:
			time.Sleep(time.Until(s.due))
			if s.GetType() == raftpb.MsgProp {
				to.props <- s.Message
			} else {
				_ = to.Step(ctx, s.Message)
			}
		}
	}
}

func (m *member) propose(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case p := <-m.props:
			_ = m.Step(ctx, p)
		}
	}
}

func (m *member) Leader() (id, term uint64) {
	s := m.Status()
	return s.Lead, s.HardState.GetTerm()
}

func (m *member) Self() uint64                         { return m.id }
func (m *member) AppliedTerm() uint64                  { return m.applied.Load() }
func (m *member) MayMove(context.Context, uint64) bool { return true }
func (m *member) QuorumSilentSince() time.Time         { return time.Time{} }
func (m *member) Transferring() bool                   { return m.Status().LeadTransferee != raft.None }
func (m *member) LeaderChangedNotify() <-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.changed
}

func (m *member) Committed() bool {
	is := m.Status()
	for _, p := range is.Progress {
		if p.Next > is.HardState.GetCommit()+1 {
			return false
		}
	}
	return true
}

func (m *member) Tell(ctx context.Context) (told []uint64) {
	var all sync.WaitGroup
	for id := range m.members {
		if id != m.id {
			told = append(told, id)
			all.Go(func() { m.Answer(ctx, id) })
		}
	}
	all.Wait()
	return told
}

// Answer goes by HTTP, and overtakes what is on the streams. It returns before raft
// has looked at the message, as etcd's handler does where processors are busy.
func (m *member) Answer(ctx context.Context, to uint64) {
	time.Sleep(time.Millisecond)
	go func() {
		time.Sleep(time.Duration(rand.IntN(4)) * time.Millisecond)
		_ = m.members[to].Step(ctx, Notice(m.id, to))
	}()
}

var errUnanswered = errors.New("unanswered")

// put proposes through this member, and waits until its proposal is applied.
func (m *member) put(ctx context.Context) error {
	_, err := m.tracker.Intercept(ctx, &etcdserverpb.PutRequest{}, &grpc.UnaryServerInfo{FullMethod: etcdserverpb.KV_Put_FullMethodName},
		func(ctx context.Context, _ any) (any, error) {
			id, applied := m.next.Add(1), make(chan struct{})
			m.mu.Lock()
			m.waiting[id] = applied
			m.mu.Unlock()
			if err := m.Propose(ctx, binary.BigEndian.AppendUint64(nil, id)); err != nil {
				return nil, err
			}
			select {
			case <-applied:
				return nil, nil
			case <-ctx.Done():
				return nil, ctx.Err()
			case <-time.After(requestTimeout):
				return nil, errUnanswered
			}
		})
	return err
}

// move is `etcdctl move-leader`.
func (m *member) move(ctx context.Context, to uint64) error {
	_, err := m.tracker.Intercept(ctx, &etcdserverpb.MoveLeaderRequest{TargetID: to}, &grpc.UnaryServerInfo{FullMethod: etcdserverpb.Maintenance_MoveLeader_FullMethodName},
		func(ctx context.Context, _ any) (any, error) {
			m.TransferLeadership(ctx, m.id, to)
			for leads(m.Node, to) != nil {
				select {
				case <-ctx.Done():
					return nil, ctx.Err()
				case <-time.After(100 * time.Millisecond):
				}
			}
			return nil, nil
		})
	return err
}

func (m *member) awaitLeader(t *testing.T, id uint64) {
	t.Helper()
	for limit := time.Now().Add(10 * time.Second); leads(m.Node, id) != nil; time.Sleep(time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatal(leads(m.Node, id))
		}
	}
}

// No request falls into a handover, also where what a follower has forwarded is
// still on the way when it is told, or when it hears of it late.
func TestHandoverLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		w, ended := newWorld(ctx, map[uint64]time.Duration{1: time.Millisecond, 2: time.Millisecond, 3: 10 * time.Millisecond})
		var clients sync.WaitGroup
		defer func() { cancel(); clients.Wait(); ended.Wait() }()
		time.Sleep(100 * time.Millisecond) // less than an election timeout
		_ = w.members[1].Campaign(ctx)
		for _, m := range w.members {
			m.awaitLeader(t, 1)
		}

		done, stop := context.WithCancel(ctx)
		var puts atomic.Int64
		for _, m := range w.members {
			for range 4 {
				clients.Go(func() {
					for done.Err() == nil {
						begun := time.Now()
						if err := m.put(ctx); err != nil {
							t.Errorf("a put through %d: %v after %v", m.id, err, time.Since(begun))
						}
						puts.Add(1)
						time.Sleep(time.Duration(rand.IntN(30)) * time.Millisecond)
					}
				})
			}
		}
		const handovers = 40
		for i := range uint64(handovers) {
			from, to := 1+i%2, 2-i%2
			time.Sleep(time.Duration(rand.IntN(500)) * time.Millisecond)
			begun := time.Now()
			if err := w.members[from].move(ctx, to); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(begun); took > 300*time.Millisecond {
				t.Errorf("it took %v", took) // etcd looks once per heartbeat
			}
			w.members[to].awaitLeader(t, to)
		}
		stop()
		clients.Wait()
		if puts.Load() < 10*handovers {
			t.Errorf("only %d puts", puts.Load())
		}
		for id, m := range w.members {
			if got := m.tracker.Counts(); got != (Counts{}) {
				t.Errorf("%d: %+v", id, got)
			}
		}
	})
}

// Who is told by a leader says when nothing is under way any more, and not before;
// nobody else gets an answer.
func TestAnswerToLeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, tracker := scene(t)
		underWay := put(t.Context(), tracker, 30*time.Millisecond)
		f.say(notice(second))
		f.say(notice(first))
		time.Sleep(29 * time.Millisecond)
		if got := f.answered(); got != nil {
			t.Errorf("it has answered %v, and something is under way", got)
		}
		<-underWay
		synctest.Wait()
		if got := fmt.Sprint(f.answered()); got != "[2]" {
			t.Errorf("it has answered %v", got)
		}
		// Told again: by a leader that has begun anew, and waits.
		f.say(notice(first))
		synctest.Wait()
		if got := fmt.Sprint(f.answered()); got != "[2 2]" {
			t.Errorf("it has answered %v", got)
		}
		// Another leads before all is answered, or in that moment: there is nobody to be told.
		over := &gate{opened: make(chan struct{}), settled: make(chan struct{})}
		close(over.opened)
		close(over.settled)
		for range 20 {
			tracker.answer(f, over, first)
		}
		f.follows(second, 0)
		time.Sleep(time.Second)
		put(t.Context(), tracker, 30*time.Millisecond)
		f.say(notice(second))
		f.follows(first, 0)
		time.Sleep(time.Second)
		if got := fmt.Sprint(f.answered()); got != "[2 2]" {
			t.Errorf("it has answered %v", got)
		}
	})
}

// A leader waits for the answers of those that it has told, as long as for the
// rest, and takes none for a question.
func TestAwaitsAnswers(t *testing.T) {
	for _, tc := range []struct {
		name    string
		commit  time.Duration // of late
		answers []uint64
		want    time.Duration
	}{
		{"all answer", time.Millisecond, []uint64{first, second}, 10 * time.Millisecond},
		{"one is stock etcd", time.Millisecond, []uint64{first}, settleLimit},
		{"a stranger answers", time.Millisecond, []uint64{first, 9}, settleLimit},
		{"a slow disk", 120 * time.Millisecond, nil, 240 * time.Millisecond},
		{"a disk that stood still", time.Second, nil, settleMax},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, tracker := scene(t)
				f.follows(self, 0)
				f.tells = []uint64{first, second}
				time.Sleep(time.Second)
				<-put(t.Context(), tracker, tc.commit)
				time.AfterFunc(10*time.Millisecond-time.Microsecond, func() {
					for _, id := range tc.answers {
						f.say(notice(id))
					}
				})
				for range 2 { // the second is not content with the answers to the first
					begun := time.Now()
					defer tracker.Hold(t.Context())()
					if took := time.Since(begun); took != tc.want {
						t.Errorf("it waits %v, want %v", took, tc.want)
					}
					tc.want = max(tc.want, settleLimit)
				}
				if got := f.answered(); got != nil {
					t.Errorf("it has answered %v", got)
				}
			})
		})
	}
}

// Requests are kept back for as long as raft drops them, whoever has given up
// waiting, and until the last who keeps them back is done.
func TestReleased(t *testing.T) {
	for _, tc := range []struct {
		name string
		then func(f *fakeServer, release func())
		want time.Duration
	}{
		{"etcd has refused to begin", func(_ *fakeServer, release func()) { release() }, 0},
		{"raft gives up later", func(f *fakeServer, release func()) {
			f.transfers(true)
			release()
			time.Sleep(300*time.Millisecond - 1)
			f.transfers(false)
		}, 300 * time.Millisecond},
		{"another leads later", func(f *fakeServer, release func()) {
			f.transfers(true)
			release()
			time.Sleep(300 * time.Millisecond)
			f.follows(second, 0)
			f.transfers(false)
		}, 300 * time.Millisecond},
		{"a limit", func(f *fakeServer, release func()) { f.transfers(true); release() }, tellLimit + settleMax + time.Second},
		{"two hold", func(f *fakeServer, release func()) {
			other := f.tracker.Hold(context.Background())
			release()
			release() // counts once
			time.Sleep(50 * time.Millisecond)
			other()
		}, 50 * time.Millisecond},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, tracker := scene(t)
				f.follows(self, 0)
				time.Sleep(time.Second)
				release := tracker.Hold(t.Context())
				kept := put(t.Context(), tracker, 0)
				tc.then(f, release)
				if r := <-kept; r.err != nil || r.took < tc.want || r.took > tc.want+time.Millisecond {
					t.Errorf("%v after %v, want %v", r.err, r.took, tc.want)
				}
				f.transfers(false)
				time.Sleep(time.Minute)
				if r := <-put(t.Context(), tracker, 0); r.took != 0 {
					t.Errorf("later it is kept back for %v", r.took)
				}
			})
		})
	}
}
