package supervisor

import (
	"time"

	"github.com/etcd-node/etcd-node/pkg/identity"
)

// pin remembers which member lives here as soon as it has stored anything. It
// may vote long before it serves, as with ETCD_NODE_READY=all and a peer that is
// dead. It follows the data dir, by which two units on one machine are told
// apart. Earlier a pin would forbid an interrupted first start to begin anew.
func (s *Supervisor) pin() {
	v := s.st.View
	if s.opts.Pin == nil || !v.Stored || v.ClusterID == "" {
		return
	}
	now := identity.Pin{ClusterID: v.ClusterID, MemberID: v.MemberID, Name: v.Name, DataDir: s.launch.Values["data-dir"], Since: time.Now()}
	now.Forced = v.Forced
	if old := s.launch.Guard.Pin; old != nil && old.Same(now) {
		if old.DataDir == now.DataDir && old.Forced == now.Forced {
			return
		}
		now.Since = old.Since // its data was moved, or a setting changed
	}
	s.launch.Guard.Pin, s.launch.Guard.Damage, s.launch.Guard.Unreadable = &now, "", ""
	s.opts.Pin(now)
}
