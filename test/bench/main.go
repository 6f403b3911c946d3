// Bench measures etcd-node beside stock etcd of the same build on the same lab
// hosts, taking turns. It needs root and an otherwise idle machine: the tests
// show that things work, this shows how fast.
//
//	go run ./test/bench                   every row, n = 10: many hours
//	go run ./test/bench -n 3 -run stop    the rows whose name matches
//	go run ./test/bench -run Patroni      these need hosts with more packages, and are left out else
//	go run ./test/bench -write            and keeps the results and writes docs/BENCHMARKS.md and its plots;
//	                                      with -run only these rows are replaced, or added
//	go run ./test/bench -write -missing   goes on where a run was ended
//	go run ./test/bench -draw             writes these anew from what was kept
//	go run ./test/bench -list             names the rows
//	go run ./test/bench -old FILE         beside another build of etcd-node instead, called "before"
//
// It prints the table, and exits 1 if a row could not be measured or misses a goal.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/etcd-node/etcd-node/test/lab"
	"github.com/etcd-node/etcd-node/test/machine"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// options are how long some rows take.
type options struct {
	alone  time.Duration
	rough  time.Duration
	length time.Duration
}

func run(ctx context.Context) error {
	var o options
	n := flag.Int("n", 10, "measurements per row")
	only := flag.String("run", "", "run the rows whose name and timing (such as 100/1000) match this regular expression")
	flag.DurationVar(&o.alone, "alone", time.Minute, "how long host 1 is alone in the row about that")
	flag.DurationVar(&o.rough, "rough", 10*time.Minute, "how long packets are lost or late in the rows about that")
	flag.DurationVar(&o.length, "length", 5*time.Second, "how long a rate is measured, after 2 s for warming up")
	oursOnly := flag.Bool("ours", false, "leave stock etcd out: its stops take minutes")
	old := flag.String("old", "", "another binary of etcd-node that takes stock etcd's place")
	write := flag.Bool("write", false, "keep the results, and write docs/BENCHMARKS.md")
	missing := flag.Bool("missing", false, "leave out the rows of which results are kept: to go on with a run that was ended")
	again := flag.Bool("draw", false, "measure nothing, and write docs/BENCHMARKS.md from the results that were kept")
	list := flag.Bool("list", false, "name the rows, and measure nothing")
	flag.Parse()
	match, err := regexp.Compile(*only)
	if err != nil {
		return err
	}
	if *write && (*oursOnly || *old != "") {
		return errors.New("-write is for results beside stock etcd: without -ours and -old")
	}
	root, err := lab.Root()
	if err != nil {
		return err
	}
	table := groups(o)
	docs := filepath.Join(root, "docs")
	if *again {
		return publish(docs, table)
	}

	kept, err := readResults(resultsFile(docs))
	if err != nil {
		return err
	}
	// By the packages that their hosts need.
	chosen := map[string][]row{}
	var order []string
	for _, g := range table {
		for _, r := range g.rows {
			if !match.MatchString(r.title()) || *only == "" && r.packages != "" && !*list || *missing && kept.have(r) {
				continue
			}
			if *list {
				for _, f := range r.figures {
					fmt.Println(r.line(f))
				}
				continue
			}
			r.oursOnly = r.oursOnly || *oursOnly
			if chosen[r.packages] == nil {
				order = append(order, r.packages)
			}
			chosen[r.packages] = append(chosen[r.packages], r)
		}
	}
	if *list {
		return nil
	}
	if len(order) == 0 {
		return fmt.Errorf("no row matches %q", *only)
	}
	b := &bench{n: *n, old: *old, other: stock, table: table}
	if *old != "" {
		b.other = before
	}
	if *write {
		b.docs = docs
	}
	fmt.Print(strings.Replace(columns, stock.name, b.other.name, 1))
	for _, packages := range order {
		if err := b.on(ctx, packages, chosen[packages]); err != nil {
			return errors.Join(append(b.wrong, err)...)
		}
	}
	return errors.Join(b.wrong...)
}

// bench is a run.
type bench struct {
	n     int
	old   string // the other binary of etcd-node
	other *subject
	table []group
	docs  string // where to write; "": nowhere
	about session
	wrong []error // of rows
}

// on measures rows on hosts that have these packages.
func (b *bench) on(ctx context.Context, packages string, rows []row) (err error) {
	if packages != "" {
		if err := os.Setenv("LAB_PACKAGES", packages); err != nil {
			return err
		}
	}
	hosts := 0
	for _, r := range rows {
		hosts = max(hosts, r.size())
	}
	l, err := lab.Start(ctx, name(), hosts, os.Stderr)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	tree, err := os.MkdirTemp("", "stock")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tree)
	if err := install(ctx, l, tree, b.old); err != nil {
		return err
	}
	if b.about.Date == "" {
		if b.about, err = thisRun(ctx); err != nil {
			return err
		}
	}
	for _, r := range rows {
		begin := time.Now()
		got, err := r.play(ctx, l, b.n, b.other)
		fmt.Fprintf(os.Stderr, "%s: all in %v\n", r.title(), time.Since(begin).Round(time.Second))
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			b.wrong = append(b.wrong, fmt.Errorf("%s: %w", r.title(), err))
			for i := range got {
				got[i].Wrong = brief(err)
			}
		}
		for i, f := range r.figures {
			fmt.Print(got[i].tableLine(f.goal))
			if why := f.goal.missed(got[i].Ours, got[i].Others); why != "" {
				b.wrong = append(b.wrong, fmt.Errorf("%s: %s", r.line(f), why))
			}
		}
		// After each row: the whole run takes hours.
		if b.docs != "" {
			if err := b.keep(got); err != nil {
				return err
			}
		}
	}
	return nil
}

// name is that of the lab: another one for each run, so that two do not meet.
func name() string {
	if given := os.Getenv("LAB_NAME"); given != "" {
		return given
	}
	return fmt.Sprintf("bench%d", os.Getpid())
}

// brief is an error for a cell of the table.
func brief(err error) string {
	text, _, _ := strings.Cut(err.Error(), "\n")
	if runes := []rune(text); len(runes) > 200 {
		text = string(runes[:200]) + " …"
	}
	return text
}

// thisRun is what the page says of it.
func thisRun(ctx context.Context) (session, error) {
	s := session{Date: time.Now().UTC().Format("2006-01-02 15:04"), Machine: machine.Describe(), Command: command(os.Args[1:])}
	for _, of := range []struct {
		to           *string
		path, prefix string
	}{{&s.Ours, ours.local, "etcd-node Version: "}, {&s.Stock, stock.local, "etcd Version: "}} {
		out, err := exec.CommandContext(ctx, of.path, "--version").Output()
		if err != nil {
			return s, fmt.Errorf("ask %s for its version: %w", of.path, err)
		}
		for line := range strings.Lines(string(out)) {
			if v, ok := strings.CutPrefix(line, of.prefix); ok {
				*of.to = strings.TrimSpace(v)
			}
		}
	}
	return s, nil
}

// command is how this was called.
func command(args []string) string {
	all := "go run ./test/bench"
	for _, a := range args {
		if strings.ContainsAny(a, " '|*?()[]$&;") {
			a = "\"" + a + "\""
		}
		all += " " + a
	}
	return all
}

func resultsFile(docs string) string { return filepath.Join(docs, "bench", "results.json") }

// keep adds results to those that are kept, and writes the page.
func (b *bench) keep(got []result) error {
	all, err := readResults(resultsFile(b.docs))
	if err != nil {
		return err
	}
	if err := all.merge(b.about, got, b.table).write(resultsFile(b.docs)); err != nil {
		return err
	}
	return publish(b.docs, b.table)
}

// publish writes the page and its charts from what is kept.
func publish(docs string, table []group) error {
	all, err := readResults(resultsFile(docs))
	if err != nil {
		return err
	}
	if len(all.Results) == 0 {
		return fmt.Errorf("%s has no results", resultsFile(docs))
	}
	charts, err := all.draw(filepath.Join(docs, "bench"), table)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(docs, "BENCHMARKS.md"), []byte(all.page(table, charts)), 0o644)
}
