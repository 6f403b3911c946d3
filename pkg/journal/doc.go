// Package journal gives log lines the priority by which `journalctl -p`
// selects. The journal reads a service's standard error line by line, knows
// nothing of zap's levels, and takes every line for "info" unless it begins
// with its priority, as in <4>; that it takes away again (SyslogLevelPrefix=,
// which is on unless a unit turns it off).
//
// Nobody else takes it away. So the caller asks [OnStderr] first, and what goes
// to a terminal, a pipe or a file stays as it is.
//
// [Redacted] is for every log: it keeps the passwords in URLs out of it.
package journal
