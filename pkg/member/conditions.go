package member

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/server/v3/etcdserver"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/member/disk"
	"github.com/etcd-node/etcd-node/pkg/member/peers"
	"github.com/etcd-node/etcd-node/pkg/status"
)

const (
	// diskPoll is how often it is looked whether the disk hangs.
	diskPoll = time.Second
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
	poll := time.NewTicker(diskPoll)
	defer poll.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-poll.C:
			var hangs *disk.Wait
			if w, ok := watch.Look(now); ok && now.Sub(w.Since) >= diskSlow {
				hangs = &w
			}
			if was := m.hangs.Swap(hangs); (was == nil) != (hangs == nil) {
				m.wake()
			}
		}
	}
}

// keeper keeps the disk reserve beside the data.
func (m *member) keeper() *disk.Keeper {
	return disk.NewKeeper(disk.Options{
		MemberDir: filepath.Join(m.Config.Dir, "member"), WALDir: m.Config.WalDir,
		Size: m.Guard.Reserve, Log: m.log, Changed: m.wake,
	})
}

// conditions are what is wrong now and no restart mends; those of the machine
// first.
func (m *member) conditions(s *etcdserver.EtcdServer, now time.Time) []status.Condition {
	var all []status.Condition
	if w := m.hangs.Load(); w != nil {
		all = append(all, status.Condition{ID: failure.IDDiskSlow, Text: "the disk hangs: " + w.String()})
	}
	for _, w := range m.reserve.Warnings() {
		all = append(all, status.Condition{ID: failure.IDDiskLow, Text: w})
	}
	if w := m.waits.Load(); w != nil {
		all = append(all, status.Condition{ID: w.ID}) // the progress says it
	}
	all = append(all, m.standing...)
	if s == nil {
		return all
	}
	if s.Leader() != 0 || m.leaderlessSince.IsZero() {
		m.leaderlessSince = now
	}
	if limit := max(leaderless, 2*time.Duration(m.Config.ElectionMs)*time.Millisecond); s.Leader() == 0 && now.Sub(m.leaderlessSince) >= limit {
		all = append(all, status.Condition{ID: failure.IDNoQuorum})
	}
	for _, x := range s.Cluster().Members() {
		p := peers.Peer{ID: x.ID.String(), URLs: x.PeerURLs}
		if _, active := m.tap.state.activeSince(p.ID); active && x.ID != s.MemberID() && m.found.Silent(p) {
			name := x.Name
			if name == "" {
				name = p.ID
			}
			all = append(all, status.Condition{ID: failure.IDPeerFrozen, Text: fmt.Sprintf("raft's connection to %s stands, but it does not answer", name)})
		}
	}
	alarms := map[etcdserverpb.AlarmType]string{
		etcdserverpb.AlarmType_NOSPACE: failure.IDNoSpaceAlarm, etcdserverpb.AlarmType_CORRUPT: failure.IDCorruptAlarm,
	}
	for _, a := range s.Alarms() { // one for each member that has it
		if id, ok := alarms[a.Alarm]; ok {
			all = append(all, status.Condition{ID: id})
			delete(alarms, a.Alarm)
		}
	}
	return all
}
