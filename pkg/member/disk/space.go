package disk

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Space is what a file system has and what of it a process without privileges
// may still take. Available excludes what the file system keeps for root (ext4:
// 5 %), because etcd does not run as root.
type Space struct {
	Total, Available   int64 // bytes
	Inodes, FreeInodes int64 // 0, 0: the file system does not count them
}

// SpaceOf asks for the space of the file system that dir is on. It does not
// return while the file system hangs.
func SpaceOf(dir string) (Space, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return Space{}, fmt.Errorf("statfs %s: %w", dir, err)
	}
	block := int64(s.Frsize)
	return Space{
		Total: int64(s.Blocks) * block, Available: int64(s.Bavail) * block,
		Inodes: int64(s.Files), FreeInodes: int64(s.Ffree),
	}, nil
}

// deviceOf tells file systems apart.
func deviceOf(dir string) (uint64, error) {
	var s unix.Stat_t
	if err := unix.Stat(dir, &s); err != nil {
		return 0, fmt.Errorf("stat %s: %w", dir, err)
	}
	return uint64(s.Dev), nil
}
