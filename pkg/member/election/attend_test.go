package election

import (
	"testing"
	"testing/synctest"
	"time"

	"go.etcd.io/raft/v3"
)

// The leader knows that it is cut off, and a follower says nothing of that.
func TestQuorumSilentSince(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, h, _, e, _ := listening(t, lead, []uint64{1, 2, 3}, nil)
		if since := e.QuorumSilentSince(); !since.IsZero() {
			t.Fatalf("all is well: %v", since)
		}
		last := h.look().Heard
		h.vanish(true)
		time.Sleep(900 * ms)
		if since := e.QuorumSilentSince(); !since.Equal(last) {
			t.Errorf("cut off: %v, want %v", since, last)
		}
		h.vanish(false)
		time.Sleep(1200 * ms)
		if since := e.QuorumSilentSince(); !since.IsZero() {
			t.Errorf("back: %v", since)
		}
		h.vanish(true)
		time.Sleep(900 * ms)
		f.mu.Lock()
		f.raft.Lead = raft.None
		f.mu.Unlock()
		time.Sleep(time.Second)
		if since := e.QuorumSilentSince(); since.IsZero() {
			t.Error("it has stepped down, and says nothing of the quorum")
		}
		f.elected(first)
		time.Sleep(time.Second)
		if since := e.QuorumSilentSince(); !since.IsZero() {
			t.Errorf("it follows another: %v", since)
		}
	})
}
