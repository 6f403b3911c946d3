package member

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/etcd-node/etcd-node/pkg/metrics"
	"github.com/etcd-node/etcd-node/pkg/status"
)

// exportStatus puts the node's status on etcd's own /metrics: what the supervisor has
// handed on, with what the member sees itself. It is for the one member of a process.
func (m *member) exportStatus() error {
	return prometheus.Register(metrics.Collector(func() (status.Status, bool) {
		known, view := m.supervised.Load(), m.told.Load()
		if known == nil {
			return status.Status{}, false
		}
		st := *known
		if view != nil {
			st.View = *view
		}
		return st, true
	}))
}
