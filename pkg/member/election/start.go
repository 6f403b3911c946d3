package election

import (
	"context"
	"time"
)

// alone is how soon a single member tries again, should raft refuse: nobody
// else can be disturbed.
const alone = 5 * time.Millisecond

// begin asks for an election as soon as a quorum of the voting members is
// connected and none of them leads, and returns when there is a leader.
//
// Members that have just started have no lease: two of three would depose a
// leader that they have not heard yet, and what it had not replicated would be
// lost. So everybody is asked before. A member that neither answers nor
// refuses may be a leader that we cannot reach yet; it is waited for, half the
// time after which etcd would no longer care.
func (e *Elector) begin(ctx context.Context) {
	// Who voted for itself led, or nearly did. If it is back before the others
	// noticed that it was gone, its question tells them.
	before := e.opts.Server.Raft()
	led, term := before.HardState.GetVote() == e.opts.Self, before.HardState.GetTerm()
	var quorum time.Time // since when there is one; zero: there is none
	for ctx.Err() == nil {
		// Anew each time: it stays closed once a leader was known, also one
		// that is lost again by now.
		chosen := e.opts.Server.LeaderChangedNotify()
		if e.opts.Server.Leader() != 0 {
			return
		}
		moved := e.opts.Streams.changed()
		ids, voter := e.voters()
		there := 0
		for _, id := range ids {
			if e.connected(id) {
				there++
			}
		}
		if voter && there > len(ids)/2 {
			if quorum.IsZero() {
				quorum = time.Now()
			}
			again := e.opts.Timeout / 4
			if len(ids) == 1 {
				again = alone
			}
			// Not longer than etcd itself would wait: the members that were
			// connected may be gone by then.
			term = e.campaign(ctx, plan{term: term, atOnce: led, again: again, limit: e.opts.Timeout, may: func() bool {
				who := e.whoLeads(ctx, ids)
				return who == nobody || who == unknown && time.Since(quorum) >= e.opts.Timeout/2
			}}, chosen)
			continue
		}
		quorum = time.Time{}
		select {
		case <-ctx.Done():
		case <-chosen:
		case <-moved:
		case <-time.After(pollInterval / 10): // the membership is not announced
		}
	}
}
