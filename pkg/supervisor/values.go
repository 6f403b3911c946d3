package supervisor

import "github.com/etcd-node/etcd-node/pkg/failure"

// valuesFor are those of the node, and what etcd's own words add.
func (s *Supervisor) valuesFor(f *failure.Failure) map[string]string {
	v := s.values()
	for k, x := range f.Values {
		if v[k] == "" {
			v[k] = x
		}
	}
	return v
}

// values are the launch's, and what the member has told since.
func (s *Supervisor) values() map[string]string {
	v := map[string]string{"member-id": s.st.View.MemberID, "cluster-id": s.st.View.ClusterID}
	if s.launch == nil {
		return v
	}
	if p := s.launch.Guard.Pin; p != nil && v["member-id"] == "" {
		v["member-id"], v["cluster-id"] = p.MemberID, p.ClusterID
	}
	for k, x := range s.launch.Values {
		v[k] = x
	}
	return v
}
