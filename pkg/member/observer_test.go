package member

import (
	"context"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"go.etcd.io/etcd/server/v3/embed"
	"go.etcd.io/etcd/server/v3/etcdserver/api/membership"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/member/disk"
	"github.com/etcd-node/etcd-node/pkg/pipe"
	"github.com/etcd-node/etcd-node/pkg/status"
)

// supervisor is the other end of a loop's pipe.
type supervisor struct {
	mu    sync.Mutex
	beats int
	view  status.View // the last one
}

// read takes what the loop says until it ends.
func (s *supervisor) read(r io.Reader) {
	for in := pipe.NewReader(r); ; {
		msg, err := in.Next()
		if err != nil {
			return
		}
		s.mu.Lock()
		switch msg.Kind {
		case pipe.Beat:
			s.beats++
		case pipe.View:
			s.view = *msg.View
		}
		s.mu.Unlock()
	}
}

// after lets time pass, and all that is due by then be done; it returns what
// the loop has said.
func (s *supervisor) after(d time.Duration) (beats int, view status.View) {
	time.Sleep(d)
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.beats, s.view
}

// startLoop starts the loop of a member whose etcd is what look says, in a
// bubble. The function that it returns ends it.
func startLoop(t *testing.T, look func() *observation) (*member, *supervisor, func()) {
	t.Helper()
	r, w := io.Pipe()
	commands := make(chan pipe.Message)
	m, s := newTestMember(), &supervisor{}
	m.Events, m.Commands, m.observer.look = pipe.NewWriter(w, time.Second), commands, look
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	all.Go(func() { s.read(r) })
	all.Go(func() { m.observer.run(ctx) })
	all.Go(func() {
		defer w.Close()
		if code := m.loop(ctx); code != failure.ExitFailure {
			t.Errorf("without a supervisor it ended with %d", code)
		}
	})
	return m, s, func() {
		close(commands)
		cancel()
		all.Wait()
	}
}

func newTestMember() *member {
	m := newMember(Options{Config: embed.NewConfig()})
	m.log, m.reserve = zap.NewNop(), disk.NewKeeper(disk.Options{})
	return m
}

func twoMembers() *observation {
	return &observation{
		ready: true, cluster: 0xc, self: 1, leader: 2,
		members: []*membership.Member{
			{ID: 1, Attributes: membership.Attributes{Name: "a"}, RaftAttributes: membership.RaftAttributes{PeerURLs: []string{"http://a:2380"}}},
			{ID: 2, Attributes: membership.Attributes{Name: "b"}, RaftAttributes: membership.RaftAttributes{PeerURLs: []string{"http://b:2380"}}},
		},
	}
}

// A disk that hangs keeps etcd's locks, and so the observer: the loop beats on,
// says so, and goes on with what was seen last.
func TestObserverStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lock := make(chan struct{}, 1) // etcd's; time does not pass in a bubble while a sync.Mutex is waited for
		m, s, end := startLoop(t, func() *observation {
			lock <- struct{}{}
			defer func() { <-lock }()
			return twoMembers()
		})
		defer end()
		before, v := s.after(time.Minute)
		if !v.Ready || v.Leader != "b" || len(v.Members) != 2 || len(v.Conditions) != 0 {
			t.Fatalf("before: %+v", v)
		}

		lock <- struct{}{}
		beats, v := s.after(time.Minute)
		if beats-before != 60 {
			t.Errorf("%d beats in a minute of an observer that is stuck", beats-before)
		}
		if !says(v, "etcd has kept its list of members locked since ") {
			t.Errorf("the conditions are %+v", v.Conditions)
		}
		if !v.Ready || v.Leader != "b" {
			t.Errorf("it forgot what it had seen: %+v", v)
		}

		// The kernel knows better, where it shows the thread.
		m.diskHang.Store(&disk.Wait{Call: "fdatasync", Since: time.Now()})
		if _, v = s.after(beatInterval); !says(v, "the disk hangs: fdatasync has been hanging since ") {
			t.Errorf("the conditions are %+v", v.Conditions)
		}
		m.diskHang.Store(nil)

		<-lock
		if _, v = s.after(beatInterval); len(v.Conditions) != 0 {
			t.Errorf("afterwards the conditions are %+v", v.Conditions)
		}
	})
}

// says reports whether a view has one condition, of a slow disk, with this text.
func says(v status.View, text string) bool {
	return len(v.Conditions) == 1 && v.Conditions[0].ID == failure.IDDiskSlow && strings.Contains(v.Conditions[0].Text, text)
}

// A look that takes its time is no disk that hangs.
func TestObserverSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, s, end := startLoop(t, func() *observation {
			time.Sleep(diskSlow - time.Second)
			return twoMembers()
		})
		defer end()
		for range 60 {
			if _, v := s.after(beatInterval); len(v.Conditions) != 0 {
				t.Fatalf("the conditions are %+v", v.Conditions)
			}
		}
	})
}

// The leader's change and a question are seen at once, anything else within
// pollInterval.
func TestObserverLooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var looks atomic.Int32
		changed := []chan struct{}{make(chan struct{}), make(chan struct{})}
		leaderChanged := changed
		o := newObserver(func() *observation {
			if looks.Add(1) == 3 {
				leaderChanged = leaderChanged[1:]
			}
			return &observation{leaderChanged: leaderChanged[0]}
		})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go o.run(ctx)
		want := func(n int32, why string) {
			t.Helper()
			synctest.Wait()
			if got := looks.Load(); got != n {
				t.Errorf("%s: %d looks, want %d", why, got, n)
			}
		}
		want(1, "at first")
		o.ask()
		want(2, "asked")
		close(changed[0])
		want(3, "the leader changed")
		time.Sleep(pollInterval)
		want(4, "later")
		if o.stuckSince(time.Now().Add(time.Hour), diskSlow) != nil {
			t.Error("it is stuck between two looks")
		}
	})
}
