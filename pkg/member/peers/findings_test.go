package peers

import "testing"

func TestFindings(t *testing.T) {
	var f Findings
	peers := []Peer{{URLs: []string{"b"}}, {URLs: []string{"c"}}}
	down := Finding{Cause: "mute"}
	other := Finding{OK: true, ClusterID: "other"}
	own := Finding{OK: true, ClusterID: "own"}

	f.put(peers, []Finding{down, own})
	if f.Silent(peers[0]) {
		t.Error("silent after one failure")
	}
	f.put(peers, []Finding{down, own})
	if !f.Silent(peers[0]) || f.Silent(peers[1]) {
		t.Error("not silent after two failures, or both are")
	}
	f.put(peers, []Finding{own, own})
	if f.Silent(peers[0]) {
		t.Error("silent although it answered")
	}

	// One of three is outvoted by two that agree; nobody is by one.
	for _, tc := range []struct {
		b, c Finding
		size int
		want string
	}{
		{other, other, 3, "other"},
		{other, own, 3, ""},
		{other, down, 3, ""},
		{other, Finding{OK: true, ClusterID: "third"}, 3, ""},
		{other, other, 5, ""},
	} {
		f.put(peers, []Finding{tc.b, tc.c})
		if got := f.Foreign("own", tc.size, 4); got != tc.want {
			t.Errorf("%+v %+v of %d: %q, want %q", tc.b, tc.c, tc.size, got, tc.want)
		}
	}
	var fresh Findings
	fresh.put(peers, []Finding{other, other})
	if fresh.Foreign("own", 3, 4) != "" {
		t.Error("believed after one round")
	}
}

// A peer that refuses us twice is missing, but not frozen.
func TestMute(t *testing.T) {
	var f Findings
	peers := []Peer{{URLs: []string{"b"}}, {URLs: []string{"c"}}}
	for range 2 {
		if f.Mute(peers[0]) {
			t.Error("mute after one probe")
		}
		f.put(peers, []Finding{{Cause: "no answer in 1s", Mute: true}, {Cause: "TLS: it refuses our certificate"}})
	}
	if !f.Mute(peers[0]) || f.Mute(peers[1]) || !f.Silent(peers[1]) {
		t.Errorf("mute: %v, %v", f.Mute(peers[0]), f.Mute(peers[1]))
	}
}
