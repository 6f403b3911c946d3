package member

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/member/disk"
	"github.com/etcd-node/etcd-node/pkg/pace"
	"github.com/etcd-node/etcd-node/pkg/status"
)

const (
	// diskPoll is how often it is looked whether the disk hangs. A look reads a file
	// of /proc for each thread, which takes half a millisecond.
	diskPoll = 2 * time.Second
	// diskSlow is how long one access may take before it is worth a word:
	// longer than a disk's own retries, shorter than clients wait.
	diskSlow = 5 * time.Second
	// leaderless is how long there may be no leader: longer than an election
	// with etcd's longest usual timeout.
	leaderless = 10 * time.Second
)

// watchDisk notices accesses to the disk that do not come back.
func (m *member) watchDisk(ctx context.Context) {
	var watch disk.Watch
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-pace.After(diskPoll):
			var hang *disk.Wait
			if w, ok := watch.Look(now); ok && now.Sub(w.Since) >= diskSlow {
				hang = &w
			}
			m.diskHang.Store(hang)
		}
	}
}

// keeper keeps the disk reserve beside the data.
func (m *member) keeper() *disk.Keeper {
	return disk.NewKeeper(disk.Options{
		MemberDir: filepath.Join(m.Config.Dir, "member"), WALDir: m.Config.WalDir,
		Size: m.Guard.Reserve, Log: m.log, Changed: m.observer.ask,
	})
}

// diskHangs says so, if the disk hangs or seems to.
func (m *member) diskHangs(now time.Time) (text string) {
	if hang := m.diskHang.Load(); hang != nil {
		text = "the disk hangs: " + hang.String()
	}
	if since := m.observer.stuckSince(now, diskSlow); since != nil {
		at := since.Format(time.TimeOnly)
		if text == "" {
			text = "does the disk hang? etcd has kept its list of members locked since " + at + ", as it does while it writes to its database"
		}
		text += "; leader and members are shown as of " + at
	}
	return text
}

// conditions are what is wrong now and no restart mends; those of the machine,
// for which etcd need not be asked, come first. o may be nil.
func (m *member) conditions(o *observation, now time.Time) []status.Condition {
	var all []status.Condition
	if text := m.diskHangs(now); text != "" {
		all = append(all, status.Condition{ID: failure.IDDiskSlow, Text: text})
	}
	for _, w := range m.reserve.Warnings() {
		all = append(all, status.Condition{ID: failure.IDDiskLow, Text: w})
	}
	all = append(all, m.authorities.conditions()...)
	if step := m.starting.Load(); step.ID != "" {
		all = append(all, status.Condition{ID: step.ID, Case: step.Case}) // the progress says it
	}
	all = append(all, m.dataConditions...)
	if m.forced {
		all = append(all, status.Condition{ID: failure.IDForced, Text: "--force-new-cluster was for one start, which is over: remove " + cmp.Or(m.Guard.ForcedBy, "--force-new-cluster")})
	}
	if o == nil {
		return all
	}
	m.led = m.led || o.leader != 0
	if o.leader != 0 || m.leaderSeen.IsZero() {
		m.leaderSeen = now
	}
	differences := m.differences(o)
	for _, d := range differences {
		all = append(all, status.Condition{ID: d.ID, Text: d.Text, Case: d.Case})
	}
	if limit := max(leaderless, 2*time.Duration(m.Config.ElectionMs)*time.Millisecond); now.Sub(m.leaderSeen) >= limit {
		for _, c := range whyLeaderless(o, differences) {
			if c.ID == failure.IDNoQuorum {
				c = m.noQuorum(o)
			}
			all = append(all, c)
		}
	}
	if text := m.twin.Load(); text != nil && *text != "" {
		all = append(all, status.Condition{ID: failure.IDCloned, Text: *text})
	}
	if c := m.whereabouts(o); c.Text != "" {
		all = append(all, c)
	}
	for _, x := range o.others() {
		p := peerOf(x)
		if since, connected := m.heard.connectedSince(p.ID); connected && m.probes.MuteSince(p, since) {
			all = append(all, status.Condition{ID: failure.IDPeerFrozen, Text: fmt.Sprintf("raft's connection to %s stands, but it does not answer", m.nameOf(o, x.ID))})
		}
	}
	if text := m.quota.look(o.size, o.inUse, now); text != "" && !alarmed(o, etcdserverpb.AlarmType_NOSPACE) {
		all = append(all, status.Condition{ID: failure.IDQuotaLow, Text: text})
	}
	alarms := map[etcdserverpb.AlarmType]string{
		etcdserverpb.AlarmType_NOSPACE: failure.IDNoSpaceAlarm, etcdserverpb.AlarmType_CORRUPT: failure.IDCorruptAlarm,
	}
	for _, a := range o.alarms { // one for each member that has it
		if id, ok := alarms[a.Alarm]; ok {
			all = append(all, status.Condition{ID: id, Text: m.alarming(id)})
			delete(alarms, a.Alarm)
		}
	}
	return all
}

// alarming is what an alarm means to clients, and where it is said what to do.
func (m *member) alarming(id string) string {
	refused := "puts are refused"
	if id == failure.IDCorruptAlarm {
		refused = "every request is refused"
	}
	return failure.ForUnit(refused+" until it is mended and disarmed: etcd-node explain "+id+" has the commands", m.Guard.Values)
}

// alarmed reports whether a member has the alarm.
func alarmed(o *observation, alarm etcdserverpb.AlarmType) bool {
	return slices.ContainsFunc(o.alarms, func(a *etcdserverpb.AlarmMember) bool { return a.Alarm == alarm })
}

// noQuorum is a cluster without a leader. One that has never had any has lost
// nothing, and what helps a cluster that lost its quorum would do harm there.
func (m *member) noQuorum(o *observation) status.Condition {
	if !m.begun(o) {
		return status.Condition{ID: failure.IDNoQuorumYet}
	}
	return status.Condition{ID: failure.IDNoQuorum}
}
