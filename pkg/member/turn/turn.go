package turn

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/server/v3/auth"
	etcderrors "go.etcd.io/etcd/server/v3/etcdserver/errors"
	"go.etcd.io/etcd/server/v3/lease"
)

const (
	// ID is "etcdnode" in ASCII. etcd chooses 63-bit numbers of its own from its
	// members' IDs and the time.
	ID = 0x657463646e6f6465
	// TTL is the least that the lease lives for: longer than a restart that somebody
	// waits for takes, which is 10 s with 2 GB of data, and the 10 s that package spare
	// has patience; and not less than etcd grants at its longest election timeout, three
	// halves of 50 s. Whoever dies with the turn keeps the others waiting for so long. Each
	// member has another one, by [Rank], so that all see whose turn it is.
	TTL = 80 * time.Second
	// leaderless is how long there may be nobody to ask: longer than an election takes.
	leaderless = 15 * time.Second
	// askEvery is how often it is looked whether the turn is free. A look is one
	// request to the leader, and writes nothing.
	askEvery = 250 * time.Millisecond
	// tryLimit is for one request: a proposal that was lost with a leader gets no answer,
	// and another try finds out what became of it.
	tryLimit = 2 * time.Second
	// margin is kept from the end of the turn when it is given back: a revocation may
	// be on its way for as long as etcd waits for a request, which is 5 s and two
	// election timeouts of 5 s; later it could take another one's turn away.
	margin = 20 * time.Second
)

// Rank tells the members apart: the place of one among the IDs of all, in their order.
// While members are added or removed two may have the same for a minute, and take the
// turn for theirs: it is a courtesy.
type Rank int

func (r Rank) ttl() time.Duration { return TTL + time.Duration(r)*time.Second }

// Leases is what the turn needs of etcd's server. The context has to have the rights
// of root.
type Leases interface {
	LeaseGrant(context.Context, *pb.LeaseGrantRequest) (*pb.LeaseGrantResponse, error)
	LeaseRevoke(context.Context, *pb.LeaseRevokeRequest) (*pb.LeaseRevokeResponse, error)
	LeaseRenew(context.Context, lease.LeaseID) (int64, error)
	LeaseTimeToLive(context.Context, *pb.LeaseTimeToLiveRequest) (*pb.LeaseTimeToLiveResponse, error)
}

// Turn is one that was taken. It outlives the process that took it: another process
// of this machine may give it back.
type Turn struct {
	// Until is when it may have ended, on the clock of this machine that no one sets
	// (CLOCK_BOOTTIME).
	Until time.Duration `json:"until"`
}

// Take waits for the turn of the member with a rank, and says whose it is, and for how
// long it may be that one's, whenever that is another one or becomes longer. A turn
// that this member has from before is its turn. It ends with ctx.
func Take(ctx context.Context, l Leases, me Rank, wait func(whose Rank, left time.Duration)) (Turn, error) {
	var whose Rank
	var left time.Duration
	asked := now() // whose turn it is, with an answer
	for {
		begun := now() // before etcd can have begun to count
		err := grant(ctx, l, me)
		switch {
		case err == nil:
			return Turn{Until: begun + me.ttl()}, nil
		case errors.Is(err, etcderrors.ErrNoSpace):
			// Near the quota etcd grants the lease all the same: it ends by itself, or is
			// ours the next time.
			return Turn{}, errors.New("the cluster is out of space (alarm NOSPACE), and grants nobody a turn")
		case errors.Is(err, etcderrors.ErrCorrupt):
			return Turn{}, errors.New("the data is not the same on all members (alarm CORRUPT), and the cluster grants nobody a turn")
		case isDenied(err):
			return Turn{}, fmt.Errorf("the cluster grants no turn: %w", err)
		}
		// Somebody has it, or there was no answer: who has it tells.
		h, failed := holder(ctx, l)
		if failed == nil {
			asked = now()
		}
		switch {
		case failed != nil && now()-asked > leaderless && ctx.Err() == nil:
			return Turn{}, fmt.Errorf("there is no leader, who alone grants a turn: %w", errors.Join(err, failed))
		case failed != nil:
		case h.rank == me && h.taken:
			begun = now()
			if renew(ctx, l) != nil {
				break
			}
			// It may have been another one's by then.
			if h, err := holder(ctx, l); err == nil && h.taken && h.rank == me {
				return Turn{Until: begun + me.ttl()}, nil
			}
		case h.taken && (h.rank != whose || h.left > left || left == 0):
			wait(h.rank, h.left)
			whose, left = h.rank, h.left
		case h.taken:
			left = h.left
		}
		select {
		case <-time.After(askEvery):
		case <-ctx.Done():
			return Turn{}, ctx.Err()
		}
	}
}

// isDenied reports whether the rights are missing, as with a signing key that only
// verifies: to wait would be of no use.
func isDenied(err error) bool {
	return errors.Is(err, auth.ErrUserEmpty) || errors.Is(err, auth.ErrPermissionDenied) || errors.Is(err, auth.ErrInvalidAuthToken)
}

func grant(ctx context.Context, l Leases, me Rank) error {
	ctx, cancel := context.WithTimeout(ctx, tryLimit)
	defer cancel()
	_, err := l.LeaseGrant(ctx, &pb.LeaseGrantRequest{ID: ID, TTL: int64(me.ttl() / time.Second)})
	return err
}

func renew(ctx context.Context, l Leases) error {
	ctx, cancel := context.WithTimeout(ctx, tryLimit)
	defer cancel()
	_, err := l.LeaseRenew(ctx, ID)
	return err
}

// held is whose turn it is.
type held struct {
	taken bool
	rank  Rank
	left  time.Duration // at most
}

func holder(ctx context.Context, l Leases) (held, error) {
	ctx, cancel := context.WithTimeout(ctx, tryLimit)
	defer cancel()
	answer, err := l.LeaseTimeToLive(ctx, &pb.LeaseTimeToLiveRequest{ID: ID})
	switch {
	case errors.Is(err, lease.ErrLeaseNotFound):
		return held{}, nil
	case err != nil:
		return held{}, err
	}
	rank := Rank(time.Duration(answer.GrantedTTL)*time.Second-TTL) / Rank(time.Second)
	return held{true, rank, max(0, time.Duration(answer.TTL)*time.Second)}, nil
}

// GiveBack ends the turn of the member with a rank, unless it may have ended already:
// then the lease of the same ID may be another one's. That is no error. It is revoked
// once: a second try could meet the next one's.
func (t Turn) GiveBack(ctx context.Context, l Leases, me Rank) error {
	left := t.Until - margin - now()
	if left <= 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, left)
	defer cancel()
	for {
		h, err := holder(ctx, l)
		switch {
		case err == nil && (!h.taken || h.rank != me):
			return nil
		case err == nil:
			return revoke(ctx, l)
		}
		select {
		case <-time.After(askEvery):
		case <-ctx.Done():
			return err
		}
	}
}

func revoke(ctx context.Context, l Leases) error {
	ctx, cancel := context.WithTimeout(ctx, tryLimit)
	defer cancel()
	_, err := l.LeaseRevoke(ctx, &pb.LeaseRevokeRequest{ID: ID})
	return err
}

// now is the time on a clock that goes on while the machine sleeps, and that all its
// processes share.
func now() time.Duration {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_BOOTTIME, &t) // which Linux has had since 2.6.39
	return time.Duration(t.Nano())
}
