// Package recorder is the node's flight recorder: what happened, kept where it
// survives the member, the supervisor and a power cut, for people who may read
// logs but must not see data.
//
// [Recorder] appends records as JSON lines to a file in the unit's
// LogsDirectory=. Two files of 1 MiB are kept, the current and the one before;
// the group of the service can read them. Add hands a record over and never
// waits for a disk: a goroutine that lives only while there is something to
// write appends and fsyncs. A directory that is missing, not writable or full
// costs nothing but records: the error is returned once, the records wait in
// bounded memory, and each further Add tries again. What did not fit is
// counted in the next record.
//
// [Read] and [Look] need no Recorder and take whatever they
// find: files cut off at any byte, garbage, lines without end. They return
// every whole record, in the order in which they were written, which is not
// the order of their times where the clock was set back.
//
// [Ring] is the member's last log lines of level warn and above, in memory
// that both processes share, so that they survive a SIGKILL of the member: it
// writes them without a system call or a lock between the processes, and the
// supervisor reads them out after the member's end. Each line has a slot of
// its own with a checksum, so what a death tears is one line.
//
// No keys, values, user names or secrets get into the ring. Of a log line it
// takes time, level, caller and message; numbers, booleans, durations and
// times; and texts, errors among them, only where the package that logs has no
// request in its hands and, errors aside, the field is listed. What a caller
// puts into a Record is its own responsibility. A crash's text and goroutine
// dumps hold none: Go prints addresses for strings, and the panics of etcd,
// raft and bbolt speak of numbers and IDs.
//
// [OOMKills] tells whether the kernel's OOM killer struck.
package recorder
