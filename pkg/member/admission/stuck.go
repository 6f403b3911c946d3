package admission

import (
	"fmt"
	"time"

	"github.com/etcd-node/etcd-node/pkg/failure"
)

const (
	// strayRounds is how many rounds of probes must have been made before a
	// member that never became ready believes that it is in the wrong cluster.
	strayRounds = 4
	// halfBegunAfter is how long after its start a sound member of a cluster of
	// one can be without any entry: it reads at least the one that made it a
	// member from its own disk, before StartEtcd returns or at once after.
	halfBegunAfter = 3 * time.Second
)

// Start is how far a server has come that is not ready yet.
type Start struct {
	ClusterID string
	Members   int           // as applied
	Listed    int           // in the initial cluster
	Begun     bool          // there is a term, or an entry is committed
	Since     time.Duration // how long ago StartEtcd returned
	// Begins is the cluster that a first start by the present list and token would
	// begin; "": not known. Pinned: a member has stored something on this node.
	Begins string
	Pinned bool
}

// Foreigners knows what the peers say of their cluster, as peers.Findings does.
type Foreigners interface {
	// Foreign is the ID of another cluster than own that a quorum of size names
	// after that many rounds of probes, or "".
	Foreign(own string, size, rounds int) string
}

// Stuck recognises the states in which etcd starts, never becomes ready, and
// returns no error.
func Stuck(s Start, peers Foreigners) *failure.Failure {
	if id := peers.Foreign(s.ClusterID, max(s.Members, s.Listed), strayRounds); id != "" {
		return foreignTo(s, id)
	}
	// A WAL without entries: a first start that was killed. In a cluster of
	// several the other members bring what is missing.
	if s.Members == 0 && s.Listed == 1 && !s.Begun && s.Since > halfBegunAfter {
		return failure.New(failure.IDHalfBegun, "")
	}
	return nil
}

// foreignTo tells data that is of no use from a configuration that differs now.
func foreignTo(s Start, id string) *failure.Failure {
	f := failure.New(failure.IDForeign, fmt.Sprintf("this member belongs to cluster %s, its peers to cluster %s", s.ClusterID, id))
	switch {
	case s.Begins == id && !s.Pinned:
		f.Cause = "the data here was begun under another token or list, and has never served"
		f.Detail += ", which is what the list and the token say now"
		f.Next = f.Next[1:] // they are right
	case s.Begins == s.ClusterID:
		f.Detail += "; this one is what the list and the token say here: they differ from those of the peers"
	}
	return f
}
