// Package metrics is the status value as Prometheus metrics, etcd_node_*. They stand
// on the member's own /metrics, where a scrape job for etcd sees them, and on the
// control socket, which answers while there is no member, too. Each is made of the
// status when it is asked for: nothing is counted here.
//
// What etcd's own metrics say is not repeated, nor what the packages of the member
// count on etcd's registry themselves (etcd_node_election_*, etcd_node_flight_*).
package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/status"
)

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("etcd_node_"+name, help, labels, nil)
}

var (
	build      = desc("build_info", "1, with the version of etcd-node in both processes: another one in the member after an upgrade and a reload.", "version", "member_version")
	differ     = desc("versions_differ", "1 if the member is another etcd-node than its supervisor.")
	state      = desc("state", "1 for the state that the node is in, 0 for all others.", "state")
	since      = desc("state_since_seconds", "When that state was entered, as a Unix time.")
	seconds    = desc("state_seconds_total", "For how long the supervisor has been in each state.", "state")
	ends       = desc("member_ends_total", "Ends of the member that nobody asked for, by what they need: a restart (transient), a repair (operator), nothing helps (permanent).", "class")
	reloads    = desc("reloads_total", "Reloads and restarts that were asked for, by how they ended.", "outcome")
	startTook  = desc("member_start_seconds", "How long the last start of a member took until it served.")
	members    = desc("voting_members", "Voting members of the cluster, this one included.")
	connected  = desc("voting_members_connected", "Those of them that are connected and answer, this one included.")
	trip       = desc("peer_round_trip_seconds", "How long a question to a peer's port takes on average.", "peer")
	conditions = desc("condition", "1 for each fault that this node or its member has now, by its ID in `etcd-node explain --list`.", "id")
	space      = desc("disk_available_bytes", "What the file system of the data has left for etcd.")
	reserve    = desc("disk_reserve_bytes", "What is held of the disk reserve there: 0 once it was given up.")
	expires    = desc("certificate_expires_seconds", "Until when a certificate in use is valid, as a Unix time.", "file")
)

var all = []*prometheus.Desc{build, differ, state, since, seconds, ends, reloads, startTook, members, connected, trip, conditions, space, reserve, expires}

// States are all that a node can be in.
var States = []status.State{status.Starting, status.Joining, status.Serving, status.Restarting, status.Backoff, status.Stopping, status.Stopped, status.Failed}

// Outcomes are those of a reload or a restart.
var Outcomes = []string{"done", "refused", "invalid", "failed"}

// Collector makes metrics of a status. A func that returns false leaves them out.
type Collector func() (status.Status, bool)

// Describe is [prometheus.Collector]'s.
func (Collector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range all {
		out <- d
	}
}

// Collect is [prometheus.Collector]'s.
func (c Collector) Collect(out chan<- prometheus.Metric) {
	st, ok := c()
	if !ok {
		return
	}
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	counter := func(d *prometheus.Desc, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, value, labels...)
	}
	gauge(build, 1, st.Version, st.View.Version)
	two := 0.0
	if v := st.View.Version; v != "" && v != st.Version {
		two = 1
	}
	gauge(differ, two)
	for _, s := range States {
		is, took := 0.0, st.Counters.Seconds[s]
		if s == st.State {
			is = 1
			took += time.Since(st.Since).Seconds()
		}
		gauge(state, is, string(s))
		counter(seconds, took, string(s))
	}
	gauge(since, float64(st.Since.Unix()))
	for _, class := range []failure.Class{failure.Transient, failure.Operator, failure.Permanent} {
		counter(ends, float64(st.Counters.Ends[string(class)]), string(class))
	}
	for _, outcome := range Outcomes {
		counter(reloads, float64(st.Counters.Reloads[outcome]), outcome)
	}
	if st.Counters.Start > 0 {
		gauge(startTook, st.Counters.Start)
	}
	voters, answer := 0, 0
	for _, m := range st.View.Members {
		if !m.Learner {
			voters++
			if m.Connected {
				answer++
			}
		}
	}
	if voters > 0 { // without a member nobody knows: that is not 0 of 0
		gauge(members, float64(voters))
		gauge(connected, float64(answer))
	}
	seen := make(map[string]bool) // two of one name would spoil the whole answer
	for _, m := range st.View.Members {
		if !m.Self && m.RoundTrip > 0 && !seen[m.Name] {
			seen[m.Name] = true
			gauge(trip, m.RoundTrip, m.Name)
		}
	}
	clear(seen)
	for _, x := range st.AllConditions() {
		if !seen[x.ID] {
			seen[x.ID] = true
			gauge(conditions, 1, x.ID)
		}
	}
	if s := st.View.Space; s.Total > 0 {
		gauge(space, float64(s.Available))
		gauge(reserve, float64(s.Reserve))
	}
	for _, x := range st.Certificates {
		gauge(expires, float64(x.NotAfter.Unix()), x.File)
	}
}
