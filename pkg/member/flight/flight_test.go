package flight

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
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
