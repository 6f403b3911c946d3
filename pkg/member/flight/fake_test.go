package flight

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
)

// The members of these tests.
const self, first, second = 1, 2, 3

// fakeServer is a member whose leader changes as a test says.
type fakeServer struct {
	tracker *Tracker

	mu      sync.Mutex
	leader  uint64
	term    uint64
	applied uint64
	behind  bool // its log is not committed
	told    int  // how often it has told the others
	tells   []uint64
	answers []uint64 // to which leaders
	moving  bool     // raft hands over the leadership
	silent  time.Time
	changed chan struct{}
}

func (f *fakeServer) LeaderChangedNotify() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.changed
}

func (f *fakeServer) Leader() (id, term uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.leader, f.term
}

func (f *fakeServer) AppliedTerm() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.applied
}

func (f *fakeServer) Self() uint64 { return self }

// MayMove: to second only.
func (f *fakeServer) MayMove(_ context.Context, to uint64) bool { return to == second }

func (f *fakeServer) Committed() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return !f.behind
}

func (f *fakeServer) QuorumSilentSince() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.silent
}

// quorum says since when a quorum is silent; the zero time: it is heard.
func (f *fakeServer) quorum(silentSince time.Time) {
	f.mu.Lock()
	f.silent = silentSince
	f.mu.Unlock()
	f.tracker.Look()
}

func (f *fakeServer) Tell(context.Context) []uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.told++
	return f.tells
}

func (f *fakeServer) Answer(_ context.Context, leader uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answers = append(f.answers, leader)
}

func (f *fakeServer) answered() []uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.answers)
}

func (f *fakeServer) Transferring() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.moving
}

func (f *fakeServer) transfers(moving bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.moving = moving
}

// notice is raft's line about a notice.
func notice(by uint64) string {
	return fmt.Sprintf("%x [term: 2]%s%x%s", self, toldMessage, by, toldTerm)
}

// say has raft log a line.
func (f *fakeServer) say(line string) {
	if c := f.tracker.Hears().Check(zapcore.Entry{Level: zapcore.InfoLevel, Message: line}, nil); c != nil {
		c.Write()
	}
}

// loses its leader, after all that was done before.
func (f *fakeServer) loses() {
	time.Sleep(time.Nanosecond)
	f.mu.Lock()
	line := fmt.Sprintf("raft.node: 1 lost leader %x at term %d", f.leader, f.term)
	f.leader = 0
	f.mu.Unlock()
	f.say(line)
}

// follows a leader of another term, whose first entry it applies after a time.
func (f *fakeServer) follows(id uint64, applied time.Duration) {
	time.Sleep(time.Nanosecond)
	f.mu.Lock()
	f.leader = id
	f.term++
	term := f.term
	close(f.changed)
	f.changed = make(chan struct{})
	f.mu.Unlock()
	f.say(fmt.Sprintf("raft.node: 1 elected leader %x at term %d", id, term))
	time.AfterFunc(applied, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.applied = max(f.applied, term)
	})
}

// scene is a member that has followed first for a minute.
func scene(t *testing.T) (*fakeServer, *Tracker) {
	tracker := New(Options{Timeout: time.Second, Changed: func() {}})
	f := &fakeServer{tracker: tracker, term: 1, changed: make(chan struct{})}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); tracker.Run(ctx, f, zap.NewNop()) }()
	t.Cleanup(func() { cancel(); <-ended })
	f.follows(first, 0)
	time.Sleep(time.Minute)
	return f, tracker
}

// put is a request that etcd answers after a time, unless its context ends before.
// The result is how long it took, and the error.
func put(ctx context.Context, tracker *Tracker, answer time.Duration) <-chan result {
	return request(ctx, tracker, etcdserverpb.KV_Put_FullMethodName, &etcdserverpb.PutRequest{}, answer, nil)
}

type result struct {
	took time.Duration
	err  error
}

func request(ctx context.Context, tracker *Tracker, method string, req any, answer time.Duration, with error) <-chan result {
	done := make(chan result, 1)
	go func() {
		begun := time.Now()
		_, err := tracker.Intercept(ctx, req, &grpc.UnaryServerInfo{FullMethod: method}, func(ctx context.Context, _ any) (any, error) {
			select {
			case <-time.After(answer):
				return nil, with
			case <-ctx.Done(): // as etcd says it
				return nil, status.Error(codes.Canceled, "etcdserver: request cancelled")
			}
		})
		done <- result{time.Since(begun).Round(time.Microsecond), err}
	}()
	synctest.Wait()
	return done
}

// requestTimeout is etcd's own.
const requestTimeout = 7 * time.Second
