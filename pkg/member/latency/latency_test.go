package latency

import (
	"math"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	_ "go.etcd.io/etcd/server/v3/etcdserver" // whose metrics these are

	"github.com/etcd-node/etcd-node/pkg/status"
)

// etcd still has the histograms, under these names and without labels.
func TestNames(t *testing.T) {
	m := New()
	m.sample(time.Now())
	if s := m.samples[0]; s.fsync == nil || s.commit == nil {
		t.Errorf("%+v", s)
	}
}

// What counts is the last minutes, and not what was before.
func TestDisk(t *testing.T) {
	reg := prometheus.NewRegistry()
	fsyncs := prometheus.NewHistogram(prometheus.HistogramOpts{Name: fsync, Buckets: prometheus.ExponentialBuckets(0.001, 2, 14)})
	commits := prometheus.NewHistogram(prometheus.HistogramOpts{Name: commit, Buckets: prometheus.ExponentialBuckets(0.001, 2, 14)})
	reg.MustRegister(fsyncs, commits)
	m := &Meter{gather: reg.Gather}
	at := time.Unix(1e9, 0)
	step := func(took time.Duration, n int) {
		for range n {
			fsyncs.Observe(took.Seconds())
		}
		at = at.Add(sampleEvery)
		m.sample(at)
	}
	m.sample(at)
	if d := m.Disk(at); d != (status.Disk{}) {
		t.Errorf("at first: %+v", d)
	}
	near := func(what string, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > want/100 {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	step(500*time.Microsecond, 98)
	step(time.Minute, 2) // beyond the last bucket
	d := m.Disk(at)
	near("half", d.Fsync.P50, 0.001*50/98)
	near("the slowest", d.Fsync.P99, 8.192)
	if d.Seconds != 30 || d.Fsync.Count != 100 || d.Commit != (status.Latency{}) {
		t.Errorf("%+v", d)
	}
	for range int(window / sampleEvery) {
		step(3*time.Millisecond, 1)
	}
	d = m.Disk(at)
	near("half", d.Fsync.P50, 0.003)
	near("the slowest", d.Fsync.P99, 0.00398)
	if d.Seconds != 300 {
		t.Errorf("%+v", d)
	}
	for range int(window / sampleEvery) {
		step(0, 0)
	}
	if d := m.Disk(at); d != (status.Disk{}) {
		t.Errorf("nothing was written: %+v", d)
	}
	step(time.Millisecond, 1)
	if d := m.Disk(at.Add(3 * sampleEvery)); d.Fsync.Count != 1 {
		t.Errorf("%+v", d)
	}
	if d := m.Disk(at.Add(4 * sampleEvery)); d != (status.Disk{}) {
		t.Errorf("nothing is measured any more: %+v", d)
	}
}
