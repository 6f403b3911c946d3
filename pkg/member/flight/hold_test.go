package flight

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
)

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
