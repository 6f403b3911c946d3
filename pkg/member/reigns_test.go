package member

import (
	"testing"
	"time"

	"go.etcd.io/etcd/client/pkg/v3/types"
)

func TestReigns(t *testing.T) {
	var r reigns
	now := time.Unix(1e9, 0)
	for i, step := range []struct {
		leader types.ID
		term   uint64
		after  time.Duration
		want   int
	}{
		{0, 1, 0, 0},
		{7, 1, 0, 0}, // the first
		{7, 2, 0, 0}, // and its first entry
		{7, 2, time.Minute, 0},
		{0, 2, 0, 0},
		{7, 2, 0, 0}, // it was there all the time
		{8, 2, time.Minute, 1},
		{8, 3, 0, 1},
		{0, 3, 0, 1},
		{8, 3, time.Minute, 1},
		{8, 4, 0, 2}, // elected again
		{8, 4, 58 * time.Minute, 2},
		{8, 4, time.Minute, 1},
		{8, 4, time.Hour, 0},
	} {
		now = now.Add(step.after)
		if got := r.look(step.leader, step.term, now); got != step.want {
			t.Errorf("step %d: %d, want %d", i, got, step.want)
		}
	}
}
