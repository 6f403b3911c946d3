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
}
