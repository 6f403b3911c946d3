// Package diskwait tells when this process hangs in its disk.
//
// An fsync that does not come back is no error: etcd waits, clients time out,
// and nothing in the log says why. The kernel knows: the thread is in
// uninterruptible sleep, in a system call on a file. [Watch.Look] reads that
// from /proc, without a system call on the disk itself, so it answers also
// while every other access to the file system would hang.
package diskwait
