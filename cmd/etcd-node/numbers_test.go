package main

import (
	"strings"
	"testing"

	"github.com/etcd-node/etcd-node/pkg/status"
)

// The status says how far the member is, how large its database, and how long its
// disk took.
func TestNumbersInStatus(t *testing.T) {
	t.Parallel()
	n := running(t)
	before := n.until("measured", func(st status.Status) bool { return st.View.Database.Size > 0 && st.View.Raft.Applied > 0 })
	for range 20 {
		n.put("k", strings.Repeat("v", 1<<10))
	}
	st := n.until("measured again, with what the disk took", func(st status.Status) bool {
		return st.View.Raft.Applied >= before.View.Raft.Applied+20 && st.View.Disk.Fsync.Count >= 20 && st.View.Disk.Commit.Count > 0
	})
	if v := st.View; v.Raft.Term < 2 || v.Database.Quota != 2<<30 || v.Database.InUse <= 0 || v.Database.InUse > v.Database.Size ||
		v.Disk.Fsync.P99 < v.Disk.Fsync.P50 || v.Disk.Fsync.P50 <= 0 || v.LeaderChanges != 0 {
		t.Errorf("%+v", v)
	}
	if text := n.run("status"); !strings.Contains(text, "\n  database  [#") || !strings.Contains(text, "\n  disk      fsync p50 ") {
		t.Error(text)
	}
	n.stop()
}
