package main

import (
	"fmt"
	"strings"
)

// group is the rows of one section.
type group struct {
	name  string
	about string // what the figures mean, where the names do not say it
	rows  []row
}

const columns = `| case | goal | etcd-node | stock etcd | ratio (95 %) | n | load | run |
|---|---|---|---|---|---|---|---|
`

// tableLine is a result's line in the table.
func (r result) tableLine(g goal) string {
	mine := r.Unit.summary(r.Ours)
	if r.Wrong != "" {
		mine += " **then failed: " + r.Wrong + "**"
	} else if why := g.missed(r.Ours, r.Others); why != "" {
		mine += " **missed: " + why + "**"
	}
	load := fmt.Sprintf("%.1f–%.1f", r.Load[0], r.Load[1])
	return fmt.Sprintf("| %s | %s | %s | %s | %s | %d | %s | %d |\n", cell(r.Line), cell(g.text(r.Unit)), cell(mine), cell(r.Unit.summary(r.Others)),
		g.ratio(r.Ours, r.Others), len(r.Ours), load, r.Run)
}

// cell keeps a text in its place in the table.
func cell(s string) string {
	return strings.NewReplacer("|", "\\|", "\n", " ", "<", "&lt;").Replace(s)
}

// page is docs/BENCHMARKS.md.
func (all results) page(table []group, charts []string) string {
	var b strings.Builder
	b.WriteString(`# Benchmarks

Written by ` + "`make bench`" + ` from what [it keeps](bench/results.json): etcd-node beside stock etcd of the same release, on the same hosts, taking turns
within one run. The hosts are [the lab's](../test/lab/README.md), each with a real systemd, all on one machine: they share its cores and its disk, and
the clients run there too. Compare the columns; do not take the figures for those of three machines.

Each figure is the median of its n measurements, with the 90th percentile (of rates the 10th), the worst and the best; of what is counted it is
the sum. *Load* is the machine's load average when measurements of the row began, the lowest and the highest. Where the goal is a ratio to stock
etcd, the column shows it with its 95 % interval (Hodges–Lehmann, of pairs), and the goal is missed only where the whole interval is beyond it.
A row is named with its heartbeat interval and election timeout in milliseconds.

`)
	fmt.Fprintf(&b, "## Runs\n\n| run | when | etcd-node | stock etcd | machine | command |\n|---|---|---|---|---|---|\n")
	for _, r := range all.Runs {
		fmt.Fprintf(&b, "| %d | %s | %s | %s | %s | `%s` |\n", r.Number, r.Date, cell(r.Ours), cell(r.Stock), cell(r.Machine), cell(r.Command))
	}
	for _, g := range table {
		lines := ""
		for _, r := range g.rows {
			for _, f := range r.figures {
				if got, ok := all.of(r.line(f)); ok {
					lines += got.tableLine(f.goal)
				}
			}
		}
		if lines == "" {
			continue
		}
		fmt.Fprintf(&b, "\n## %s\n\n", g.name)
		if g.about != "" {
			b.WriteString(g.about + "\n\n")
		}
		b.WriteString(columns + lines)
	}
	if len(charts) > 0 {
		b.WriteString("\n## Plots\n\n")
		for _, name := range charts {
			fmt.Fprintf(&b, "![%s](bench/%s.svg)\n", strings.ReplaceAll(name, "-", " "), name)
		}
	}
	return b.String()
}
