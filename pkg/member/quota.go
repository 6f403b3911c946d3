package member

import (
	"fmt"
	"time"

	humanize "github.com/dustin/go-humanize"

	"go.etcd.io/etcd/server/v3/storage"
)

const (
	// quotaWarning is the share of the quota, in percent, at which it is warned.
	// What grows by a tenth of its quota in less than the time that a person
	// needs grows in spite of any warning.
	quotaWarning = 90
	// sampleEvery and sampleFor: a minute is what the shortest useful forecast
	// wants, and a day has the busy and the quiet hours in it.
	sampleEvery = time.Minute
	sampleFor   = 24 * time.Hour
	// paceOver is over how long the pace is taken, if the database has grown in
	// that time: what began an hour ago counts, not the day before.
	paceOver = time.Hour
	// restated is how long a warning stands at least before its numbers change, and
	// outdated after how long they do although it says the same in percents: the
	// pace is taken over that time.
	restated = time.Minute
	outdated = paceOver
)

// quota warns before the database is as large as it may be. etcd counts the
// size of the file, of which a compaction gives nothing back; see BackendQuota
// in etcd's storage. The zero value has no limit.
type quota struct {
	limit   int64 // in bytes; 0: none
	samples []sample
	said    string
	saidAt  time.Time
	percent int64 // what it said
	paced   bool  // it could say at which pace
}

// sample is the database's size at one time.
type sample struct {
	at   time.Time
	size int64
}

// quotaOf is the limit that a value of quota-backend-bytes means to etcd.
func quotaOf(set int64) int64 {
	if set == 0 {
		return storage.DefaultQuotaBytes
	}
	return max(set, 0) // a negative one turns the quota off
}

// look notes the size, and returns the warning; "" while there is room.
func (q *quota) look(size, inUse int64, now time.Time) string {
	q.note(size, now)
	if q.limit == 0 || size*100 < q.limit*quotaWarning {
		q.said = ""
		return ""
	}
	if q.said == "" || q.isNews(size, now) {
		q.said, q.saidAt = q.warning(size, inUse, now), now
		q.percent, q.paced = size*100/q.limit, q.canPace(now)
	}
	return q.said
}

// isNews reports whether the warning would say something else than it did, in
// whole percents.
func (q *quota) isNews(size int64, now time.Time) bool {
	stood := now.Sub(q.saidAt)
	return stood >= outdated || stood >= restated && (size*100/q.limit != q.percent || !q.paced && q.canPace(now))
}

// canPace reports whether there is a minute to take the pace from.
func (q *quota) canPace(now time.Time) bool { return now.Sub(q.samples[0].at) >= sampleEvery }

// note keeps one sample a minute, for a day.
func (q *quota) note(size int64, now time.Time) {
	if n := len(q.samples); n > 0 && now.Sub(q.samples[n-1].at) < sampleEvery {
		return
	}
	q.samples = append(q.samples, sample{now, size})
	for now.Sub(q.samples[0].at) > sampleFor {
		q.samples = q.samples[1:]
	}
}

func (q *quota) warning(size, inUse int64, now time.Time) string {
	text := fmt.Sprintf("the database has %d %% of its quota: %s of %s, %s of that in use",
		size*100/q.limit, humanize.IBytes(uint64(size)), humanize.IBytes(uint64(q.limit)), humanize.IBytes(uint64(inUse)))
	past := q.since(now.Add(-paceOver))
	if size <= past.size {
		past = q.samples[0]
	}
	over := now.Sub(past.at)
	switch grown := size - past.size; {
	case over < sampleEvery: // nothing can be told yet
	case grown <= 0:
		text += fmt.Sprintf("; it has not grown for %s", roughly(over))
	case size >= q.limit:
		text += fmt.Sprintf("; it has grown by %s in %s", humanize.IBytes(uint64(grown)), roughly(over))
	default:
		left := time.Duration(float64(over) * float64(q.limit-size) / float64(grown))
		text += fmt.Sprintf("; it has grown by %s in %s, at which pace it is full in %s", humanize.IBytes(uint64(grown)), roughly(over), roughly(left))
	}
	return text
}

// since is the oldest sample that is not older than a time; the newest if all
// are.
func (q *quota) since(t time.Time) sample {
	for _, s := range q.samples {
		if !s.at.Before(t) {
			return s
		}
	}
	return q.samples[len(q.samples)-1]
}

// roughly is a duration in one unit.
func roughly(d time.Duration) string {
	switch {
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", max(1, int(d.Round(time.Minute).Minutes())))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Round(time.Hour).Hours()))
	case d < 365*24*time.Hour:
		return fmt.Sprintf("%d days", int(d.Hours()/24))
	default:
		return "more than a year"
	}
}
