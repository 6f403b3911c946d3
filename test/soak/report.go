package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/etcd-node/etcd-node/test/history"
)

// Limits of what the three members may do without an answer for any put. The
// machine may be busy, so they are far from what is usual: nothing, and one to
// two election timeouts.
const (
	maxGapCalm = 5 * time.Second  // with no host broken
	maxGapOne  = 10 * time.Second // with one
)

// verdict is what the run has shown.
type verdict struct {
	history history.Result
	gaps    [3]gap
	digest  digest
	agreed  bool
	lost    int
}

// judge ends all watching and says what is wrong.
func (s *soak) judge() verdict {
	ctx := context.Background() // also an interrupted run is checked
	s.service.end()
	s.supervisors.end()
	v := verdict{history: s.history.Stop(), gaps: worst(s.service.gaps, s.broken)}

	for _, text := range v.history.Illegal {
		s.violation("%s", text)
	}
	if v.history.Operations == 0 {
		s.violation("no operation was recorded")
	}
	if s.struck() == 0 {
		s.violation("no fault struck")
	}
	if v.history.Undecided > 0 {
		s.violation("%d groups of keys could not be decided in time", v.history.Undecided)
	}
	var err error
	if v.digest, err = agree(ctx, s.nodes); err != nil {
		s.violation("the members do not agree: %v", err)
	}
	v.agreed = err == nil
	for _, n := range s.nodes {
		lost, err := s.service.lost(ctx, n)
		if err != nil {
			s.violation("%v", err)
		}
		if v.lost = max(v.lost, len(lost)); len(lost) > 0 {
			s.violation("%s has lost %d acknowledged keys: %q…", n.Name, len(lost), lost[:min(len(lost), 5)])
		}
	}
	if share := s.service.share(); share < s.quorum {
		s.violation("quorum for %.1f %% of the time, less than %.0f %%", 100*share, 100*s.quorum)
	}
	for i, limit := range []time.Duration{maxGapCalm, maxGapOne} {
		if g := v.gaps[i]; g.length() > limit {
			s.violation("no put was acknowledged for %v from %.3f s on, with %d hosts broken", g.length(), g.from.Sub(s.begun).Seconds(), i)
		}
	}
	for _, l := range s.supervisors.lives {
		if text := l.leak(); text != "" {
			s.violation("%s", text)
		}
	}
	return v
}

// struck is how many faults there were.
func (s *soak) struck() (n int) {
	for _, k := range s.counts {
		n += k
	}
	return n
}

// report prints the table.
func (s *soak) report(w io.Writer, v verdict, took time.Duration) {
	row := func(what, format string, args ...any) {
		fmt.Fprintf(w, "| %s | %s |\n", what, fmt.Sprintf(format, args...))
	}
	row("soak", "%s, seed %d", took.Round(time.Second), s.seed)
	fmt.Fprintln(w, "|---|---|")
	for _, k := range kinds {
		row(string(k.kind), "%d", s.counts[k.kind])
	}
	row("faults", "%d, %d of them on two or three hosts at once; %d more found no process to strike", s.struck(), s.several, s.missed)
	if n := len(s.recoveries); n > 0 {
		slices.SortFunc(s.recoveries, func(a, b gap) int { return cmp.Compare(a.length(), b.length()) })
		row("serving again after the healing", "median %.2f s, worst %.2f s %s",
			s.recoveries[n/2].length().Seconds(), s.recoveries[n-1].length().Seconds(), s.recoveries[n-1].what)
	}
	row("time with a quorum", "%.1f %%", 100*s.service.share())
	for i, what := range []string{"no host", "one host", "two or three hosts"} {
		g := v.gaps[i]
		row("longest time without an acknowledged put, "+what+" broken", "%s", g)
	}
	row("operations", "%d on %d groups of keys, %d of unknown outcome", v.history.Operations, v.history.Groups, v.history.Unknown)
	row("linearizable", "%s", yes(len(v.history.Illegal) == 0 && v.history.Undecided == 0))
	row("acknowledged writes", "%d, %d lost", len(s.service.acked), v.lost)
	row("same revision and hash on all members", "%s: %v", yes(v.agreed), v.digest)
	for _, n := range s.nodes {
		var first, last, most usage
		lives := 0
		for _, l := range s.supervisors.lives {
			if l.node != n.Name {
				continue
			}
			if lives++; lives == 1 {
				first = l.first
			}
			last, most = l.last, most.max(l.max)
		}
		row("supervisor of "+n.Name, "first %v; last %v; most %v; %d lives", first, last, most, lives)
	}
	l := s.supervisors.longest()
	row("longest life of a supervisor", "%s on %s with %d restarts of its member: first %v; last %v; most %v",
		l.length().Round(time.Second), l.node, l.restarts, l.first, l.last, l.max)
	row("violations", "%d", len(s.violations))
}

func (g gap) String() string {
	if g.length() == 0 {
		return fmt.Sprintf("below %.1f s", shortGap.Seconds())
	}
	return strings.TrimSpace(fmt.Sprintf("%.2f s %s", g.length().Seconds(), g.what))
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "NO"
}
