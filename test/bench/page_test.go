package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/etcd-node/etcd-node/test/lab"
)

// A table of three rows, and what was measured of it.
func sample() ([]group, results) {
	table := []group{
		{name: "One", rows: []row{
			{name: "killed", setup: setup{timing: near}, figures: []figure{{unit: seconds, goal: goal{median: 0.03, worst: 0.1}, chart: chart{name: "gaps-100-1000", label: "killed"}}}},
			{name: "calm", setup: setup{timing: far}, figures: []figure{{unit: terms, goal: goal{none: true}}}},
		}},
		{name: "Two", about: "Of puts.", rows: []row{
			{name: "puts", setup: setup{timing: near}, figures: []figure{
				{name: "1 client, answers a second", unit: rate, goal: goal{atLeast: 0.97}, chart: chart{"throughput", "puts", 1}},
				{name: "16 clients, answers a second", unit: rate, goal: goal{atLeast: 0.97}, chart: chart{"throughput", "puts", 16}},
			}},
		}},
	}
	return table, results{
		Runs: []session{{1, "2026-01-02 03:04", "Linux, 2 cores", "v1", "3.7.3", "go run ./test/bench -write"}},
		Results: []result{
			{"killed, 100/1000", seconds, "median < 30 ms, worst < 100 ms", 1, [2]float64{0.1, 0.6}, []float64{0.02, 0.03, 0.2}, []float64{1, 2, 1.5}, ""},
			{"calm, 1000/5000", terms, "none", 1, [2]float64{0.1, 0.6}, []float64{0, 0, 0}, []float64{0, 1, 0}, ""},
			{"puts, 100/1000: 1 client, answers a second", rate, "≥ 0.97 × stock", 1, [2]float64{0.1, 0.6},
				[]float64{101, 102, 103, 104, 105, 106}, []float64{100, 100, 100, 100, 100, 100}, ""},
			{"puts, 100/1000: 16 clients, answers a second", rate, "≥ 0.97 × stock", 1, [2]float64{0.1, 0.6},
				[]float64{1101, 1102, 1103, 1104, 1105, 1106}, []float64{1100, 1100, 1100, 1100, 1100, 1100}, ""},
		},
	}
}

func TestPage(t *testing.T) {
	table, all := sample()
	text := all.page(table, []string{"throughput"})
	for _, want := range []string{
		"| 1 | 2026-01-02 03:04 | v1 | 3.7.3 | Linux, 2 cores | `go run ./test/bench -write` |\n",
		"\n## One\n\n" + columns + "| killed, 100/1000 | median &lt; 30 ms, worst &lt; 100 ms | 30 ms (p90 200 ms, worst 200 ms, best 20 ms) **missed: the median is too large** | 1.50 s (p90 2.00 s, worst 2.00 s, best 1.00 s) |  | 3 | 0.1–0.6 | 1 |\n",
		"| calm, 1000/5000 | none | 0 in 3 | 1 in 3 |  | 3 | 0.1–0.6 | 1 |\n",
		"\n## Two\n\nOf puts.\n\n",
		"| 1.035 (1.010–1.060) | 6 | 0.1–0.6 | 1 |\n",
		"![throughput](bench/throughput.svg)\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page has no %q:\n%s", want, text)
		}
	}
	all.Results[1].Wrong = "no leader"
	if want, text := "0 in 3 **then failed: no leader** |", all.page(table, nil); !strings.Contains(text, want) {
		t.Errorf("the page has no %q:\n%s", want, text)
	}
	all.Results[1].Wrong = ""
	if again := all.page(table, []string{"throughput"}); again != text {
		t.Error("the same results make another page")
	}
}

// A partial run replaces its rows and keeps the others, each with the run that
// measured it.
func TestMerge(t *testing.T) {
	table, all := sample()
	all.Results = append(all.Results, result{Line: "a row of old", Run: 1})
	now := session{Date: "2026-02-02 00:00", Command: "go run ./test/bench -run killed -write"}
	fresh := []result{{Line: "killed, 100/1000", Unit: seconds, Ours: []float64{0.025}}}
	got := all.merge(now, fresh, table)
	if len(got.Results) != 4 || got.Results[0].Run != 2 || len(got.Results[0].Ours) != 1 || got.Results[1].Run != 1 {
		t.Errorf("%+v; want the first row of run 2, three of run 1, and none that is no row any more", got.Results)
	}
	if len(got.Runs) != 2 || got.Runs[1].Number != 2 {
		t.Errorf("%+v; want runs 1 and 2", got.Runs)
	}
	// The same run, further on, is no other.
	got = got.merge(now, []result{{Line: "calm, 1000/5000", Unit: terms, Ours: []float64{0}}}, table)
	if len(got.Runs) != 2 || got.Results[1].Run != 2 {
		t.Errorf("%+v, %+v; want two runs, and the second row of run 2", got.Runs, got.Results[1])
	}
	if rows := table[0].rows; !got.have(rows[0]) || got.have(row{name: "new", figures: rows[0].figures}) {
		t.Error("it does not know which rows it has")
	}
	// A run of which nothing is left is not named.
	got = got.merge(session{Date: "later"}, []result{{Line: "killed, 100/1000"}, {Line: "calm, 1000/5000"}}, table)
	if len(got.Runs) != 2 || got.Runs[0].Number != 1 || got.Runs[1].Number != 3 {
		t.Errorf("%+v; want runs 1 and 3", got.Runs)
	}

	path := filepath.Join(t.TempDir(), "bench", "results.json")
	if none, err := readResults(path); err != nil || len(none.Results) != 0 {
		t.Errorf("%v, %v; want none", none, err)
	}
	if err := got.write(path); err != nil {
		t.Fatal(err)
	}
	back, err := readResults(path)
	if err != nil {
		t.Fatal(err)
	}
	if back.page(table, nil) != got.page(table, nil) {
		t.Error("what was kept makes another page")
	}
}

// The same results make the same bytes, and a chart of which nothing is left goes.
func TestDraw(t *testing.T) {
	table, all := sample()
	dir := t.TempDir()
	old := filepath.Join(dir, "start.svg")
	if err := os.WriteFile(old, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	read := func() (files [][]byte) {
		names, err := all.draw(dir, table)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Join(names, " ") != "gaps-100-1000 throughput" {
			t.Fatalf("drew %v", names)
		}
		for _, n := range names {
			raw, err := os.ReadFile(filepath.Join(dir, n+".svg"))
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, raw)
		}
		return files
	}
	first := read()
	for i, again := range read() {
		if !bytes.Equal(first[i], again) {
			t.Errorf("chart %d is another one the second time", i)
		}
	}
	if _, err := os.Stat(old); !os.IsNotExist(err) {
		t.Errorf("an old chart is still there: %v", err)
	}
	for i, want := range [][]string{{"killed", ours.name, stock.name}, {"puts, etcd-node", "puts, stock etcd", "clients"}} {
		for _, w := range want {
			if !bytes.Contains(first[i], []byte(w)) {
				t.Errorf("chart %d has no %q", i, w)
			}
		}
	}
}

// Lines are found by their names, and charts by theirs.
func TestTable(t *testing.T) {
	seen := map[string]bool{}
	for _, g := range groups(options{alone: time.Minute}) {
		for _, r := range g.rows {
			if len(r.figures) == 0 || (r.measure == nil) == (r.series == nil) {
				t.Errorf("%s: no figures, or not one way to measure them", r.title())
			}
			for _, f := range r.figures {
				if seen[r.line(f)] {
					t.Errorf("two lines are called %q", r.line(f))
				}
				seen[r.line(f)] = true
				if f.goal.words != "" && !f.goal.checked() {
					t.Errorf("%s: nothing checks the goal %q", r.line(f), f.goal.words)
				}
				known := f.chart.name == ""
				for _, k := range kinds {
					known = known || k.name == f.chart.name
				}
				if !known {
					t.Errorf("%s: there is no chart %q", r.line(f), f.chart.name)
				}
			}
		}
	}
}

// quoted is how documents quote a row: by the command that measures it.
var quoted = regexp.MustCompile("-run (?:\"([^\"]+)\"|'([^']+)'|([^\\s`\"')]+))")

// What the documents quote is measured: each -run of test/bench names a row.
func TestDocuments(t *testing.T) {
	root, err := lab.Root()
	if err != nil {
		t.Fatal(err)
	}
	var titles []string
	for _, g := range groups(options{alone: time.Minute}) {
		for _, r := range g.rows {
			titles = append(titles, r.title())
		}
	}
	var documents []string
	for _, pattern := range []string{"*.md", "docs/*.md"} {
		some, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		documents = append(documents, some...)
	}
	found := 0
	for _, path := range documents {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, span := range regexp.MustCompile("`[^`\n]+`").FindAllString(string(raw), -1) {
			// -ours too: failover.md says only that where it has said the rest.
			if !strings.Contains(span, "test/bench") && !strings.HasPrefix(span, "`-ours") {
				continue
			}
			for _, m := range quoted.FindAllStringSubmatch(span, -1) {
				found++
				// In a table a | is written \|.
				match, err := regexp.Compile(strings.ReplaceAll(m[1]+m[2]+m[3], `\|`, "|"))
				if err != nil {
					t.Errorf("%s: %s: %v", path, span, err)
					continue
				}
				named := false
				for _, title := range titles {
					named = named || match.MatchString(title)
				}
				if !named && m[3] != "REGEXP" {
					t.Errorf("%s: %s names no row", path, span)
				}
			}
		}
	}
	if found < 4 {
		t.Errorf("only %d rows are quoted: are they found?", found)
	}
}
