package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// unit is what a figure is counted in.
type unit string

const (
	seconds unit = "s"
	rate    unit = "1/s" // more is better, of this alone
	size    unit = "B"
	percent unit = "%"
	terms   unit = "terms" // new terms of raft, one after the other
	times   unit = "times"
)

// show prints a value with three digits.
func (u unit) show(v float64) string {
	switch u {
	case seconds:
		switch {
		case v < 1e-3:
			return fmt.Sprintf("%.3g µs", v*1e6)
		case v < 1:
			return fmt.Sprintf("%.3g ms", v*1e3)
		}
		return fmt.Sprintf("%.2f s", v)
	case rate:
		if v >= 1000 {
			return fmt.Sprintf("%.0f/s", v)
		}
		return fmt.Sprintf("%.3g/s", v)
	case size:
		return fmt.Sprintf("%.1f MiB", v/(1<<20))
	case percent:
		return fmt.Sprintf("%.3g %%", v)
	}
	return fmt.Sprintf("%g", v)
}

// counts reports whether what matters is the sum.
func (u unit) counts() bool { return u == terms || u == times }

// figure is one value of those that a measurement of a row gives.
type figure struct {
	name string // "": the row's only one, or its first
	unit
	goal  goal
	chart chart // where it is drawn, if it is
}

// summary is a figure's values in the table.
func (u unit) summary(values []float64) string {
	if len(values) == 0 {
		return "-"
	}
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	if u.counts() {
		sum := 0.0
		for _, v := range values {
			sum += v
		}
		return fmt.Sprintf("%g in %d", sum, n)
	}
	if n == 1 {
		return u.show(values[0])
	}
	name, bad, best, worst := "p90", quantile(sorted, 90), sorted[0], sorted[n-1]
	if u == rate {
		name, bad, best, worst = "p10", sorted[n-(n*9+9)/10], worst, best
	}
	return fmt.Sprintf("%s (%s %s, worst %s, best %s)", u.show(median(sorted)), name, u.show(bad), u.show(worst), u.show(best))
}

// goal is what a figure of etcd-node is to be; its zero value wants nothing.
type goal struct {
	words         string  // says it instead of what is below, which is checked all the same
	median, worst float64 // each is less than this
	p90, p99      float64 // the same
	atLeast       float64 // of stock's: the ratio; missed where its whole interval is below
	atMost        float64 // the same from above
	none          bool    // the sum is 0
	asStock       bool    // the sum is not more than stock's
}

// checked reports whether something can miss it.
func (g goal) checked() bool { g.words = ""; return g != goal{} }

func (g goal) text(u unit) string {
	if g.words != "" && !g.checked() {
		return g.words + " (not checked)"
	} else if g.words != "" {
		return g.words
	}
	var all []string
	if g.median > 0 {
		all = append(all, "median < "+u.show(g.median))
	}
	if g.p90 > 0 {
		all = append(all, "p90 < "+u.show(g.p90))
	}
	if g.p99 > 0 {
		all = append(all, "p99 < "+u.show(g.p99))
	}
	if g.worst > 0 {
		all = append(all, "worst < "+u.show(g.worst))
	}
	if g.atLeast > 0 {
		all = append(all, fmt.Sprintf("≥ %g × stock", g.atLeast))
	}
	if g.atMost > 0 {
		all = append(all, fmt.Sprintf("≤ %g × stock", g.atMost))
	}
	if g.none {
		all = append(all, "none")
	}
	if g.asStock {
		all = append(all, "no more than stock")
	}
	return strings.Join(all, ", ")
}

// missed says what is wrong with the values; "": nothing, or nothing is known.
func (g goal) missed(ours, others []float64) string {
	if len(ours) == 0 {
		return ""
	}
	sorted := slices.Sorted(slices.Values(ours))
	sum := func(values []float64) (total float64) {
		for _, v := range values {
			total += v
		}
		return total
	}
	switch r := ratioOf(ours, others); {
	case g.median > 0 && median(sorted) >= g.median:
		return "the median is too large"
	case g.p90 > 0 && quantile(sorted, 90) >= g.p90:
		return "the 90th percentile is too large"
	case g.p99 > 0 && quantile(sorted, 99) >= g.p99:
		return "the 99th percentile is too large"
	case g.worst > 0 && sorted[len(sorted)-1] >= g.worst:
		return "the worst is too large"
	case g.atLeast > 0 && r.high < g.atLeast:
		return "the interval is below the goal"
	case g.atMost > 0 && r.low > g.atMost:
		return "the interval is above the goal"
	case g.none && sum(ours) > 0:
		return "not none"
	case g.asStock && len(ours) == len(others) && sum(ours) > sum(others):
		return "more than stock"
	}
	return ""
}

// ratio is the ratio and its interval in the table, where the goal is one.
func (g goal) ratio(ours, others []float64) string {
	if g.atLeast == 0 && g.atMost == 0 {
		return ""
	}
	r := ratioOf(ours, others)
	switch {
	case math.IsNaN(r.ratio):
		return "-"
	case math.IsInf(r.high, 1):
		return fmt.Sprintf("%.3f", r.ratio)
	}
	return fmt.Sprintf("%.3f (%.3f–%.3f)", r.ratio, r.low, r.high)
}
