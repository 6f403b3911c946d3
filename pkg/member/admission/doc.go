// Package admission decides which member may begin or stay on this node. It
// looks at the data before etcd touches it, and says why etcd must not.
//
// What it refuses, etcd would answer with a crash, with silence, or with an
// empty cluster. [Checker.Admit] returns a [failure.Failure] that names the cause
// and the next step, or says how etcd may start. It changes one thing only: it
// moves aside what an interrupted first start of a cluster of one left.
//
// The data decides as far as it can. Where there is none, the other members of
// the list are asked, over and over: one that lags behind does not know of a
// `member add` yet.
//
//   - Where no member has lived on this node, one begins only if nothing says
//     otherwise. A cluster that lives at a listed address and does not list this
//     node is waited for, until it does; a listed machine that is silent is waited
//     for, for a while, and one that answers as something else without limit. A
//     node that the cluster lists as a new member joins by the cluster's own list.
//     A new cluster begins with a quorum of the list. Without a service manager
//     nothing is waited for.
//   - Where one has lived, this node may only be that one's replacement.
//
// Nodes without data cannot block each other: until it begins, each announces that
// it has none, or which cluster it waits for. The first of them begins, and the others follow when it answers; one
// that begins a moment after it was asked has the same list, and so begins the same
// cluster. A closed port means that no etcd runs there, once it has been closed for
// longer than a restart takes.
//
// Where there is data of a cluster of several, its member must not run elsewhere:
// the address at which the data lists it is asked. Where that is another entry of
// the list than this machine, machines may have changed their addresses as well:
// then whoever answers there decides, and until somebody does the start waits.
//
// Where the other members are to be dropped from the data (--force-new-cluster),
// none of them must answer.
//
// Where somebody sees why a start takes long, data that is missing is waited for:
// most likely its disk is not mounted yet. The wait ends when a mount has brought
// it, or when this node may begin as the replacement.
//
// [Stuck] recognises what could not be seen in the data: a start that etcd never
// completes, without an error.
package admission
