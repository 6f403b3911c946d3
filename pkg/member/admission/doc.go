// Package admission decides which member may begin or stay on this node. It
// looks at the data before etcd touches it, and says why etcd must not.
//
// What it refuses, etcd would answer with a crash, with silence, or with an
// empty cluster. [Door.Admit] returns a [failure.Failure] that names the cause
// and the next step, or says how etcd may start. It changes one thing only: it
// moves aside what an interrupted first start of a cluster of one left.
//
// The data decides as far as it can, without asking anyone. Only where a member
// has lived on this node before and its data is not there do the other members
// have to say whether this node is that one's replacement. All of them are
// asked, over and over: one that lags behind does not know of it yet.
//
// [Stuck] recognises what could not be seen in the data: a start that etcd never
// completes, without an error.
package admission
