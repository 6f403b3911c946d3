package member

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/status"
)

func TestView(t *testing.T) {
	m := newTestMember()
	m.Config.Name = "a"
	now := time.Now()
	m.startAt(status.Condition{ID: failure.IDLocked, Text: "waiting for a lock"})
	if v := m.view(nil, now); v.Progress != "waiting for a lock" || len(v.Conditions) != 1 || v.Conditions[0].ID != failure.IDLocked {
		t.Errorf("before the start: %+v", v)
	}
	m.startAt(status.Condition{Text: "opening the data"})
	if v := m.view(&observation{cluster: 0xc, self: 1}, now); v.Progress == "" || v.ClusterID != "" || len(v.Conditions) != 0 {
		t.Errorf("without a list of members: %+v", v)
	}

	o := twoMembers()
	o.members[1].Name = "" // it has not published itself
	m.names = map[string]string{"http://b:2380": "b by the initial cluster"}
	o.alarms = []*etcdserverpb.AlarmMember{{MemberID: 2, Alarm: etcdserverpb.AlarmType_CORRUPT}, {MemberID: 1, Alarm: etcdserverpb.AlarmType_CORRUPT}, {MemberID: 1, Alarm: etcdserverpb.AlarmType_NONE}}
	v := m.view(o, now)
	if v.ClusterID != "c" || v.MemberID != "1" || !v.Ready || v.Progress != "" || v.Leader != "b by the initial cluster" {
		t.Errorf("%+v", v)
	}
	if b := v.Members[1]; b.Name != v.Leader || b.Self || b.Connected || b.Cause != "added as http://b:2380, has never started; connecting" || !b.Unstarted || !v.Members[0].Self || !v.Members[0].Connected {
		t.Errorf("the members are %+v", v.Members)
	}
	if !slices.Equal(v.Alarms, []string{"CORRUPT", "CORRUPT of b by the initial cluster"}) {
		t.Errorf("the alarms are %q", v.Alarms)
	}
	if want := []status.Condition{{ID: failure.IDCorruptAlarm, Text: "every request is refused until it is mended and disarmed: etcd-node explain corrupt-alarm has the commands"}}; !slices.Equal(v.Conditions, want) {
		t.Errorf("the conditions are %+v", v.Conditions)
	}
	o.removed = true
	if m.view(o, now).Ready {
		t.Error("ready although it was removed")
	}
}

// A short time without a leader is an election.
func TestNoLeader(t *testing.T) {
	m := newTestMember()
	o := twoMembers()
	lost := time.Now()
	m.view(o, lost.Add(-time.Hour))
	m.view(o, lost)
	o.leader = 0
	for after, want := range map[time.Duration]int{leaderless - time.Second: 0, leaderless: 1} {
		if got := m.view(o, lost.Add(after)).Conditions; len(got) != want || want == 1 && got[0].ID != failure.IDNoQuorum {
			t.Errorf("%v without a leader: %+v", after, got)
		}
	}
}

// What the catalogue says of these 10 s is what they are.
func TestCatalogueKnowsHowLong(t *testing.T) {
	for _, e := range failure.All() {
		if e.ID != failure.IDNoQuorum && e.ID != failure.IDNoQuorumYet {
			continue
		}
		if !strings.Contains(e.Sign, "at once, and names this entry ") || !strings.Contains(e.Sign, fmt.Sprintf("%d s, or ", leaderless/time.Second)) {
			t.Errorf("%s: %s", e.ID, e.Sign)
		}
	}
}
