package member

import (
	"context"
	"net"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"

	"github.com/etcd-node/etcd-node/pkg/member/election"
	"github.com/etcd-node/etcd-node/pkg/member/silence"
	"github.com/etcd-node/etcd-node/pkg/status"
)

// A leader that hears no quorum counts nobody who is known to be silent, though
// raft and our probes have not noticed yet.
func TestWithoutQuorum(t *testing.T) {
	three := []status.Member{{Self: true, Connected: true}, {Connected: true}, {Cause: "connecting"}, {Connected: true, Learner: true}}
	for _, tc := range []struct {
		members []status.Member
		want    []string
	}{
		{three, []string{"", "silent", "connecting", ""}},
		{append(slices.Clone(three), status.Member{Connected: true}), []string{"", "", "connecting", "", ""}}, // one of the three others may be heard
	} {
		v := status.View{Members: slices.Clone(tc.members)}
		withoutQuorum(&v)
		var got []string
		for _, x := range v.Members {
			if x.Connected != (x.Cause == "") {
				t.Errorf("%+v", x)
			}
			got = append(got, x.Cause)
		}
		if !v.NoQuorum || !slices.Equal(got, tc.want) {
			t.Errorf("%q, want %q", got, tc.want)
		}
	}
}

// leading is etcd's server of a leader, and what it knows of the others' hosts:
// nothing is acknowledged.
type leading struct{ heard time.Time }

func (leading) Process(context.Context, *raftpb.Message) error { return nil }
func (leading) LeaderChangedNotify() <-chan struct{}           { return nil }
func (leading) View() election.View {
	v := election.View{Members: []election.Member{{ID: 1}, {ID: 2}}}
	v.Raft.ID, v.Raft.Lead, v.Raft.RaftState = 1, 1, raft.StateLeader
	return v
}
func (leading) Resolve(context.Context, map[uint64][]string) {}
func (leading) Refresh()                                     {}
func (l leading) Look() (time.Time, map[uint64]silence.Look) {
	return time.Now(), map[uint64]silence.Look{2: {At: time.Now(), Heard: l.heard}}
}

// What the elector knows of the quorum is in the view.
func TestViewOfLeaderCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, o := newTestMember(), twoMembers()
		o.leader = 1
		m.heard.line(zapcore.Entry{Message: msgPeerActive, Time: time.Now()}, "2", "")
		l := leading{heard: time.Now()}
		ctx, cancel := context.WithCancel(t.Context())
		m.elector.run(ctx, election.New(election.Options{
			Server: l, Self: 1, Streams: m.streams, Log: zap.NewNop(), Timeout: time.Second, Failover: true, Changed: func() {}, QuorumSilent: m.lookAtRequests,
			Network: election.Network{
				Dial:    func(context.Context, string) (net.Conn, error) { return nil, net.ErrClosed },
				Silence: election.Silence{Limit: 400 * time.Millisecond, Voters: func() election.Voters { return l }},
			},
		}))
		defer func() { cancel(); <-m.elector.done }()
		if v := m.view(o, time.Now()); v.NoQuorum || !v.Members[1].Connected {
			t.Errorf("all is well: %+v", v)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if v := m.view(o, time.Now()); !v.NoQuorum || v.Members[1].Connected || v.Members[1].Cause != "silent" {
			t.Errorf("it is cut off: %+v", v)
		}
		if len(m.observer.asked) != 1 {
			t.Error("the view is not made anew at once")
		}
	})
}

// What turns early elections off is shown.
func TestElectionsOff(t *testing.T) {
	m := newTestMember()
	for _, tc := range []struct {
		failover, preVote bool
		want              string
	}{
		{false, true, "ETCD_NODE_FAILOVER=off"},
		{false, false, "ETCD_NODE_FAILOVER=off"},
		{true, false, "pre-vote=false"},
	} {
		m.Election.Failover, m.Config.PreVote = tc.failover, tc.preVote
		if v := m.view(twoMembers(), time.Now()); v.ElectionsOff != tc.want {
			t.Errorf("%+v: %q", tc, v.ElectionsOff)
		}
	}
	m.Config.PreVote = true
	m.elector.Elector = election.New(election.Options{})
	if v := m.view(twoMembers(), time.Now()); v.ElectionsOff != "" {
		t.Errorf("on: %q", v.ElectionsOff)
	}
}
