// Package latency says how long the disk has taken of late, by etcd's own
// histograms: what an fsync of the WAL took, and a commit to the database. Those count
// since the process began; what an operator wants to know is the last minutes.
package latency

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/etcd-node/etcd-node/pkg/pace"
	"github.com/etcd-node/etcd-node/pkg/status"
)

const (
	// sampleEvery is how often the histograms are read, and window how long a sample
	// is kept. To read them all, as nothing else is offered, takes some milliseconds.
	sampleEvery = 15 * time.Second
	window      = 5 * time.Minute
)

// etcd's names. TestNames fails when they change.
const (
	fsync  = "etcd_disk_wal_fsync_duration_seconds"
	commit = "etcd_disk_backend_commit_duration_seconds"
)

// Meter reads etcd's histograms now and then. Make one with New.
type Meter struct {
	gather  func() ([]*dto.MetricFamily, error)
	samples []sample // belongs to Run

	mu   sync.Mutex
	last status.Disk
	at   time.Time
}

type sample struct {
	at            time.Time
	fsync, commit *dto.Histogram
}

// New returns a Meter of this process's etcd, which has measured nothing.
func New() *Meter { return &Meter{gather: prometheus.DefaultGatherer.Gather} }

// Run measures until ctx ends.
func (m *Meter) Run(ctx context.Context) {
	for {
		m.sample(time.Now())
		select {
		case <-ctx.Done():
			return
		case <-pace.After(sampleEvery):
		}
	}
}

// Disk is what the disk took in the last minutes, the zero value where it wrote
// nothing, or where nothing could be measured of late: a disk that hangs can hold that
// up, too. It is safe for concurrent use.
func (m *Meter) Disk(now time.Time) status.Disk {
	m.mu.Lock()
	defer m.mu.Unlock()
	if now.Sub(m.at) > 3*sampleEvery {
		return status.Disk{}
	}
	return m.last
}

func (m *Meter) sample(now time.Time) {
	all, err := m.gather()
	if err != nil {
		return // another's metric is wrong
	}
	s := sample{at: now}
	for _, f := range all {
		if len(f.GetMetric()) != 1 {
			continue
		}
		switch f.GetName() {
		case fsync:
			s.fsync = f.GetMetric()[0].GetHistogram()
		case commit:
			s.commit = f.GetMetric()[0].GetHistogram()
		}
	}
	m.samples = append(m.samples, s)
	for now.Sub(m.samples[0].at) > window {
		m.samples = m.samples[1:]
	}
	first := m.samples[0]
	disk := status.Disk{Fsync: between(first.fsync, s.fsync), Commit: between(first.commit, s.commit)}
	if disk != (status.Disk{}) {
		disk.Seconds = int(now.Sub(first.at).Round(time.Second).Seconds())
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.last, m.at = disk, now
}

// between is what came between two states of a histogram.
func between(before, after *dto.Histogram) (l status.Latency) {
	l.Count = after.GetSampleCount() - before.GetSampleCount()
	if l.Count == 0 {
		return status.Latency{}
	}
	l.P50, l.P99 = quantile(0.5, before, after, l.Count), quantile(0.99, before, after, l.Count)
	return l
}

// quantile is in seconds. Within a bucket it is taken for evenly spread, as
// Prometheus does; beyond the last one nothing is known but that.
func quantile(q float64, before, after *dto.Histogram, count uint64) float64 {
	rank, below, lower := q*float64(count), 0.0, 0.0
	for i, b := range after.GetBucket() {
		upTo := float64(b.GetCumulativeCount())
		if earlier := before.GetBucket(); i < len(earlier) {
			upTo -= float64(earlier[i].GetCumulativeCount())
		}
		if upTo >= rank {
			return lower + (b.GetUpperBound()-lower)*(rank-below)/max(1, upTo-below)
		}
		below, lower = upTo, b.GetUpperBound()
	}
	return lower
}
