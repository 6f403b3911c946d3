package main

import (
	"math"
	"math/rand/v2"
	"testing"
)

// The critical values are those of the tables in textbooks (two-sided, 0.05).
func TestSignedRank(t *testing.T) {
	for n, want := range map[int]int{1: -1, 5: -1, 6: 0, 7: 2, 8: 3, 9: 5, 10: 8, 12: 13, 15: 25, 20: 52, 25: 89} {
		if got := signedRank(n, 0.05); got != want {
			t.Errorf("n = %d: %d, want %d", n, got, want)
		}
	}
}

func TestRatio(t *testing.T) {
	for what, tc := range map[string]struct {
		ours, others []float64
		want         interval
	}{
		"nothing":          {nil, nil, interval{math.NaN(), 0, math.Inf(1)}},
		"few":              {[]float64{2, 4, 8}, []float64{1, 2, 4}, interval{2, 0, math.Inf(1)}},
		"all the same":     {[]float64{3, 6, 9, 3, 6, 9}, []float64{2, 4, 6, 2, 4, 6}, interval{1.5, 1.5, 1.5}},
		"none":             {[]float64{0, 1, 1, 1, 1, 1}, []float64{1, 1, 1, 1, 1, 1}, interval{math.NaN(), 0, math.Inf(1)}},
		"pairs, not sets":  {[]float64{100, 10, 1, 100, 10, 1}, []float64{50, 5, 0.5, 50, 5, 0.5}, interval{2, 2, 2}},
		"one wild of many": {[]float64{1, 1, 1, 1, 1, 1, 1, 1, 1, 100}, []float64{1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, interval{1, 1, 10}},
		"a member missing": {[]float64{2, 2, 2, 2, 2, 2, 2}, []float64{1, 1, 1, 1, 1, 1}, interval{2, 2, 2}},
	} {
		got := ratioOf(tc.ours, tc.others)
		for _, v := range [][2]float64{{got.ratio, tc.want.ratio}, {got.low, tc.want.low}, {got.high, tc.want.high}} {
			same := v[0] == v[1] || math.Abs(v[0]-v[1]) < 1e-9 || math.IsNaN(v[0]) && math.IsNaN(v[1])
			if !same {
				t.Errorf("%s: %v, want %v", what, got, tc.want)
				break
			}
		}
	}
}

// The interval holds the truth as often as it says, with noise that pairs share
// and noise of their own.
func TestRatioCovers(t *testing.T) {
	const truth, tries = 1.03, 2000
	r := rand.New(rand.NewPCG(1, 2))
	covered := 0
	for range tries {
		var ours, others []float64
		for range 10 {
			moment := math.Exp(r.NormFloat64() * 0.3)
			ours = append(ours, truth*moment*math.Exp(r.NormFloat64()*0.02))
			others = append(others, moment*math.Exp(r.NormFloat64()*0.02))
		}
		if i := ratioOf(ours, others); i.low <= truth && truth <= i.high {
			covered++
		}
	}
	if share := float64(covered) / tries; share < 0.935 || share > 0.97 {
		t.Errorf("the interval holds the truth in %.1f %% of the cases, want 95 %%", share*100)
	}
}
