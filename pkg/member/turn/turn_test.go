package turn

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
	"go.etcd.io/etcd/server/v3/etcdserver"
	"go.uber.org/zap"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"

	"github.com/etcd-node/etcd-node/test/loopback"
	"github.com/etcd-node/etcd-node/test/poll"
)

// etcd is a member of a cluster of one.
func etcd(t *testing.T) *etcdserver.EtcdServer {
	t.Helper()
	m := loopback.New("a", t.TempDir())
	cfg := m.Config()
	cfg.ZapLoggerBuilder = embed.NewZapLoggerBuilder(zap.NewNop())
	e, err := embed.StartEtcd(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	select {
	case <-e.Server.ReadyNotify():
	case <-time.After(poll.Patience):
		t.Fatal("etcd is not ready")
	}
	return e.Server
}

// Two who want the turn get it one after the other, and it leaves no trace in the
// key space.
func TestTurns(t *testing.T) {
	s := etcd(t)
	revision := s.KV().Rev()
	ctx, cancel := context.WithTimeout(t.Context(), poll.Patience)
	defer cancel()
	first, err := Take(ctx, s, 0, func(Rank, time.Duration) { t.Error("the first one waits") })
	if err != nil {
		t.Fatal(err)
	}
	if left := first.Until - now(); left <= TTL-10*time.Second || left > TTL {
		t.Errorf("the turn lasts %s", left)
	}
	var waited atomic.Int64
	waits := make(chan struct{}, 100)
	got := make(chan error, 1)
	go func() {
		_, err := Take(ctx, s, 2, func(whose Rank, left time.Duration) {
			if whose != 0 {
				t.Errorf("the turn is said to be that of %d", whose)
			}
			waited.Store(int64(left))
			waits <- struct{}{}
		})
		got <- err
	}()
	<-waits
	select {
	case err := <-got:
		t.Fatalf("two have the turn: %v", err)
	default:
	}
	if err := first.GiveBack(ctx, s, 0); err != nil {
		t.Fatal(err)
	}
	if err := <-got; err != nil {
		t.Fatal(err)
	}
	if w := time.Duration(waited.Load()); w <= 0 || w > TTL {
		t.Errorf("it was told to wait for %s at most", w)
	}
	if s.KV().Rev() != revision {
		t.Errorf("the revision was %d, and is %d", revision, s.KV().Rev())
	}
	// Who gives back too late takes nothing from the one that has it now.
	if err := (Turn{Until: now() + margin - time.Second}).GiveBack(ctx, s, 2); err != nil {
		t.Fatal(err)
	}
	if h, err := holder(ctx, s); err != nil || !h.taken {
		t.Errorf("a turn that may have ended was given back: %+v, %v", h, err)
	}
	// Nor who has had it before.
	if err := (Turn{Until: now() + time.Hour}).GiveBack(ctx, s, 0); err != nil {
		t.Fatal(err)
	}
	if h, err := holder(ctx, s); err != nil || h.rank != 2 {
		t.Errorf("another one's turn was given back: %+v, %v", h, err)
	}
	// Who has it takes it again, as after a crash.
	if again, err := Take(ctx, s, 2, func(Rank, time.Duration) { t.Error("it waits for itself") }); err != nil || again.Until < now()+TTL-time.Second {
		t.Errorf("Take = %v, %v", again, err)
	}
}

// Who waits goes when he is told to.
func TestWaitEnds(t *testing.T) {
	s := etcd(t)
	if _, err := Take(t.Context(), s, 0, func(Rank, time.Duration) {}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := Take(ctx, s, 1, func(Rank, time.Duration) { cancel() }); !errors.Is(err, context.Canceled) {
		t.Errorf("Take = %v", err)
	}
}

// A turn whose holder is gone ends by itself: with a lease of the shortest life that
// etcd grants.
func TestHolderGone(t *testing.T) {
	s := etcd(t)
	ctx, cancel := context.WithTimeout(t.Context(), poll.Patience)
	defer cancel()
	if _, err := s.LeaseGrant(ctx, &pb.LeaseGrantRequest{ID: ID, TTL: 1}); err != nil {
		t.Fatal(err)
	}
	waited := false
	if _, err := Take(ctx, s, 0, func(Rank, time.Duration) { waited = true }); err != nil || !waited {
		t.Errorf("Take = %v, waited: %v", err, waited)
	}
}

// Where authentication is on, the rights of root are needed, and are there.
func TestAuth(t *testing.T) {
	s := etcd(t)
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err := s.UserAdd(ctx, &pb.AuthUserAddRequest{Name: "root", Password: "x", HashedPassword: "JDJhJDEwJE8=", Options: nil})
	must(err)
	_, err = s.RoleAdd(ctx, &pb.AuthRoleAddRequest{Name: "root"})
	must(err)
	_, err = s.UserGrantRole(ctx, &pb.AuthUserGrantRoleRequest{User: "root", Role: "root"})
	must(err)
	_, err = s.AuthEnable(ctx, &pb.AuthEnableRequest{})
	must(err)
	if _, err := Take(ctx, s, 0, func(Rank, time.Duration) {}); err == nil {
		t.Error("a turn without rights")
	}
	turn, err := Take(s.AuthStore().WithRoot(ctx), s, 0, func(Rank, time.Duration) {})
	must(err)
	must(turn.GiveBack(s.AuthStore().WithRoot(ctx), s, 0))
	if h, err := holder(s.AuthStore().WithRoot(ctx), s); err != nil || h.taken {
		t.Errorf("the turn was not given back: %+v, %v", h, err)
	}
}

// Under an alarm nobody gets a turn, and is told why.
func TestNoSpace(t *testing.T) {
	s := etcd(t)
	if _, err := s.Alarm(t.Context(), &pb.AlarmRequest{Action: pb.AlarmRequest_ACTIVATE, MemberID: uint64(s.MemberID()), Alarm: pb.AlarmType_NOSPACE}); err != nil {
		t.Fatal(err)
	}
	if _, err := Take(t.Context(), s, 0, func(Rank, time.Duration) {}); err == nil || !strings.Contains(err.Error(), "NOSPACE") {
		t.Errorf("Take = %v", err)
	}
}
