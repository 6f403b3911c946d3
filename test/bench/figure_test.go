package main

import (
	"slices"
	"testing"
)

func TestSummary(t *testing.T) {
	for _, tc := range []struct {
		unit
		values []float64
		want   string
	}{
		{seconds, nil, "-"},
		{seconds, []float64{0.03}, "30 ms"},
		{seconds, []float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, "5.50 s (p90 9.00 s, worst 10.00 s, best 1.00 s)"},
		{rate, []float64{1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000, 9000, 10000}, "5500/s (p10 2000/s, worst 1000/s, best 10000/s)"},
		{terms, []float64{0, 1, 0, 2}, "3 in 4"},
		{percent, []float64{0.5}, "0.5 %"},
		{size, []float64{3 << 20, 4 << 20}, "3.5 MiB (p90 4.0 MiB, worst 4.0 MiB, best 3.0 MiB)"},
		{seconds, []float64{12e-6}, "12 µs"},
	} {
		if got := tc.summary(tc.values); got != tc.want {
			t.Errorf("%v: %q, want %q", tc.values, got, tc.want)
		}
	}
}

func TestGoal(t *testing.T) {
	same := []float64{100, 101, 99, 100, 102, 98, 100}
	scaled := func(by float64) (s []float64) {
		for _, v := range same {
			s = append(s, v*by)
		}
		return s
	}
	for _, tc := range []struct {
		goal
		unit
		ours, others []float64
		says         string
		missed       bool
	}{
		{goal{}, seconds, same, same, "", false},
		{goal{words: "quick"}, seconds, same, same, "quick (not checked)", false},
		{goal{words: "no new term, worst < 50 ms", worst: 0.05}, seconds, []float64{0.01, 0.06}, nil, "no new term, worst < 50 ms", true},
		{goal{p90: 2}, seconds, []float64{1, 1, 1, 1, 1, 1, 1, 1, 1, 3}, nil, "p90 < 2.00 s", false},
		{goal{p90: 2}, seconds, []float64{1, 1, 1, 1, 1, 1, 1, 1, 3, 3}, nil, "p90 < 2.00 s", true},
		{goal{p99: 1}, seconds, []float64{0.5, 0.5, 1}, nil, "p99 < 1.00 s", true},
		{goal{p99: 1}, seconds, append(slices.Repeat([]float64{0.5}, 99), 3), nil, "p99 < 1.00 s", false},
		{goal{median: 0.15, worst: 0.3}, seconds, []float64{0.1, 0.1, 0.29}, nil, "median < 150 ms, worst < 300 ms", false},
		{goal{median: 0.15, worst: 0.3}, seconds, []float64{0.1, 0.1, 0.31}, nil, "median < 150 ms, worst < 300 ms", true},
		{goal{median: 0.15, worst: 0.3}, seconds, []float64{0.1, 0.2, 0.2}, nil, "median < 150 ms, worst < 300 ms", true},
		{goal{atLeast: 0.97}, rate, scaled(0.96), same, "≥ 0.97 × stock", true},
		{goal{atLeast: 0.97}, rate, scaled(0.98), same, "≥ 0.97 × stock", false},
		{goal{atLeast: 0.97}, rate, []float64{50, 50}, []float64{100, 100}, "≥ 0.97 × stock", false}, // too few to say so
		{goal{atMost: 1.01}, seconds, scaled(1.02), same, "≤ 1.01 × stock", true},
		{goal{atMost: 1.01}, seconds, scaled(0.5), same, "≤ 1.01 × stock", false},
		{goal{none: true}, terms, []float64{0, 0}, []float64{3, 1}, "none", false},
		{goal{none: true}, terms, []float64{0, 1}, []float64{3, 1}, "none", true},
		{goal{asStock: true}, terms, []float64{1, 1}, []float64{0, 2}, "no more than stock", false},
		{goal{asStock: true}, terms, []float64{1, 2}, []float64{0, 2}, "no more than stock", true},
		{goal{asStock: true}, terms, []float64{1, 2}, nil, "no more than stock", false}, // nothing to compare with
	} {
		if got := tc.text(tc.unit); got != tc.says {
			t.Errorf("%+v: %q, want %q", tc.goal, got, tc.says)
		}
		if got := tc.goal.missed(tc.ours, tc.others); (got != "") != tc.missed {
			t.Errorf("%+v with %v and %v: %q, want missed %v", tc.goal, tc.ours, tc.others, got, tc.missed)
		}
	}
}
