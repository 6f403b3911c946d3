package member

import (
	"cmp"
	"slices"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/version"
	"go.etcd.io/etcd/client/pkg/v3/types"
	"go.etcd.io/etcd/server/v3/etcdserver/api/membership"

	"github.com/etcd-node/etcd-node/pkg/member/peers"
	"github.com/etcd-node/etcd-node/pkg/status"
)

// view is what the supervisor is told: the last observation, which is nil
// before there is one, with what is known without etcd.
func (m *member) view(o *observation, now time.Time) status.View {
	v := status.View{Name: m.Config.Name, Version: m.Version}
	switch {
	case o == nil:
		v.Progress = m.startProgress()
		v.Members = m.awaited()
	case len(o.members) == 0:
		// The initial cluster may name other members than the cluster has, so
		// there is nothing to count yet.
		v.Progress = "waiting for the cluster's list of members to be stored"
		o = nil
	}
	v.Conditions = m.conditions(o, now)
	if o == nil {
		return v
	}
	v.ClusterID, v.MemberID = o.cluster.String(), o.self.String()
	v.Forced = m.forced
	v.Ready = o.ready && !o.removed
	// Entries of the bootstrap have term 1 and are applied before they are on the
	// disk; those of a later term in a cluster of one are applied after that.
	v.Stored = o.term > 1
	if o.leader != 0 {
		v.Leader = m.nameOf(o, o.leader)
	}
	for _, x := range o.members {
		sm := status.Member{ID: x.ID.String(), Name: m.nameOf(o, x.ID), PeerURLs: x.PeerURLs, Learner: x.IsLearner}
		if x.ID == o.self {
			sm.Self, sm.Connected, v.Learner, sm.Version = true, true, x.IsLearner, version.Version
		} else {
			sm.Connected, sm.Cause = m.takesPart(peerOf(x), v.ClusterID)
			sm.Version, sm.RoundTrip = m.seenOf(peerOf(x), sm.ID)
			if sm.Unstarted = x.Name == ""; sm.Unstarted && !sm.Connected {
				sm.Cause = neverStarted(x.PeerURLs) + "; " + sm.Cause
			} else if o.absent(x) && !sm.Connected {
				sm.Cause = "has never started; " + sm.Cause
			}
		}
		v.Members = append(v.Members, sm)
	}
	slices.SortFunc(v.Members, func(a, b status.Member) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	if !m.elector.quorumSilentSince().IsZero() {
		withoutQuorum(&v)
	}
	for _, a := range o.alarms {
		if a.Alarm == etcdserverpb.AlarmType_NONE {
			continue
		}
		text := a.Alarm.String()
		if a.MemberID != uint64(o.self) {
			text += " of " + m.nameOf(o, types.ID(a.MemberID))
		}
		v.Alarms = append(v.Alarms, text)
	}
	slices.Sort(v.Alarms)
	v.Raft = status.Raft{Term: o.term, Committed: o.committed, Applied: o.applied}
	v.Database = status.Database{Size: o.size, InUse: o.inUse, Quota: m.quota.limit}
	v.Disk = m.latency.Disk(now)
	v.Space = m.space()
	v.LeaderChanges = m.reigns.look(o.leader, o.term, now)
	v.Elections, v.ElectionsOff, v.Requests, v.Auth = m.elector.elections(), m.electionsOff(), m.requests(), o.auth
	return v
}

// space is what the data's file system has left, in steps of a thousandth: each file of
// others would be news otherwise.
func (m *member) space() status.Space {
	s, held := m.reserve.Space()
	step := max(1, s.Total/1000)
	return status.Space{Available: s.Available / step * step, Total: s.Total, Reserve: held}
}

// seenOf is what the probes of a peer have found out besides whether it is there. The
// round trip changes only where the average has by a quarter: else each would be news.
func (m *member) seenOf(p peers.Peer, id string) (version string, trip float64) {
	found, ok := m.probes.Of(p)
	if !ok || !found.OK {
		return "", 0
	}
	shown, now := m.trips[id], found.Trip
	if d := now - shown; shown == 0 || max(d, -d) > shown/4 {
		if m.trips == nil {
			m.trips = make(map[string]time.Duration)
		}
		shown, m.trips[id] = now, now
	}
	return found.Version, shown.Round(10 * time.Microsecond).Seconds()
}

// withoutQuorum says that this member leads, or did last, and hears no quorum. Our
// probes take some seconds to find out who is silent; of two or three members all
// the others are, for with one of them there would be a quorum.
func withoutQuorum(v *status.View) {
	v.NoQuorum = true
	voters := 0
	for _, x := range v.Members {
		if !x.Learner {
			voters++
		}
	}
	for i := range v.Members {
		if x := &v.Members[i]; voters <= 3 && x.Connected && !x.Self && !x.Learner {
			x.Connected, x.Cause = false, "silent"
		}
	}
}

// startProgress is what the start is at before etcd runs.
func (m *member) startProgress() string {
	text := m.starting.Load().Text
	if m.heard.opensSlowly() {
		text += "; this takes long: does another process hold its lock?"
	}
	return text
}

// takesPart reports whether a peer is connected and answers, and if not, why.
func (m *member) takesPart(p peers.Peer, ownCluster string) (yes bool, cause string) {
	since, connected := m.heard.connectedSince(p.ID)
	found, probed := m.probes.Of(p)
	if changed := m.authorities.hasChanged(m.Config.PeerTLSInfo.TrustedCAFile); found.Untrusted && changed != "" {
		found.Cause += ": " + changed
	}
	switch {
	case probed && found.ClusterID != "" && found.ClusterID != ownCluster:
		return false, "belongs to another cluster, " + found.ClusterID
	case connected && m.probes.SilentSince(p, since):
		return false, found.Cause
	case connected && m.probes.Silent(p): // what failed is older than the connection
		return false, "coming back"
	case connected:
		return true, ""
	case !probed:
		return false, "connecting"
	case found.OK && m.heard.partedAt(p.ID).After(found.Began):
		return false, "its connection ended" // the next probe knows more
	case found.OK:
		return false, "it answers, raft is connecting"
	default:
		return false, found.Cause
	}
}

// nameOf is a member's name: its own, else the initial cluster's for its URLs,
// else its ID.
func (m *member) nameOf(o *observation, id types.ID) string {
	x := o.member(id)
	if x == nil {
		return id.String()
	}
	return cmp.Or(x.Name, m.names[peerOf(x).Key()], id.String())
}

func peerOf(x *membership.Member) peers.Peer {
	return peers.Peer{ID: x.ID.String(), URLs: x.PeerURLs}
}
