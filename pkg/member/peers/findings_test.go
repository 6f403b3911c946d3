package peers

import (
	"testing"
	"time"
)

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
	start := time.Now()
	fail := func(after time.Duration) {
		f.put(peers, []Finding{{Began: start.Add(after), Cause: "no answer in 1s", Mute: true}, {Began: start.Add(after), Cause: "TLS: it refuses our certificate"}})
	}
	for n := range 2 {
		if f.MuteSince(peers[0], time.Time{}) {
			t.Error("mute after one probe")
		}
		fail(time.Duration(n) * time.Second)
	}
	if !f.MuteSince(peers[0], time.Time{}) || f.MuteSince(peers[1], time.Time{}) || !f.Silent(peers[1]) {
		t.Errorf("mute: %v, %v", f.MuteSince(peers[0], time.Time{}), f.MuteSince(peers[1], time.Time{}))
	}
	// Only probes that began after a connection stood say that nobody answers on it.
	connected := start.Add(1500 * time.Millisecond)
	for n, want := range []bool{false, false, true} { // of 0 s and 1 s, 1 s and 2 s, 2 s and 3 s
		if got := f.MuteSince(peers[0], connected); got != want || f.SilentSince(peers[1], connected) != want || !f.Silent(peers[1]) {
			t.Errorf("%d probes on the connection: mute %v", n, got)
		}
		fail(time.Duration(n+2) * time.Second)
	}
	f.put(peers, []Finding{{OK: true}, {OK: true}})
	if f.SilentSince(peers[0], time.Time{}) {
		t.Error("silent although it answered")
	}
}
