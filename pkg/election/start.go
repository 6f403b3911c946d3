package election

import (
	"context"
	"time"
)

// alone is how soon a single member tries again, should raft refuse: nobody
// else can be disturbed.
const alone = 5 * time.Millisecond

// begin asks for an election as soon as a quorum of the voting members is
// connected and there is no leader, and returns when there is one. A member
// that joins a healthy cluster may hear nothing of its leader for up to one
// heartbeat; the others do, and do not vote.
func (e *Elector) begin(ctx context.Context) {
	chosen := e.opts.Server.LeaderChangedNotify()
	// Who voted for itself led, or nearly did. If it is back before the others
	// noticed that it was gone, its question tells them.
	before := e.opts.Server.Raft()
	led := before.HardState.GetVote() == e.opts.Self
	for ctx.Err() == nil && e.opts.Server.Leader() == 0 {
		moved := e.opts.Streams.changed()
		ids, voter := e.voters()
		there := 0
		for _, id := range ids {
			if e.connected(id) {
				there++
			}
		}
		if voter && there > len(ids)/2 {
			again := e.opts.Timeout / 4
			if len(ids) == 1 {
				again = alone
			}
			// Not longer than etcd itself would wait: the members that were
			// connected may be gone by then.
			e.campaign(ctx, plan{term: before.HardState.GetTerm(), atOnce: led, again: again, limit: e.opts.Timeout}, chosen)
			continue
		}
		select {
		case <-ctx.Done():
		case <-chosen:
			return
		case <-moved:
		case <-time.After(pollInterval / 10): // the membership is not announced
		}
	}
}
