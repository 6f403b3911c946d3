package flight

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
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

// What began before the loss, and what the new leader does not answer, is ended a
// moment after that one's first entry is applied. What began after it is not.
func TestEnded(t *testing.T) {
	for _, tc := range []struct {
		name    string
		applied time.Duration // the new leader's first entry
		slow    time.Duration // a commit of late
		want    time.Duration // when a lost request is ended, after the new leader is known
	}{
		{"a fast disk", 4 * time.Millisecond, 0, 4*time.Millisecond + minGrace},
		{"a slow disk", 300 * time.Millisecond, 0, 4 * 300 * time.Millisecond},
		{"commits that took seconds", 4 * time.Millisecond, 5 * time.Second, 4*time.Millisecond + maxGrace},
		{"commits that were slow", 4 * time.Millisecond, 250 * time.Millisecond, 254 * time.Millisecond},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, tracker := scene(t)
				if tc.slow > 0 {
					<-put(t.Context(), tracker, tc.slow)
				}
				lost := put(t.Context(), tracker, requestTimeout)
				answered := put(t.Context(), tracker, 100*time.Millisecond+tc.want-time.Millisecond) // it had reached the log
				f.loses()
				time.Sleep(time.Millisecond)
				kept := put(t.Context(), tracker, 3*time.Second) // until the next leader has it
				time.Sleep(99 * time.Millisecond)
				f.follows(second, tc.applied)
				if r := <-lost; r.err != errLost || r.took < 100*time.Millisecond+tc.want || r.took > 100*time.Millisecond+tc.want+(1+graceOfEntry)*appliedPoll {
					t.Errorf("%v after %v, want %v", r.err, r.took, 100*time.Millisecond+tc.want)
				}
				for _, r := range []result{<-answered, <-kept} {
					if r.err != nil {
						t.Errorf("after %v: %v", r.took, r.err)
					}
				}
				if got := tracker.Counts(); got != (Counts{Ended: 1}) {
					t.Errorf("%+v", got)
				}
			})
		})
	}
}

// What has waited for a leader says nothing of how long a commit takes: the next
// loss, a moment later, is answered as soon as the first.
func TestWaitForLeaderIsNoCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, tracker := scene(t)
		for range 2 {
			lost := put(t.Context(), tracker, requestTimeout)
			f.loses()
			kept := put(t.Context(), tracker, 904*time.Millisecond)
			time.Sleep(900 * time.Millisecond)
			f.follows(second, 0)
			if r := <-lost; r.err != errLost || r.took > 900*time.Millisecond+2*minGrace {
				t.Errorf("%v after %v", r.err, r.took)
			}
			if r := <-kept; r.err != nil {
				t.Error(r.err)
			}
			time.Sleep(time.Second)
		}
	})
}

// Neither does what takes long for another reason: a compaction, a password's hash.
func TestSlowIsNoCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, tracker := scene(t)
		for _, method := range []string{"/etcdserverpb.KV/Compact", "/etcdserverpb.Auth/Authenticate"} {
			<-request(t.Context(), tracker, method, nil, time.Second, nil)
		}
		lost := put(t.Context(), tracker, requestTimeout)
		f.loses()
		f.follows(second, 0)
		if r := <-lost; r.err != errLost || r.took > 2*minGrace {
			t.Errorf("%v after %v", r.err, r.took)
		}
	})
}

// The new leader's first entry may have come in a snapshot, and no other follows.
// The snapshot of one before it proves nothing.
func TestSnapshot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, tracker := scene(t)
		restored := func(term uint64) {
			entry := zapcore.Entry{Level: zapcore.InfoLevel, Message: restoredMessage}
			if c := tracker.Hears().Check(entry, nil); c != nil {
				c.Write(zap.Uint64("incoming-leader-snapshot-index", 100), zap.Uint64(restoredTerm, term))
			}
		}
		lost := put(t.Context(), tracker, requestTimeout)
		f.loses()
		f.follows(second, time.Hour)
		restored(f.term - 1)
		select {
		case <-lost:
			t.Fatal("nothing proves that it is lost")
		case <-time.After(3 * time.Second):
		}
		restored(f.term)
		if r := <-lost; r.err != errLost || r.took > 3*time.Second+maxGrace+2*appliedPoll {
			t.Errorf("%v after %v", r.err, r.took)
		}
	})
}

// etcd's source still has the words for it: nothing else goes red when it rewords
// them.
func TestSnapshotText(t *testing.T) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "go.etcd.io/etcd/server/v3").Output()
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(out)), "etcdserver", "server.go"))
	if err != nil {
		t.Fatal(err)
	}
	_, after, found := strings.Cut(string(source), strconv.Quote(restoredMessage))
	if call, _, _ := strings.Cut(after, "\n\t\t)"); !found || !strings.Contains(call, "zap.Uint64("+strconv.Quote(restoredTerm)) {
		t.Errorf("etcd no longer logs %q with %q", restoredMessage, restoredTerm)
	}
}

// A request that is slow under the same leader is not touched, also where raft has
// forgotten that one for a moment.
func TestSameLeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, tracker := scene(t)
		slow := put(t.Context(), tracker, requestTimeout)
		f.loses()
		time.Sleep(200 * time.Millisecond)
		f.mu.Lock()
		f.leader = first // in the same term
		f.mu.Unlock()
		f.say("raft.node: 1 elected leader 2 at term 2")
		if r := <-slow; r.err != nil || r.took != requestTimeout {
			t.Errorf("%v after %v", r.err, r.took)
		}
		// And the next loss counts from itself.
		slow = put(t.Context(), tracker, requestTimeout)
		time.Sleep(time.Second)
		f.loses()
		f.follows(second, 0)
		if r := <-slow; r.err != errLost || r.took > time.Second+2*maxGrace {
			t.Errorf("%v after %v", r.err, r.took)
		}
	})
}

// What counts is when raft lost its leader, not when that was seen.
func TestHeardBeforeSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tracker := New(Options{Timeout: time.Second, Changed: func() {}})
		f := &fakeServer{tracker: tracker, leader: first, term: 2, applied: 2, changed: make(chan struct{})}
		r := run{Tracker: tracker, server: f, log: zap.NewNop()}
		r.look(time.Now())
		lost := put(t.Context(), tracker, requestTimeout)
		f.loses()
		time.Sleep(10 * time.Millisecond)
		kept := put(t.Context(), tracker, requestTimeout)
		time.Sleep(10 * time.Millisecond)
		f.follows(second, 0)
		time.Sleep(10 * time.Millisecond)
		for range 10 {
			r.look(time.Now())
			time.Sleep(minGrace)
		}
		if r := <-lost; r.err != errLost {
			t.Error(r.err)
		}
		if r := <-kept; r.err != nil {
			t.Error(r.err)
		}
	})
}

// A leader that hears no quorum says so to its clients, before raft makes it step
// down; what begins meanwhile waits a moment, and goes on if the quorum is back.
func TestCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, tracker := scene(t)
		f.follows(self, 0)
		time.Sleep(time.Second)
		early := put(t.Context(), tracker, requestTimeout)
		time.Sleep(400 * time.Millisecond)
		f.quorum(time.Now().Add(-400 * time.Millisecond))
		if r := <-early; r.err != errLost || r.took != 400*time.Millisecond {
			t.Errorf("%v after %v", r.err, r.took)
		}
		meanwhile := put(t.Context(), tracker, requestTimeout)
		if r := <-meanwhile; r.err != errLost || r.took > cutOffGrace+cutOffPoll {
			t.Errorf("%v after %v", r.err, r.took)
		}
		late := put(t.Context(), tracker, requestTimeout)
		time.Sleep(cutOffGrace / 2)
		f.quorum(time.Time{})
		if r := <-late; r.err != nil {
			t.Errorf("%v after %v", r.err, r.took)
		}
		// A follower leaves it to its leader.
		f.follows(first, 0)
		time.Sleep(time.Second)
		other := put(t.Context(), tracker, requestTimeout)
		f.quorum(time.Now())
		if r := <-other; r.err != nil {
			t.Errorf("%v after %v", r.err, r.took)
		}
	})
}

// So it does once raft has made it step down behind the cut cable, until it follows
// another.
func TestCutOffAndSteppedDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, tracker := scene(t)
		f.follows(self, 0)
		time.Sleep(time.Second)
		f.quorum(time.Now())
		f.loses()
		for range 3 { // over and over, for longer than a member waits for an election
			meanwhile := put(t.Context(), tracker, requestTimeout)
			if r := <-meanwhile; r.err != errLost || r.took < cutOffGrace || r.took > cutOffGrace+cutOffPoll {
				t.Errorf("%v after %v", r.err, r.took)
			}
			time.Sleep(leaderless)
		}
		late := put(t.Context(), tracker, requestTimeout)
		time.Sleep(cutOffGrace / 2)
		f.follows(second, 0)
		f.quorum(time.Time{})
		if r := <-late; r.err != nil {
			t.Errorf("%v after %v", r.err, r.took)
		}
	})
}

// Under a leader that stays, a request is lost if a later one is answered; one that
// is slow is not, and neither is what is proposed late or goes on after it is applied.
func TestOvertaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, tracker := scene(t)
		lost := put(t.Context(), tracker, requestTimeout)
		password := request(t.Context(), tracker, "/etcdserverpb.Auth/UserAdd", nil, requestTimeout, nil)
		compaction := request(t.Context(), tracker, "/etcdserverpb.KV/Compact", nil, requestTimeout, nil)
		time.Sleep(slack - time.Millisecond)
		<-put(t.Context(), tracker, 0)
		time.Sleep(2 * orderCheck)
		select {
		case <-lost:
			t.Fatal("a request that began a moment later proves nothing")
		default:
		}
		slow := put(t.Context(), tracker, requestTimeout)
		<-put(t.Context(), tracker, 100*time.Millisecond)
		if r := <-lost; r.err != errLost || r.took > 3*slack+2*orderCheck {
			t.Errorf("%v after %v", r.err, r.took)
		}
		for _, r := range []result{<-password, <-compaction, <-slow} {
			if r.err != nil {
				t.Errorf("after %v: %v", r.took, r.err)
			}
		}
	})
}

// Without a leader nothing proves anything, and nothing waits for that.
func TestNoLeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, tracker := scene(t)
		lost := put(t.Context(), tracker, requestTimeout)
		f.loses()
		kept := put(t.Context(), tracker, requestTimeout)
		if r := <-lost; r.err != errLost || r.took != leaderless {
			t.Errorf("%v after %v", r.err, r.took)
		}
		if r := <-kept; r.err != nil {
			t.Errorf("what raft keeps back for the next leader: %v", r.err)
		}
	})
}

// A leader that is lost before its first entry is applied: what was proposed to
// either is ended by the third.
func TestTwoLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, tracker := scene(t)
		lost := []<-chan result{put(t.Context(), tracker, requestTimeout)}
		f.loses()
		time.Sleep(10 * time.Millisecond)
		f.follows(second, requestTimeout)
		time.Sleep(10 * time.Millisecond)
		lost = append(lost, put(t.Context(), tracker, requestTimeout))
		f.loses()
		time.Sleep(10 * time.Millisecond)
		f.follows(first, time.Millisecond)
		for _, c := range lost {
			if r := <-c; r.err != errLost || r.took > 100*time.Millisecond {
				t.Errorf("%v after %v", r.err, r.took)
			}
		}
	})
}

// Raft can go from one leader to the next without a moment between, and with a log
// that this member does not understand the server's own word is enough.
func TestWithoutWords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, tracker := scene(t)
		f.tracker = New(Options{}) // nobody hears
		lost := put(t.Context(), tracker, requestTimeout)
		f.follows(second, time.Millisecond)
		if r := <-lost; r.err != errLost || r.took > 100*time.Millisecond {
			t.Errorf("%v after %v", r.err, r.took)
		}
	})
}

// Other answers are left as they are.
func TestOtherAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, tracker := scene(t)
		full := errors.New("no space")
		read := request(t.Context(), tracker, etcdserverpb.KV_Range_FullMethodName, &etcdserverpb.RangeRequest{}, requestTimeout, nil)
		campaign := request(t.Context(), tracker, "/v3electionpb.Election/Campaign", nil, time.Hour, nil)
		gone, leave := context.WithCancel(t.Context())
		client := put(gone, tracker, requestTimeout)
		refused := request(t.Context(), tracker, etcdserverpb.KV_Put_FullMethodName, nil, time.Millisecond, full)
		leave()
		if r := <-client; status.Code(r.err) != codes.Canceled {
			t.Errorf("a client that went away: %v", r.err)
		}
		if r := <-refused; r.err != full {
			t.Errorf("another error: %v", r.err)
		}
		f.loses()
		f.follows(second, 0)
		for _, r := range []result{<-read, <-campaign} {
			if r.err != nil {
				t.Errorf("after %v: %v", r.took, r.err)
			}
		}
		if got := tracker.Counts(); got != (Counts{}) {
			t.Errorf("%+v", got)
		}
	})
}

// A leader that hands over lets what is under way be answered, tells the others,
// and keeps back what is new until the next one leads.
func TestHandover(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, tracker := scene(t)
		f.follows(self, 0)
		time.Sleep(time.Second)
		f.mu.Lock()
		f.behind = true // with what the followers have forwarded
		f.mu.Unlock()
		var order []string
		underWay := put(t.Context(), tracker, 30*time.Millisecond)
		held := make(chan func())
		go func() { held <- tracker.Hold(t.Context()) }()
		synctest.Wait()
		next := put(t.Context(), tracker, 5*time.Millisecond)
		if r := <-underWay; r.err != nil {
			t.Error(r.err)
		}
		order = append(order, "answered")
		select {
		case <-held:
			t.Fatal("it does not wait for what the followers have forwarded")
		case <-time.After(10 * time.Millisecond):
		}
		f.mu.Lock()
		f.behind = false
		f.mu.Unlock()
		release := <-held
		order = append(order, "settled")
		select {
		case <-next:
			t.Error("a request falls into the handover")
		case <-time.After(100 * time.Millisecond):
		}
		f.follows(second, time.Millisecond)
		if r := <-next; r.err != nil || r.took < 100*time.Millisecond {
			t.Errorf("%v after %v", r.err, r.took)
		}
		release()
		if !slices.Equal(order, []string{"answered", "settled"}) || f.told != 1 {
			t.Errorf("%v, told %d times", order, f.told)
		}
	})
}

// A client's request to move the leadership is prepared, if etcd will take it: else
// anybody could keep everybody's requests back.
func TestMoveLeader(t *testing.T) {
	for to, want := range map[uint64]int{second: 1, first: 0} {
		synctest.Test(t, func(t *testing.T) {
			f, tracker := scene(t)
			f.follows(self, 0)
			time.Sleep(time.Second)
			moved := request(t.Context(), tracker, etcdserverpb.Maintenance_MoveLeader_FullMethodName, &etcdserverpb.MoveLeaderRequest{TargetID: to}, 10*time.Millisecond, nil)
			kept := put(t.Context(), tracker, 0)
			<-moved
			if r := <-kept; r.took > 0 != (want > 0) || f.told != want {
				t.Errorf("to %d: kept back for %v, told %d times", to, r.took, f.told)
			}
		})
	}
}

// Nothing is kept back for longer than that.
func TestHandoverThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, tracker := scene(t)
		f.follows(self, 0)
		time.Sleep(time.Second)
		stuck := request(t.Context(), tracker, "/etcdserverpb.Auth/UserAdd", nil, time.Minute, nil)
		begun := time.Now()
		release := tracker.Hold(t.Context())
		if took := time.Since(begun); took != settleLimit {
			t.Errorf("it waits %v", took)
		}
		next := put(t.Context(), tracker, 0)
		// Until raft gives up a transfer that has begun right after.
		if r := <-next; r.err != nil || r.took != tellLimit+settleMax-settleLimit+time.Second {
			t.Errorf("%v after %v", r.err, r.took)
		}
		release()
		if next := put(t.Context(), tracker, 0); (<-next).took != 0 {
			t.Error("it keeps requests back for ever")
		}
		if r := <-stuck; r.err != nil {
			t.Error(r.err)
		}
	})
}

// A member that does not lead has nothing to hand over.
func TestHoldOfFollower(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, tracker := scene(t)
		defer tracker.Hold(t.Context())()
		if r := <-put(t.Context(), tracker, 0); r.took != 0 || f.told != 0 {
			t.Errorf("kept back for %v, told %d", r.took, f.told)
		}
	})
}

// A follower that is told by its leader keeps requests back until the next one
// leads, or for a moment; it believes nobody else.
func TestTold(t *testing.T) {
	for _, tc := range []struct {
		name string
		by   uint64
		then func(f *fakeServer)
		want time.Duration
	}{
		{"by the leader", first, func(f *fakeServer) { f.follows(second, 0) }, 50 * time.Millisecond},
		{"by a leader that thinks better of it", first, func(*fakeServer) {}, keepLimit},
		{"by another", second, func(*fakeServer) {}, 0},
		{"by nobody", 0, func(*fakeServer) {}, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, tracker := scene(t)
				f.say(notice(tc.by))
				next := put(t.Context(), tracker, 0)
				time.Sleep(50 * time.Millisecond)
				tc.then(f)
				if r := <-next; r.err != nil || r.took != tc.want {
					t.Errorf("%v after %v, want %v", r.err, r.took, tc.want)
				}
			})
		})
	}
	for _, other := range []string{
		"1 [term: 9] ignored a MsgTransferLeader message with lower term from 2 [term: 8]",
		"1 [term: 9] ignored a MsgHeartbeatResp message with lower term from 2 [term: 1]",
	} {
		if _, ok := handover(other); ok {
			t.Errorf("%q counts", other)
		}
	}
}

// A client that goes away while it is kept back is let go.
func TestKeptBackAndGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, tracker := scene(t)
		f.say(notice(first))
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		if r := <-put(ctx, tracker, 0); status.Code(r.err) != codes.DeadlineExceeded || r.took != 10*time.Millisecond {
			t.Errorf("%v after %v", r.err, r.took)
		}
	})
}

// Two checks at once, after a pause of the process, prove as much as one.
func TestOrderAfterPause(t *testing.T) {
	var o order
	at := time.Now()
	o.answered(at)
	o.check(at.Add(slack))
	o.answered(at.Add(10 * slack))
	pause := at.Add(11 * slack)
	o.check(pause)
	if before := o.check(pause.Add(slack - 1)); before.After(at) {
		t.Errorf("an answer that came a moment ago proves that all before %v is lost", before.Sub(at))
	}
	if before := o.check(pause.Add(orderCheck)); !before.Equal(at.Add(9 * slack)) {
		t.Errorf("a check later what is before %v is lost", before.Sub(at))
	}
}

func TestCommits(t *testing.T) {
	var c commits
	at := time.Now()
	after := func(d time.Duration) time.Time { return at.Add(d) }
	c.note(at, 3)
	c.note(after(time.Second), 2)
	for _, tc := range []struct{ passed, want time.Duration }{{time.Second, 3}, {span + 1, 3}, {3 * span, 0}} {
		if got := c.slowest(after(tc.passed)); got != tc.want {
			t.Errorf("after %v: %d, want %d", tc.passed, got, tc.want)
		}
	}
}

func BenchmarkIntercept(b *testing.B) {
	tracker := New(Options{Timeout: time.Second, Changed: func() {}})
	info := &grpc.UnaryServerInfo{FullMethod: etcdserverpb.KV_Put_FullMethodName}
	req := &etcdserverpb.PutRequest{}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			_, _ = tracker.Intercept(context.Background(), req, info, func(context.Context, any) (any, error) { return nil, nil })
		}
	})
}
