package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/etcd-node/etcd-node/test/machine"
)

// result is what came of a row.
type result struct {
	fault
	seen string
	took []time.Duration
	err  error
}

const columns = `| fault | entry | expected | seen | goal, s | seconds |
|---|---|---|---|---|---|
`

// line is the result's line in the table.
func (r result) line() string {
	seen := r.seen
	if err := r.wrong(); err != nil {
		seen = "**not as expected:** " + shorten(err.Error())
	}
	return fmt.Sprintf("| %s | %s | %s | %s | < %g | %s |\n", cell(r.name), r.id, cell(r.expected), cell(seen), r.goal.Seconds(), r.seconds())
}

// skipped reports whether the row could not be played here.
func (r result) skipped() (why string, yes bool) {
	var s skip
	yes = errors.As(r.err, &s)
	return string(s), yes
}

// wrong says what is not as expected.
func (r result) wrong() error {
	if _, yes := r.skipped(); yes {
		return nil
	}
	if r.err == nil && r.median() > r.goal {
		return fmt.Errorf("%s, but after %s s", r.seen, r.seconds())
	}
	return r.err
}

func (r result) median() time.Duration {
	if len(r.took) == 0 {
		return 0
	}
	took := slices.Sorted(slices.Values(r.took))
	n := len(took)
	return (took[(n-1)/2] + took[n/2]) / 2
}

func (r result) seconds() string {
	switch len(r.took) {
	case 0:
		return "-"
	case 1:
		return decimal(r.took[0])
	default:
		return fmt.Sprintf("%s (worst %s)", decimal(r.median()), decimal(slices.Max(r.took)))
	}
}

// decimal is in seconds, with the digits that the clock of a busy machine is
// good for.
func decimal(d time.Duration) string {
	if d < 10*time.Second {
		return fmt.Sprintf("%.2f", d.Seconds())
	}
	return fmt.Sprintf("%.1f", d.Seconds())
}

// cell keeps a text in its place in the table.
func cell(s string) string {
	return strings.NewReplacer("|", "\\|", "\n", " ", "<", "&lt;").Replace(s)
}

// page is docs/FAULTS.md.
func page(about string, n int, all []result) string {
	var b strings.Builder
	fmt.Fprintf(&b, `# Faults

Written by `+"`make faults`"+` (%s).
Each fault was made to happen to real processes, on loopback or on three hosts with a real systemd, and has to end in one
of two ways: back by itself, with every write that was acknowledged before, or stopped or shown with cause and next command.

*Seen* is what the product said in `+"`STATUS=`"+`, its log or `+"`etcd-node explain`"+`; directories and next steps are left out.
*Seconds* count to serving from the moment the cause is gone, or to the explanation from the fault or the start%s.
The entries are those of [the catalogue](failures.md), which `+"`etcd-node explain ENTRY`"+` prints.

`, about, map[bool]string{true: fmt.Sprintf("; median and worst of %d", n)}[n > 1])
	b.WriteString(columns)
	played, skips := 0, ""
	for _, r := range all {
		if why, yes := r.skipped(); yes {
			skips += fmt.Sprintf("* %s: %s\n", r.name, why)
			continue
		}
		played++
		b.WriteString(r.line())
	}
	fmt.Fprintf(&b, "\n%d rows.\n", played)
	if skips != "" {
		b.WriteString("\nCould not be played on this machine:\n\n" + skips)
	}
	return b.String()
}

// writePage writes the page, with what it was measured on.
func writePage(path string, p *product, n int, all []result) error {
	version, err := exec.Command(p.binary, "version").Output()
	if err != nil {
		return fmt.Errorf("ask for the version: %w", err)
	}
	about := fmt.Sprintf("%s; %s; %s", time.Now().UTC().Format(time.DateOnly),
		strings.Join(strings.Split(strings.TrimSpace(string(version)), "\n"), ", "), machine.Describe())
	return os.WriteFile(path, []byte(page(about, n, all)), 0o644)
}

// updatePage replaces rows that were played again, adds those that are new, in
// the order of all faults, and removes those of faults that are none any more. The page keeps its head: it is of the run that
// played them all.
func updatePage(path string, all []result, order []fault) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	text, err := update(string(raw), all, order)
	if err != nil {
		return err
	}
	return os.WriteFile(path, []byte(text), 0o644)
}

func update(text string, all []result, order []fault) (string, error) {
	known := map[string]bool{}
	for _, f := range order {
		known[cell(f.name)] = true
	}
	lines := slices.DeleteFunc(strings.SplitAfter(text, "\n"), func(l string) bool {
		name, is := strings.CutPrefix(l, "| ")
		name, _, _ = strings.Cut(name, " | ")
		return is && !known[name] && l != strings.SplitAfter(columns, "\n")[0]
	})
	rowOf := func(name string) int {
		return slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, "| "+cell(name)+" |") })
	}
	for _, r := range all {
		at := rowOf(r.name)
		if at >= 0 {
			lines[at] = r.line()
			continue
		}
		before := slices.IndexFunc(order, func(f fault) bool { return f.name == r.name })
		for before--; before >= 0 && rowOf(order[before].name) < 0; before-- {
		}
		if before < 0 {
			return "", fmt.Errorf("%q has no row yet, nor has any before it: write the whole page", r.name)
		}
		lines = slices.Insert(lines, rowOf(order[before].name)+1, r.line())
	}
	return counted(lines), nil
}

// counted puts the number of rows where the page says it.
func counted(lines []string) string {
	rows := -2 // the head of the table
	for i, l := range lines {
		switch {
		case strings.HasPrefix(l, "| "), strings.HasPrefix(l, "|-"):
			rows++
		case strings.HasSuffix(l, " rows.\n"):
			lines[i] = fmt.Sprintf("%d rows.\n", rows)
		}
	}
	return strings.Join(lines, "")
}
