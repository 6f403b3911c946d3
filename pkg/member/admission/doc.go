// Package admission decides who may begin or stay on this node: it looks at the
// data before etcd touches it, and says why etcd must not.
//
// What it finds etcd would answer with a crash, with silence, or with an empty
// cluster. [Admit] refuses with a [failure.Failure] that names the cause and
// the next step, or says how etcd may start. It changes nothing but this: it
// moves aside what an interrupted first start of a cluster of one left.
//
// Data decides as far as it can. Only where a member has lived on this node
// before and its data is not there does the cluster have to say whether this
// node is its replacement.
package admission
