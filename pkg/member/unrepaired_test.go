package member

import (
	"testing"

	"go.etcd.io/etcd/server/v3/storage/wal"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/member/disk"
)

// etcd says no more than that it could not repair its WAL. Where there is no
// room for the copy that it makes, it is the disk.
func TestUnrepaired(t *testing.T) {
	for available, want := range map[int64]string{
		0:                        failure.IDDiskFull,
		wal.SegmentSizeBytes - 1: failure.IDDiskFull,
		wal.SegmentSizeBytes:     failure.IDWALRepair,
	} {
		f := unrepaired(failure.New(failure.IDWALRepair, "unexpected EOF"), disk.Space{Available: available})
		if f.ID != want || f.Detail != "unexpected EOF" {
			t.Errorf("%d bytes available: %s, %q", available, f.ID, f.Detail)
		}
	}
}
