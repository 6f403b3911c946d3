// Package spare answers whether a cluster can spare one of its members: whether it
// keeps its quorum without it, and every other voting member is in step.
//
// It asks each of them, and assumes nothing: GET /health on its client URL is a
// linearizable read by that member. It answers only if the member has a leader with a
// quorum, and has applied all that was committed when it was asked. Stock etcd
// answers that, too, and asks for no user where authentication is on.
package spare
