// Package disk keeps a member alive on a full disk, says in time that the disk
// is getting full, and tells when this process hangs in its disk.
//
// # A full disk
//
// etcd ends its process when a write fails. It writes most when it starts and
// when it begins a new WAL segment, and a disk that is full stops it from
// starting again: then nothing can be compacted either. So a [Keeper] holds a
// file of allocated blocks on the member's file system and gives them up, once
// and loudly, when less is available than etcd needs next:
//
//	         room for twice its size
//	missing ─────────────────────────▶ held ◀─────────────────────┐
//	                                    │ less than Needed         │ room for twice
//	                                    │ is available             │ its size for a minute
//	                                    └────────▶ released ───────┘
//
// The file is member/reserve. A WAL directory on another file system gets one
// of its own, wal/reserve.tmp: etcd warns of other names there. A snap directory
// that is a mount by itself gets none. A released reserve stays as an empty
// file, so that the next process knows of it. The file is made only beside a WAL:
// etcd empties the WAL directory when it creates one, and an empty member
// directory must look empty.
//
// The reserve consists of real blocks, from fallocate(2). A file system that
// cannot allocate them (ZFS, ext3, older NFS) gets no reserve, and the log says
// so: writing the blocks out would compete with etcd's own fsyncs, and would
// reserve nothing where data is compressed.
//
// Released space is free for everyone: a process that goes on filling the disk
// takes it too. Then etcd ends as it would have without a reserve.
//
// [Keeper.Poll] runs once before etcd is started and [Keeper.Run] while it
// runs; [Keeper.Warnings] can be called from any goroutine and never waits for
// the disk. Nothing here ends a process or fails a start: what cannot be done
// is logged once.
//
// # A disk that hangs
//
// An fsync that does not come back is not an error: etcd waits, clients time
// out, and nothing in the log says why. The kernel knows: the thread is in
// uninterruptible sleep, in a system call on a file. [Watch.Look] reads that
// from /proc, without a system call on the disk itself, so it answers even
// while every access to the file system hangs.
package disk
