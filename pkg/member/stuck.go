package member

import (
	"fmt"
	"time"

	"github.com/etcd-node/etcd-node/pkg/failure"
)

const (
	// strayRounds is how many rounds of probes must have been made before a
	// member that never became ready believes that it is in the wrong cluster.
	strayRounds = 4
	// halfBegunAfter is how long after its start a sound member of a cluster
	// of one can be without any entry: it reads at least the one that made it
	// a member from its own disk, before StartEtcd returns or at once after.
	halfBegunAfter = 3 * time.Second
)

// stuck recognises the states in which etcd starts, never becomes ready, and
// returns no error.
func (m *member) stuck() *failure.Failure {
	e := m.etcd.Load()
	if e == nil || m.ready.Load() {
		return nil
	}
	s := e.Server
	c := s.Cluster()
	own, members := c.ID().String(), len(c.Members())
	if id := m.found.foreign(own, max(members, len(m.initial)+1), strayRounds); id != "" {
		return failure.New(failure.IDForeign, fmt.Sprintf("this member is of cluster %s, they are of %s", own, id))
	}
	// A WAL without entries: a first start that was killed. Where there are
	// other members they bring what is missing.
	if members == 0 && len(m.names) == 1 && s.Term() == 0 && s.CommittedIndex() == 0 && time.Since(m.startedAt) > halfBegunAfter {
		return failure.New(failure.IDHalfBegun, "")
	}
	return nil
}
