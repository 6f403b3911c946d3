package disk

import "golang.org/x/sys/unix"

// calls are those with which etcd writes and reads. The first argument is a
// file descriptor; of the last line's, one of a directory or none.
var calls = map[int]string{
	unix.SYS_READ: "read", unix.SYS_PREAD64: "pread", unix.SYS_WRITE: "write", unix.SYS_PWRITE64: "pwrite",
	unix.SYS_FSYNC: "fsync", unix.SYS_FDATASYNC: "fdatasync", unix.SYS_FTRUNCATE: "ftruncate", unix.SYS_FALLOCATE: "fallocate",
	unix.SYS_OPENAT: "openat", unix.SYS_RENAMEAT: "rename", unix.SYS_UNLINKAT: "unlink", unix.SYS_GETDENTS64: "getdents",
}
