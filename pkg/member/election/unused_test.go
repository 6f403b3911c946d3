package election

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"go.etcd.io/raft/v3/raftpb"

	"github.com/etcd-node/etcd-node/pkg/pace"
)

// A member that nobody uses looks once a second, and a dead leader is replaced as
// soon as ever. What others propose counts as use.
func TestUnused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		activity := new(pace.Activity)
		f, n, s, _ := scene(t, first, []uint64{1, 2, 3}, func(o *Options) { o.Activity = activity })
		looked := func(during time.Duration) int {
			f.mu.Lock()
			before := f.views
			f.mu.Unlock()
			time.Sleep(during)
			f.mu.Lock()
			defer f.mu.Unlock()
			return f.views - before
		}
		if n := looked(10 * time.Second); n > 15 { // with those of a renewal
			t.Errorf("looked %d times in ten seconds: each is a wake-up", n)
		}
		for commit := range uint64(3) {
			f.mu.Lock()
			f.raft.HardState = &raftpb.HardState{Term: new(uint64(2)), Vote: new(uint64(lead)), Commit: new(commit + 1)}
			f.raft.Applied = commit + 1
			f.mu.Unlock()
			time.Sleep(2 * settledInterval)
		}
		if n := looked(5 * time.Second); n < 20 {
			t.Errorf("looked %d times in five seconds while others propose", n)
		}
		time.Sleep(time.Minute)
		at := time.Since(f.begun)
		kill(f, n, s)
		time.Sleep(time.Second)
		if got := f.kinds(); !slices.Equal(got, []string{"knock", "forget", "hup"}) {
			t.Fatalf("asked %v", got)
		}
		if took := f.times("hup")[0] - at; took > 10*time.Millisecond {
			t.Errorf("asked for votes after %v", took)
		}
	})
}
