package member

import (
	"strings"
	"testing"
	"time"
)

const gib = 1 << 30

func TestQuotaOf(t *testing.T) {
	for set, want := range map[int64]int64{0: 2 * gib, -1: 0, 4096: 4096} {
		if got := quotaOf(set); got != want {
			t.Errorf("%d: %d, want %d", set, got, want)
		}
	}
}

// A database that grows is warned of from 90 % on, with its pace, until it is
// smaller again.
func TestQuota(t *testing.T) {
	q := quota{limit: 2 * gib}
	now := time.Date(2026, 11, 27, 0, 0, 0, 0, time.UTC)
	size := int64(gib)
	grow := func(every time.Duration, by int64, times int) (said string) {
		for range times {
			now, size = now.Add(every), size+by
			said = q.look(size, size/2, now)
		}
		return said
	}
	for _, step := range []struct {
		what  string
		every time.Duration
		by    int64
		times int
		want  []string // nil: no warning
	}{
		{"half of it", time.Second, 0, 1, nil},
		{"two hours, 1 MiB a minute", time.Minute, 1 << 20, 120, nil},
		{"16 MiB a minute", time.Minute, 16 << 20, 45, []string{"the database has 91 % of its quota: 1.8 GiB of 2.0 GiB, 932 MiB of that in use", "grown by 735 MiB in 60 min", "full in 15 min"}},
		{"it stands for a while", time.Second, 0, 59, []string{"91 %", "full in 15 min"}},
		{"a quiet day", time.Minute, 0, 24 * 60, []string{"has not grown for 24 h"}},
		{"1 MiB an hour", time.Hour, 1 << 20, 10, []string{"by 1.0 MiB in 60 min", "full in 7 days"}},
		{"full", time.Minute, 200 << 20, 1, []string{"101 % of its quota", "it has grown by 200 MiB in 1 min"}},
		{"defragmented", time.Minute, -gib, 1, nil},
		{"near once more", time.Minute, 850 << 20, 1, []string{"9", "full in "}},
	} {
		said := grow(step.every, step.by, step.times)
		if (said == "") != (step.want == nil) {
			t.Errorf("%s: %q", step.what, said)
		}
		for _, w := range step.want {
			if !strings.Contains(said, w) {
				t.Errorf("%s: no %q in %q", step.what, w, said)
			}
		}
	}
	if n := len(q.samples); n > 24*60+1 {
		t.Errorf("%d samples", n)
	}
}

// The text is the same until it says something else in whole percents, or an
// hour later: a status line each minute tells nobody anything.
func TestQuotaIsSeldomReworded(t *testing.T) {
	q := quota{limit: 2 * gib}
	now, size, said, times := time.Now(), int64(2*gib/100*90+gib/1000), "", 0
	for range 3 * 60 { // three hours in which it grows by 18 MiB, within one percent
		now, size = now.Add(time.Minute), size+100<<10
		if text := q.look(size, size/2, now); text != said {
			said = text
			times++
		}
	}
	if times != 4 { // first, with its pace, and each hour
		t.Errorf("reworded %d times: %s", times, said)
	}
	if !strings.Contains(said, "at which pace") {
		t.Error(said)
	}
	if text := q.look(size+2*gib/100, size/2, now.Add(time.Minute)); text == said {
		t.Errorf("a percent more: still %s", text)
	}
}

// Before there is a minute to go by, no pace is made up; a tiny quota, or none,
// is no mistake.
func TestQuotaAtOnce(t *testing.T) {
	now := time.Now()
	q := quota{limit: 100}
	if said := q.look(95, 90, now); said != "the database has 95 % of its quota: 95 B of 100 B, 90 B of that in use" {
		t.Errorf("%q", said)
	}
	q = quota{limit: 1}
	q.look(1, 1, now)
	q = quota{}
	if said := q.look(95, 90, now); said != "" {
		t.Errorf("no quota: %q", said)
	}
}

func TestRoughly(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "1 min", 61 * time.Second: "1 min", 119 * time.Minute: "119 min", 2 * time.Hour: "2 h", 47 * time.Hour: "47 h",
		48 * time.Hour: "2 days", 400 * 24 * time.Hour: "more than a year",
	} {
		if got := roughly(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}
