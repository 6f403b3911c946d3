package spare

import (
	"context"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"
	"go.uber.org/zap"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"

	"github.com/etcd-node/etcd-node/test/loopback"
	"github.com/etcd-node/etcd-node/test/poll"
)

// three starts three members of stock etcd, and returns them as this package sees
// them; the first one asks.
func three(t *testing.T) ([]Member, []*embed.Etcd) {
	t.Helper()
	a, b, c := loopback.New("a", t.TempDir()), loopback.New("b", t.TempDir()), loopback.New("c", t.TempDir())
	loopback.Unite(&a, &b, &c)
	var etcds []*embed.Etcd
	var members []Member
	for i, m := range []loopback.Member{a, b, c} {
		cfg := m.Config()
		cfg.ZapLoggerBuilder = embed.NewZapLoggerBuilder(zap.NewNop())
		cfg.TickMs, cfg.ElectionMs = 50, 500
		e, err := embed.StartEtcd(cfg)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { closeOnce(e) })
		etcds = append(etcds, e)
		members = append(members, Member{Name: m.Name, ClientURLs: []string{m.Client}, Self: i == 0})
	}
	for _, e := range etcds {
		select {
		case <-e.Server.ReadyNotify():
		case <-time.After(poll.Patience):
			t.Fatal("no cluster")
		}
	}
	return members, etcds
}

// closeOnce closes an etcd that may be closed already, which it cannot bear.
func closeOnce(e *embed.Etcd) {
	select {
	case <-e.Server.StopNotify():
	default:
		e.Close()
	}
}

// quick does not wait for long: what is not in step here stays so.
var quick = Asker{patience: time.Second}

// A cluster of three can spare one only while the two others serve. Neither an alarm
// for want of space nor authentication is in the way.
func TestThree(t *testing.T) {
	members, etcds := three(t)
	ctx := t.Context()
	if err := (Asker{}).Check(ctx, members); err != nil {
		t.Fatalf("all serve: %v", err)
	}
	leader := etcds[0]
	if _, err := leader.Server.Alarm(ctx, &pb.AlarmRequest{Action: pb.AlarmRequest_ACTIVATE, MemberID: uint64(leader.Server.MemberID()), Alarm: pb.AlarmType_NOSPACE}); err != nil {
		t.Fatal(err)
	}
	if err := (Asker{}).Check(ctx, members); err != nil {
		t.Errorf("under NOSPACE: %v", err)
	}
	cli, err := clientv3.New(clientv3.Config{Endpoints: members[0].ClientURLs, Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	defer cli.Close()
	for _, do := range []func() error{
		func() error { _, err := cli.RoleAdd(ctx, "root"); return err },
		func() error { _, err := cli.UserAdd(ctx, "root", "x"); return err },
		func() error { _, err := cli.UserGrantRole(ctx, "root", "root"); return err },
		func() error { _, err := cli.AuthEnable(ctx); return err },
	} {
		if err := do(); err != nil {
			t.Fatal(err)
		}
	}
	if err := (Asker{}).Check(ctx, members); err != nil {
		t.Errorf("with authentication: %v", err)
	}
	closeOnce(etcds[2])
	if err := quick.Check(ctx, members); err == nil || !strings.Contains(err.Error(), "c does not answer: dial tcp") {
		t.Errorf("c is closed: %v", err)
	}
	closeOnce(etcds[1])
	err = quick.Check(ctx, members)
	if err == nil || !strings.Contains(err.Error(), "b does not answer") || !strings.Contains(err.Error(), "c does not answer") {
		t.Errorf("b and c are closed: %v", err)
	}
}

// A member without a leader answers, and is not in step.
func TestNoLeader(t *testing.T) {
	members, etcds := three(t)
	closeOnce(etcds[0])
	closeOnce(etcds[1])
	poll.Eventually(t, func() error {
		err := Asker{patience: 100 * time.Millisecond}.Check(t.Context(), members)
		if err == nil || !strings.Contains(err.Error(), "c is not in step") {
			t.Fatalf("Check = %v", err)
		}
		if !strings.Contains(err.Error(), "raft no leader") {
			return err // it has not noticed yet
		}
		return nil
	})
}

// An answer that comes from the member that asks, or from nobody who is that member, is
// none.
func TestWhoAnswers(t *testing.T) {
	members, etcds := three(t)
	is := func(_ context.Context, m Member) bool { return m.Name != "c" }
	a := Asker{patience: time.Second, Is: is}
	if err := a.Check(t.Context(), members); err == nil || !strings.Contains(err.Error(), "nobody answers as that member") {
		t.Errorf("nobody is c: %v", err)
	}
	// c is dead, and its URL leads to a.
	closeOnce(etcds[2])
	members[2].ClientURLs = []string{members[0].ClientURLs[0] + "/"}
	own := func(_ context.Context, host, port string) bool {
		return strings.HasSuffix(members[0].ClientURLs[0], host+":"+port)
	}
	if err := quick.Check(t.Context(), members); err != nil {
		t.Errorf("it is not deceived without: %v", err)
	}
	if err := (Asker{patience: time.Second, Own: own}).Check(t.Context(), members); err == nil || !strings.Contains(err.Error(), "leads to this member itself") {
		t.Errorf("its own answer counts: %v", err)
	}
}

// What can be told without asking anybody.
func TestUnasked(t *testing.T) {
	voter := func(name string, urls ...string) Member { return Member{Name: name, ClientURLs: urls} }
	self := Member{Name: "a", Self: true, ClientURLs: []string{"http://127.0.0.1:1"}}
	for name, tc := range map[string]struct {
		members []Member
		want    string
	}{
		"nobody":     {nil, "not known"},
		"one":        {[]Member{self}, "the only voting member"},
		"two":        {[]Member{self, voter("b")}, "two voting members"},
		"a learner":  {[]Member{{Name: "a", Self: true, Learner: true}, voter("b")}, ""},
		"never":      {[]Member{self, voter("b"), voter("c")}, "b has never served"},
		"one place":  {[]Member{self, voter("b", "http://127.0.0.1:1"), voter("c")}, "http://127.0.0.1:1 is listed for several members"},
		"unix":       {[]Member{self, voter("b", "unix://b"), voter("c")}, "unix://b cannot be asked from here"},
		"no etcd":    {[]Member{self, voter("b", "http://127.0.0.1:2"), voter("c")}, "connection refused"},
		"two, third": {[]Member{self, voter("b"), {Name: "l", Learner: true}}, "two voting members"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := Asker{patience: 50 * time.Millisecond}.Check(t.Context(), tc.members)
			if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
				t.Errorf("Check = %v, want %q", err, tc.want)
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := (Asker{}).Check(ctx, []Member{self, voter("b", "http://127.0.0.1:2"), voter("c", "http://127.0.0.1:3")}); err == nil {
		t.Error("a question that was taken back found all well")
	}
}
