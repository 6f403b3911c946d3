package metrics

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/etcd-node/etcd-node/pkg/status"
)

// All that there is to be said of a status, and nothing twice.
func TestCollector(t *testing.T) {
	st := status.Status{
		State: status.Serving, Since: time.Unix(1000, 0), Version: "1.0",
		Counters: status.Counters{
			Seconds: map[status.State]float64{status.Joining: 2.5}, Ends: map[string]int{"transient": 3}, Reloads: map[string]int{"done": 2}, Start: 0.25,
		},
		Conditions:   []status.Condition{{ID: "tls-expires"}, {ID: "tls-expires"}},
		Certificates: []status.Certificate{{File: "/a.crt", NotAfter: time.Unix(5000, 0)}},
		View: status.View{
			Version: "1.1", Conditions: []status.Condition{{ID: "disk-low"}}, Space: status.Space{Available: 7, Total: 9, Reserve: 5},
			Members: []status.Member{
				{Name: "a", Self: true, Connected: true}, {Name: "b", Connected: true, RoundTrip: 0.0004}, {Name: "c", RoundTrip: 0.001},
				{Name: "b", RoundTrip: 1}, {Name: "l", Learner: true, Connected: true},
			},
		},
	}
	r := prometheus.NewPedanticRegistry()
	r.MustRegister(Collector(func() (status.Status, bool) { return st, true }))
	want := `
# HELP etcd_node_build_info 1, with the version of etcd-node in both processes: another one in the member after an upgrade and a reload.
# TYPE etcd_node_build_info gauge
etcd_node_build_info{member_version="1.1",version="1.0"} 1
# HELP etcd_node_certificate_expires_seconds Until when a certificate in use is valid, as a Unix time.
# TYPE etcd_node_certificate_expires_seconds gauge
etcd_node_certificate_expires_seconds{file="/a.crt"} 5000
# HELP etcd_node_condition 1 for each fault that this node or its member has now, by its ID in ` + "`etcd-node explain --list`" + `.
# TYPE etcd_node_condition gauge
etcd_node_condition{id="disk-low"} 1
etcd_node_condition{id="tls-expires"} 1
# HELP etcd_node_disk_available_bytes What the file system of the data has left for etcd.
# TYPE etcd_node_disk_available_bytes gauge
etcd_node_disk_available_bytes 7
# HELP etcd_node_disk_reserve_bytes What is held of the disk reserve there: 0 once it was given up.
# TYPE etcd_node_disk_reserve_bytes gauge
etcd_node_disk_reserve_bytes 5
# HELP etcd_node_member_ends_total Ends of the member that nobody asked for, by what they need: a restart (transient), a repair (operator), nothing helps (permanent).
# TYPE etcd_node_member_ends_total counter
etcd_node_member_ends_total{class="operator"} 0
etcd_node_member_ends_total{class="permanent"} 0
etcd_node_member_ends_total{class="transient"} 3
# HELP etcd_node_member_start_seconds How long the last start of a member took until it served.
# TYPE etcd_node_member_start_seconds gauge
etcd_node_member_start_seconds 0.25
# HELP etcd_node_peer_round_trip_seconds How long a question to a peer's port takes on average.
# TYPE etcd_node_peer_round_trip_seconds gauge
etcd_node_peer_round_trip_seconds{peer="b"} 0.0004
etcd_node_peer_round_trip_seconds{peer="c"} 0.001
# HELP etcd_node_reloads_total Reloads and restarts that were asked for, by how they ended.
# TYPE etcd_node_reloads_total counter
etcd_node_reloads_total{outcome="done"} 2
etcd_node_reloads_total{outcome="failed"} 0
etcd_node_reloads_total{outcome="invalid"} 0
etcd_node_reloads_total{outcome="refused"} 0
# HELP etcd_node_state 1 for the state that the node is in, 0 for all others.
# TYPE etcd_node_state gauge
etcd_node_state{state="backoff"} 0
etcd_node_state{state="failed"} 0
etcd_node_state{state="joining"} 0
etcd_node_state{state="restarting"} 0
etcd_node_state{state="serving"} 1
etcd_node_state{state="starting"} 0
etcd_node_state{state="stopped"} 0
etcd_node_state{state="stopping"} 0
# HELP etcd_node_state_since_seconds When that state was entered, as a Unix time.
# TYPE etcd_node_state_since_seconds gauge
etcd_node_state_since_seconds 1000
# HELP etcd_node_versions_differ 1 if the member is another etcd-node than its supervisor.
# TYPE etcd_node_versions_differ gauge
etcd_node_versions_differ 1
# HELP etcd_node_voting_members Voting members of the cluster, this one included.
# TYPE etcd_node_voting_members gauge
etcd_node_voting_members 4
# HELP etcd_node_voting_members_connected Those of them that are connected and answer, this one included.
# TYPE etcd_node_voting_members_connected gauge
etcd_node_voting_members_connected 2
`
	var names []string
	for line := range strings.Lines(want) {
		if name, ok := strings.CutPrefix(line, "# TYPE "); ok {
			names = append(names, strings.Fields(name)[0])
		}
	}
	if err := testutil.GatherAndCompare(r, strings.NewReader(want), names...); err != nil {
		t.Error(err)
	}
	problems, err := testutil.GatherAndLint(r)
	if err != nil || len(problems) > 0 {
		t.Errorf("%v, %v", problems, err)
	}
	// The time in the present state counts while it lasts.
	n, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range n {
		if f.GetName() != "etcd_node_state_seconds_total" {
			continue
		}
		for _, m := range f.GetMetric() {
			switch v := m.GetCounter().GetValue(); m.GetLabel()[0].GetValue() {
			case "joining":
				if v != 2.5 {
					t.Errorf("joining: %v", v)
				}
			case "serving":
				if v < 1e9 {
					t.Errorf("serving: %v", v)
				}
			}
		}
	}
}

// Without a member nobody knows how many vote.
func TestCollectorWithoutMember(t *testing.T) {
	r := prometheus.NewPedanticRegistry()
	r.MustRegister(Collector(func() (status.Status, bool) { return status.Status{State: status.Backoff}, true }))
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range families {
		names = append(names, strings.TrimPrefix(f.GetName(), "etcd_node_"))
	}
	if got, want := strings.Join(names, " "), "build_info member_ends_total reloads_total state state_seconds_total state_since_seconds versions_differ"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
