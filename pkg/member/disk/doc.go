// Package reserve keeps a member alive on a full disk, and says in time that
// the disk is getting full.
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
// file, so that the next process knows. The file is made only beside a WAL:
// etcd empties the WAL directory when it creates one, and an empty member
// directory must look empty.
//
// The reserve is real blocks, from fallocate(2). Where the file system has no
// such thing (ZFS, ext3, older NFS) there is none, and the log says so: writing
// the blocks out would compete with etcd's own fsyncs and reserve nothing where
// data is compressed.
//
// What is released is released to everyone: a process that goes on filling the
// disk takes this space too. Then etcd ends as it would have without it.
//
// [Keeper.Poll] runs once before etcd is started and [Keeper.Run] while it
// runs; [Keeper.Warnings] can be called from any goroutine and never waits for
// the disk. Nothing here ends a process or fails a start: what cannot be done
// is logged once.
package disk
