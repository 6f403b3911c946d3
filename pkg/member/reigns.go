package member

import (
	"slices"
	"time"

	"go.etcd.io/etcd/client/pkg/v3/types"
)

// changesOver is over how long changes of the leader are counted.
const changesOver = time.Hour

// reigns count the leaders that follow one another. The zero value has seen none.
type reigns struct {
	leader  types.ID    // the last one
	term    uint64      // at that time
	lost    bool        // there was none since, and it may have been elected again
	changes []time.Time // those of the last hour
}

// look notes who leads, 0 for nobody, and the term of the last entry that is applied
// here, which comes after its leader. It returns how often the leader has changed in
// the last hour. The first that is seen is no change; one that was lost and is elected
// again is one.
func (r *reigns) look(leader types.ID, term uint64, now time.Time) int {
	switch first := r.leader == 0; {
	case leader == 0:
		r.lost = !first
	case leader != r.leader || r.lost && term != r.term:
		if !first {
			r.changes = append(r.changes, now)
		}
		r.leader, r.term, r.lost = leader, term, false
	case !r.lost:
		r.term = term
	}
	r.changes = slices.DeleteFunc(r.changes, func(at time.Time) bool { return now.Sub(at) >= changesOver })
	return len(r.changes)
}
