// Package recorder is the node's flight recorder: what happened, kept where it
// survives the member, the supervisor and a power cut, for people who may read
// logs but must not see data.
//
// [Recorder] appends records as JSON lines to a file in the unit's
// LogsDirectory=. Two files of 1 MiB are kept, the current and the one before;
// the group of the service can read them. Add hands a record over and never
// waits for a disk: a goroutine that lives only while there is something to
// write appends and fsyncs. A directory that is missing, not writable or full
// costs nothing but records: that is logged once, the records wait in bounded
// memory, and each further Add or Retry tries again. Records that did not fit
// are counted in the next one. A daemon that does not know yet where to keep its
// records is told so later ([Recorder.Open]); they wait in the same memory.
//
// [Read] and [Look] need no Recorder. They cope with files that are cut off at
// any byte, with garbage, and with the records of later versions. They return
// every whole record, in the order in which they were written, which is not
// the order of their times where the clock was set back. The texts that they
// return are fit to be shown.
//
// [LineWriter] sends the member's log lines of level warn and above through a
// pipe, and [LastLines] keeps the last of them for the record of its end. The
// kernel keeps what is in a pipe, so that nothing is lost that was written
// before a SIGKILL. The member never waits: what a full pipe does not take,
// because the supervisor is frozen, is lost and counted. Memory that both
// processes share would keep the newest lines then, instead of the oldest; it
// is not worth the slots, checksums and seals that it needs.
//
// No keys, values, user names or secrets are sent. Of a log line the core
// takes time, level, caller and message; numbers, booleans, durations and
// times; and texts, errors among them, only where the package that logs has no
// request in its hands and, errors aside, the field is listed. The texts of a
// Record are its author's responsibility. A crash's text and goroutine dumps
// hold no data: Go prints addresses for strings, and the panics of etcd, raft
// and bbolt speak of numbers and IDs.
//
// [OOMKills] tells whether the kernel's OOM killer struck.
package recorder
