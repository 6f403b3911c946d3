// Package preflight looks at what the configuration names on this machine:
// TLS files, the data dir and the WAL dir.
//
// It answers one question: would a member that is started now fail, or be of no
// use to its peers, because of a file? etcd itself finds out late (a
// certificate is read at the first handshake) or says little ("tls: bad
// certificate", at the other end). [TLS], [Names] and [Dirs] return [Finding]s, all of
// them at once, each with the setting to blame and the way out.
//
// What stock etcd serves with is not a problem here but a notice: a certificate
// that only some clients can use or that has expired, a file that no URL needs,
// a directory on a network file system. The [Kind] of a finding about a TLS file
// says whether a good file may still come, and what the finding means while a
// member runs.
//
// The machine comes in as a [Host], a struct of funcs; [System] is the real
// one, as this process sees it, [SystemAs] as another user would see it.
// Nothing is written, and no key or part of one is in a finding.
package preflight
