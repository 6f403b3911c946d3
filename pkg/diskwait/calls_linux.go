package diskwait

import "golang.org/x/sys/unix"

// calls are those with which etcd writes and reads, whose first argument is a
// file descriptor.
var calls = map[int]string{
	unix.SYS_READ: "read", unix.SYS_PREAD64: "pread", unix.SYS_WRITE: "write", unix.SYS_PWRITE64: "pwrite",
	unix.SYS_FSYNC: "fsync", unix.SYS_FDATASYNC: "fdatasync", unix.SYS_FTRUNCATE: "ftruncate", unix.SYS_FALLOCATE: "fallocate",
}
