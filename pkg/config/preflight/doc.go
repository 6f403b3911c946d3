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
// that only some clients can use, a directory on a network file system. There
// are two exceptions: a certificate that has expired, and a file that is set
// and cannot be used although no URL needs it. A certificate that is not valid
// yet is a notice: mostly the clock is wrong, and the clock comes right by
// itself.
//
// The machine comes in as a [Host], a struct of funcs; [System] is the real
// one, as this process sees it, [SystemAs] as another user would see it.
// Nothing is written, and no key or part of one is in a finding.
package preflight
