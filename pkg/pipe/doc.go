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
// Both ends are the same binary (the member is /proc/self/exe), so versions
// differ only where somebody starts a member by hand; the version turns that
// into a message instead of a misunderstanding.
package pipe
