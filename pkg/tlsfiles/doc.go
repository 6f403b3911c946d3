// Package tlsfiles waits for the TLS files that a member needs, and watches them
// while it runs.
//
// [Files.Watch] looks at them for as long as the daemon lives: whenever one may
// have changed (package filewatch tells), and when the clock changes what is to be
// said. It alone reads them, because a file system may not answer; all else asks
// what it saw last. Package config judges what was seen.
//
// Before the member starts, [Files.Wait] waits for those that etcd cannot load,
// which is for ever, with the reason said. From [Files.ResolvedAs] on,
// [Files.Conditions] and [Files.Notices] say what is wrong or about to be, and
// each is logged once, when it begins.
package tlsfiles
