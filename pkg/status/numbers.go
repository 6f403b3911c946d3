package status

import (
	"fmt"
	"strings"
	"time"

	humanize "github.com/dustin/go-humanize"

	"github.com/etcd-node/etcd-node/pkg/shown"
)

// etcd's guide for its metrics wants 99 of 100 fsyncs in less than this, and the same
// of commits. A disk that takes longer is the most common cause of slow clusters and
// of lost leaders.
const (
	wantedFsync  = 10 * time.Millisecond
	wantedCommit = 25 * time.Millisecond
)

// numbers writes what can be measured of a member, in rows.
func (s Status) numbers(row func(key, format string, args ...any)) {
	v := s.View
	if r := v.Raft; r != (Raft{}) {
		text := fmt.Sprintf("term %d, entry %d applied", r.Term, r.Applied)
		if lag := r.lag(); lag > 0 {
			text += fmt.Sprintf(", %d more committed", lag)
		}
		row("raft", "%s", text)
		if n := v.LeaderChanges; n > 0 {
			row("", "%s of leader in the last hour", shown.Count(n, "change"))
		}
	}
	if d := v.Database; d != (Database{}) {
		row("database", "%s", d)
	}
	if d := v.Disk; d != (Disk{}) {
		over := fmt.Sprintf("%d s", d.Seconds)
		if d.Seconds >= 60 {
			over = fmt.Sprintf("%d min", d.Seconds/60)
		}
		row("disk", "fsync %s; commit %s (%s)", d.Fsync, d.Commit, over)
		if slow := d.slow(); slow != "" {
			row("", "%s", slow)
		}
	}
	if f := v.Space; f.Total > 0 {
		held := "nothing held in reserve"
		if f.Reserve > 0 {
			held = humanize.IBytes(uint64(f.Reserve)) + " held in reserve"
		}
		row("space", "%s free of %s, %s", humanize.IBytes(uint64(f.Available)), humanize.IBytes(uint64(f.Total)), held)
	}
}

// String is "[####----------------] 420 MiB of 2.0 GiB, 310 MiB in use".
func (d Database) String() string {
	if d.Quota <= 0 {
		return fmt.Sprintf("%s, %s in use; no quota", humanize.IBytes(uint64(d.Size)), humanize.IBytes(uint64(d.InUse)))
	}
	const width = 20
	full := int(min(width, max(1, d.Size*width/d.Quota)))
	return fmt.Sprintf("[%s%s] %s of %s, %s in use", strings.Repeat("#", full), strings.Repeat("-", width-full),
		humanize.IBytes(uint64(d.Size)), humanize.IBytes(uint64(d.Quota)), humanize.IBytes(uint64(d.InUse)))
}

// String is "p50 <1 ms, p99 6.1 ms".
func (l Latency) String() string {
	if l.Count == 0 {
		return "none"
	}
	return fmt.Sprintf("p50 %s, p99 %s", milliseconds(l.P50), milliseconds(l.P99))
}

func milliseconds(seconds float64) string {
	switch ms := seconds * 1000; {
	case ms < 1:
		return "<1 ms" // etcd's histograms know no more
	case ms >= 1000:
		return fmt.Sprintf("%.1f s", seconds)
	case ms < 10:
		return fmt.Sprintf("%.1f ms", ms)
	default:
		return fmt.Sprintf("%.0f ms", ms)
	}
}

// slow says that the disk is, if it is. A hundred writes are the fewest of which a
// hundredth says anything.
func (d Disk) slow() string {
	const few = 100
	for _, x := range []struct {
		what   string
		took   Latency
		wanted time.Duration
	}{{"fsyncs", d.Fsync, wantedFsync}, {"commits", d.Commit, wantedCommit}} {
		if x.took.Count >= few && x.took.P99 > x.wanted.Seconds() {
			return fmt.Sprintf("slow: etcd wants 99 %% of %s in %d ms; is the disk shared?", x.what, x.wanted.Milliseconds())
		}
	}
	return ""
}
