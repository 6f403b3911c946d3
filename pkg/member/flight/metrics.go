package flight

import "github.com/prometheus/client_golang/prometheus"

// lostRequests is on etcd's own registry, so that it stands on its /metrics.
var lostRequests = prometheus.NewCounter(prometheus.CounterOpts{
	Namespace: "etcd_node", Subsystem: "flight", Name: "requests_ended_total",
	Help: "Requests answered with etcd's error for a lost leader, without waiting for the request timeout.",
})

func init() { prometheus.MustRegister(lostRequests) }
