package election

import "github.com/prometheus/client_golang/prometheus"

// counter is the part of a prometheus.Counter that is used here.
type counter interface{ Inc() }

// On etcd's own registry, so that they stand on its /metrics.
var (
	deaths    = register("leader_deaths_total", "Leaders found dead by all evidence, and given up at once.")
	campaigns = register("campaigns_total", "Elections asked for, with pre-vote, before the election timeout: one for each lost leader and for a start, however often its votes are asked for.")
	silences  = register("silent_hosts_total", "Leaders given up because their hosts acknowledged nothing.")
	deceived  = register("deceptions_total", "Leaders given up that turned out to be alive.")
	doubts    = register("doubts_total", "Leaders whose port refused connections while raft's streams with them stood.")
)

func register(name, help string) prometheus.Counter {
	c := prometheus.NewCounter(prometheus.CounterOpts{Namespace: "etcd_node", Subsystem: "election", Name: name, Help: help})
	prometheus.MustRegister(c)
	return c
}
