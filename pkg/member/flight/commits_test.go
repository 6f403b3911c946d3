package flight

import (
	"testing"
	"testing/synctest"
	"time"
)

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
