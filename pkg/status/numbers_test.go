package status

import (
	"strings"
	"testing"
	"time"

	"github.com/etcd-node/etcd-node/pkg/shown"
)

func TestNumbers(t *testing.T) {
	fast := Latency{Count: 1000, P50: 0.0005, P99: 0.0061}
	for name, tc := range map[string]struct {
		view View
		want []string
	}{
		"nothing is known": {View{}, nil},
		"all is well": {
			View{
				Raft: Raft{Term: 5, Applied: 1234567, Committed: 1234567}, Database: Database{Size: 440401920, InUse: 325058560, Quota: 2 << 30},
				Disk: Disk{Seconds: 300, Fsync: fast, Commit: Latency{Count: 10, P50: 0.012, P99: 0.024}},
			},
			[]string{
				"  raft      term 5, entry 1234567 applied",
				"  database  [####----------------] 420 MiB of 2.0 GiB, 310 MiB in use",
				"  disk      fsync p50 <1 ms, p99 6.1 ms; commit p50 12 ms, p99 24 ms (5 min)",
			},
		},
		"all is not": {
			View{
				Raft: Raft{Term: 5, Applied: 7, Committed: 90}, LeaderChanges: 1, Database: Database{Size: 3 << 30, InUse: 1, Quota: 2 << 30},
				Disk: Disk{Seconds: 15, Fsync: Latency{Count: 100, P50: 0.0005, P99: 0.0101}},
			},
			[]string{
				"  raft      term 5, entry 7 applied, 83 more committed",
				"            1 change of leader in the last hour",
				"  database  [####################] 3.0 GiB of 2.0 GiB, 1 B in use",
				"  disk      fsync p50 <1 ms, p99 10 ms; commit none (15 s)",
				"            slow: etcd wants 99 % of fsyncs in 10 ms; is the disk shared?",
			},
		},
		"few writes say nothing": {
			View{Database: Database{Size: 1}, Disk: Disk{Seconds: 15, Fsync: Latency{Count: 99, P50: 1, P99: 1}, Commit: Latency{Count: 100, P50: 0.001, P99: 0.03}}},
			[]string{
				"  database  1 B, 0 B in use; no quota",
				"  disk      fsync p50 1.0 s, p99 1.0 s; commit p50 1.0 ms, p99 30 ms (15 s)",
				"            slow: etcd wants 99 % of commits in 25 ms; is the disk shared?",
			},
		},
	} {
		text := Status{State: Serving, View: tc.view}.Text(time.Now())
		_, text, _ = strings.Cut(text, "\n") // the line
		_, text, _ = strings.Cut(text, "\n") // since
		if want := strings.Join(append(tc.want, ""), "\n"); text != want {
			t.Errorf("%s:\n%s\nwant\n%s", name, text, want)
		}
		for line := range strings.Lines(text) {
			if len(strings.TrimSuffix(line, "\n")) > shown.Columns {
				t.Errorf("%s: too long: %s", name, line)
			}
		}
	}
}

func TestBarIsBounded(t *testing.T) {
	for size, want := range map[int64]string{0: "[#-------------------]", 100: "[####################]", 99: "[###################-]", 900: "[####################]", 95: "[###################-]"} {
		if got := (Database{Size: size, Quota: 100}).String(); !strings.HasPrefix(got, want) {
			t.Errorf("%d: %s", size, got)
		}
	}
}
