package main

import (
	"math"
	"slices"
)

// confidence is that of the intervals of ratios.
const confidence = 0.95

// interval is what a ratio is, and between what it lies with the confidence.
type interval struct{ ratio, low, high float64 }

// ratioOf is how large ours is in terms of others, measured in pairs: the
// Hodges–Lehmann estimate of the ratio and the interval that goes with the
// signed-rank test. It takes nothing for granted about how the measurements
// are distributed, and one wild pair moves it little. With less than six pairs
// nothing can be said with that confidence: the interval is without bounds.
func ratioOf(ours, others []float64) interval {
	n := min(len(ours), len(others))
	nothing := interval{math.NaN(), 0, math.Inf(1)}
	if n == 0 {
		return nothing
	}
	logs := make([]float64, n)
	for i := range n {
		if ours[i] <= 0 || others[i] <= 0 {
			return nothing
		}
		logs[i] = math.Log(ours[i] / others[i])
	}
	var means []float64 // of every two, and of each with itself
	for i := range logs {
		for j := range i + 1 {
			means = append(means, (logs[i]+logs[j])/2)
		}
	}
	slices.Sort(means)
	all := interval{math.Exp(median(means)), 0, math.Inf(1)}
	if k := signedRank(n, 1-confidence); k >= 0 {
		all.low, all.high = math.Exp(means[k]), math.Exp(means[len(means)-1-k])
	}
	return all
}

// signedRank is the largest sum of ranks that the signed-rank test of n pairs
// rejects, at this level on both sides together; -1: there is none.
func signedRank(n int, level float64) int {
	// ways[s] is how many of the 2^n choices of signs have positive ranks with sum s.
	ways := make([]float64, n*(n+1)/2+1)
	ways[0] = 1
	for rank := 1; rank <= n; rank++ {
		for s := len(ways) - 1; s >= rank; s-- {
			ways[s] += ways[s-rank]
		}
	}
	below, k := 0.0, -1
	for s, w := range ways {
		below += w / math.Pow(2, float64(n))
		if 2*below > level {
			break
		}
		k = s
	}
	return k
}

// median wants sorted values, at least one.
func median(sorted []float64) float64 {
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// quantile wants sorted values, at least one, and the share of them in percent
// that is not larger than what it returns.
func quantile(sorted []float64, share int) float64 {
	return sorted[(len(sorted)*share+99)/100-1]
}
