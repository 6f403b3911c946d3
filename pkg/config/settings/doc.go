// Package settings holds the resolved configuration: the value that package
// config computes, and that everything else reads, prints and compares.
//
// It knows neither etcd nor where a setting comes from, so that every other
// package can use it and pulls in nothing but the standard library.
//
// # Secrets
//
// A password, and a URL with credentials in it, is secret. [Resolved.Args]
// leaves secrets out, because everybody can read argv; [Resolved.Secrets] has
// them, for the pipe to the member. Whatever is printed has [Redacted] in their
// place.
package settings
