package election

import (
	"os"
	"strings"
	"testing"
)

// A cluster of one that starts for the first time is elected long before etcd
// expects it. Its log and its term must be those of stock etcd all the same.
func TestFirstStart(t *testing.T) {
	t.Parallel()
	stock := newCluster(t, 500, 5000, "stock")[0]
	_, _, want := roles(t, stock)
	for range 3 {
		n := newCluster(t, 500, 5000, "a")[0]
		if _, _, got := roles(t, n); got != want {
			t.Errorf("it leads in term %d, stock etcd in term %d", got, want)
		}
		var log string
		until(t, "the storage version to be set", func() bool {
			b, err := os.ReadFile(n.Dir + ".log")
			if err != nil {
				t.Fatal(err)
			}
			log = string(b)
			return strings.Contains(log, "updated storage version") || strings.Contains(log, "failed to update storage version")
		})
		for line := range strings.Lines(log) {
			if strings.Contains(line, `"level":"error"`) {
				t.Errorf("etcd complained: %s", line)
			}
		}
	}
}
