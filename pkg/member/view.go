package member

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/client/pkg/v3/types"
	"go.etcd.io/etcd/server/v3/embed"

	"github.com/etcd-node/etcd-node/pkg/member/peers"
	"github.com/etcd-node/etcd-node/pkg/pipe"
	"github.com/etcd-node/etcd-node/pkg/status"
)

// tell sends the view if it has changed.
func (m *member) tell() {
	v := m.view()
	if m.sent != nil && m.sent.Equal(v) {
		return
	}
	err := m.send(pipe.Message{Kind: pipe.View, View: &v})
	if errors.Is(err, pipe.ErrTooLong) {
		// The causes are what has no bound; who is missing matters more.
		short := v
		short.Members = slices.Clone(v.Members)
		for i := range short.Members {
			short.Members[i].Cause = ""
		}
		err = m.send(pipe.Message{Kind: pipe.View, View: &short})
	}
	if err == nil {
		m.sent = &v // else it is told again
	}
}

// view is what this member sees now.
func (m *member) view() status.View {
	v := status.View{Name: m.Config.Name, Ready: m.ready.Load(), Progress: m.progress}
	if w := m.waits.Load(); w != nil {
		v.Progress = w.Text
	}
	if m.tap.state.opensSlowly() && v.Progress != "" {
		v.Progress += "; this takes long: does another process hold its lock?"
	}
	e := m.etcd.Load()
	if e == nil || len(e.Server.Cluster().Members()) == 0 {
		// Whom the initial cluster names may not be who is in the cluster, so
		// there is nothing to count yet.
		if e != nil {
			v.Progress = "waiting for the cluster's list of members to be stored"
		}
		v.Conditions = m.conditions(nil, time.Now())
		return v
	}
	s := e.Server
	v.Conditions = m.conditions(s, time.Now())
	c := s.Cluster()
	v.ClusterID, v.MemberID = c.ID().String(), s.MemberID().String()
	v.Learner = m.isLearner()
	v.Ready = v.Ready && !s.IsIDRemoved(uint64(s.MemberID())) // the removal may come between ready and now
	if lead := s.Leader(); lead != 0 {
		v.Leader = m.nameOf(e, lead)
	}
	for _, x := range c.Members() {
		self := x.ID == s.MemberID()
		p := peers.Peer{ID: x.ID.String(), URLs: x.PeerURLs}
		sm := status.Member{ID: p.ID, Name: m.nameOf(e, x.ID), PeerURLs: x.PeerURLs, Self: self, Learner: x.IsLearner, Connected: self}
		if !self {
			sm.Connected, sm.Cause = m.connected(p, v.ClusterID)
		}
		v.Members = append(v.Members, sm)
	}
	slices.SortFunc(v.Members, func(a, b status.Member) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	for _, a := range s.Alarms() {
		if a.Alarm == etcdserverpb.AlarmType_NONE {
			continue
		}
		text := a.Alarm.String()
		if a.MemberID != uint64(s.MemberID()) {
			text += " of " + m.nameOf(e, types.ID(a.MemberID))
		}
		v.Alarms = append(v.Alarms, text)
	}
	slices.Sort(v.Alarms)
	v.Elections = m.elector.elections()
	return v
}

// connected reports whether a peer takes part, and if not, why.
func (m *member) connected(p peers.Peer, ownCluster string) (bool, string) {
	_, active := m.tap.state.activeSince(p.ID)
	found, probed := m.found.Of(p)
	switch {
	case probed && found.ClusterID != "" && found.ClusterID != ownCluster:
		return false, "belongs to another cluster, " + found.ClusterID
	case active:
		if m.found.Silent(p) {
			return false, found.Cause
		}
		return true, ""
	case !probed:
		return false, "connecting"
	case found.OK:
		return false, "it answers, raft is connecting"
	default:
		return false, found.Cause
	}
}

// nameOf is a member's name: its own, else the initial cluster's for its URLs,
// else its ID.
func (m *member) nameOf(e *embed.Etcd, id types.ID) string {
	x := e.Server.Cluster().Member(id)
	if x == nil {
		return id.String()
	}
	if x.Name != "" {
		return x.Name
	}
	if n := m.names[(peers.Peer{URLs: x.PeerURLs}).Key()]; n != "" {
		return n
	}
	return id.String()
}
