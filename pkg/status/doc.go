// Package status is the one value that says how this node is doing.
//
// The supervisor's loop folds what it decides and what the member reports
// into a [Status]; every face of the program — systemd's STATUS= line, the
// log, `etcd-node status` — prints that value and nothing else, so they
// cannot contradict each other. [View] is the member's share of it.
//
// Values are plain data: copy them freely, compare Views with [View.Equal].
package status
