// Package pipe is the conversation between the supervisor and its member.
//
// Two pipes join them: events go up, commands go down, each message one line
// of JSON of at most [MaxLine] bytes with the protocol's version in it. The
// pipe of commands is also the lifeline: its end of file tells the member
// that the supervisor is gone.
//
// The writer never blocks its caller for longer than a moment and the reader
// never trusts what it reads: a line that is too long, is not JSON, or is of
// another version is an error of that line, and the next line is read as if
// nothing had happened.
//
// Both ends are the same binary (the member is /proc/self/exe), but for a reload after
// an upgrade: then the member is a newer one. It is asked for the version first, and
// refused if that is another one; so within a version, kinds and fields may be added,
// and neither end may count on those that the other one does not know.
package pipe
