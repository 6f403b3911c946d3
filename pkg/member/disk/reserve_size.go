package disk

import (
	humanize "github.com/dustin/go-humanize"
)

const (
	// Min is the smallest reserve that helps: one WAL segment, 64,000,000
	// bytes, and some pages for the database. The setting takes no less
	// (TestReserveLimits in cmd/etcd-node holds the two together).
	Min = 80 << 20

	// Needed is what must be available for etcd to go on. A start repairs a
	// torn WAL by copying its last segment, and allocates the next one at
	// once; while it runs it allocates one whenever it begins one. That
	// allocation takes all there is before it fails, and the database's next
	// commit then ends the process; if that finds room, the next segment does,
	// also when there is space again by then. Two segments, and 6 MiB for the
	// database; while it runs, the second is what is written between two polls.
	Needed = 128 << 20

	// share is what a reserve may take of its file system: a fifth. The 1 GB
	// that a small etcd has still gets the whole of the default, and below
	// 400 MiB, where two segments already fill half of the disk, there is none.
	share = 5
)

// sizeOn is the size that a reserve of the configured size has on a file system
// of total bytes; 0: none.
func sizeOn(size, total int64) int64 {
	if n := min(size, total/share); n >= Min {
		return n
	}
	return 0
}

// roomFor is what must be available before a reserve is made: itself, what etcd
// needs, and as much as itself again, so that it is not released at once.
func roomFor(size int64) int64 { return 2*size + Needed }

func bytes(n int64) string { return humanize.IBytes(uint64(max(n, 0))) }
