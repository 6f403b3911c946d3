package supervisor

import (
	"time"

	"github.com/etcd-node/etcd-node/pkg/identity"
)

// pin remembers which member lives here, once it serves.
func (s *Supervisor) pin() {
	v := s.st.View
	now := identity.Pin{ClusterID: v.ClusterID, MemberID: v.MemberID, Name: v.Name, DataDir: s.launch.Values["data-dir"], Since: time.Now()}
	if old := s.launch.Guard.Pin; s.opts.Pin == nil || now.ClusterID == "" || old != nil && old.Same(now) {
		return
	}
	s.launch.Guard.Pin, s.launch.Guard.Damage, s.launch.Guard.Unreadable = &now, "", ""
	s.opts.Pin(now)
}
