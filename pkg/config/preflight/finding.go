package preflight

// Finding is one thing that is wrong, or is likely to go wrong.
type Finding struct {
	Setting string // the etcd flag to blame, "peer-cert-file"
	What    string // what is wrong and why
	Hint    string // what to do; may be ""
	Notice  bool   // it does not keep a member from being of use
	// Waits: the daemon looks at each start of a member, and where it must
	// waits until it is mended. So the daemon does not end because of it.
	Waits bool
	Kind  Kind // of a finding about a TLS file
}

// Kind says what a finding about a TLS file means for a member, before it
// starts and while it runs.
type Kind int

// The kinds.
const (
	// Unset is a setting that is missing: only an edit mends it.
	Unset Kind = iota
	// Late is a file that etcd cannot load: missing, empty, not readable, not
	// what it should be, a key of another certificate. A good one may still come.
	Late
	// Expired is a certificate that has expired or is not valid yet.
	Expired
	// Expires is one that expires soon.
	Expires
	// Misfit is a certificate that etcd loads and others may refuse.
	Misfit
	// Revocations is a revocation list that etcd cannot read. It does not when it
	// starts, but whenever somebody shows a certificate.
	Revocations
	// Aside is worth a word, and nothing of it is in use.
	Aside
)
