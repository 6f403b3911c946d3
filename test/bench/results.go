package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// result is what came of a figure.
type result struct {
	Line   string     `json:"line"`
	Unit   unit       `json:"unit"`
	Goal   string     `json:"goal,omitempty"`
	Run    int        `json:"run"`                  // which of the runs measured it
	Load   [2]float64 `json:"load"`                 // lowest and highest load average at the beginning of a measurement
	Ours   []float64  `json:"etcd-node,omitempty"`  // in base units, in the order of the measurements
	Others []float64  `json:"stock etcd,omitempty"` // each beside ours
	Wrong  string     `json:"wrong,omitempty"`      // what ended the measuring early
}

// session is a run of this program.
type session struct {
	Number  int    `json:"number"`
	Date    string `json:"date"`
	Machine string `json:"machine"`
	Ours    string `json:"etcd-node"`
	Stock   string `json:"stock etcd"`
	Command string `json:"command"`
}

// results is what is kept of all runs.
type results struct {
	Runs    []session `json:"runs"`
	Results []result  `json:"results"`
}

// readResults reads them; there may be none yet.
func readResults(path string) (all results, err error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return all, nil
	} else if err != nil {
		return all, err
	}
	if err := json.Unmarshal(raw, &all); err != nil {
		return all, fmt.Errorf("%s: %w", path, err)
	}
	return all, nil
}

func (all results) write(path string) error {
	raw, err := json.MarshalIndent(all, "", " ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, append(raw, '\n'), 0o644)
}

// merge puts the results of a run in the place of older ones, or adds them, in the
// order of the table. What is no row any more goes, and so does a run of which
// nothing is left. The run gets the next number.
func (all results) merge(now session, fresh []result, table []group) results {
	for _, r := range all.Runs {
		now.Number = max(now.Number, r.Number)
	}
	now.Number++
	if i := slices.IndexFunc(all.Runs, func(r session) bool { return r.Date == now.Date && r.Command == now.Command }); i >= 0 {
		now.Number = all.Runs[i].Number // the same one, further on
	}
	by := map[string]result{}
	for _, r := range all.Results {
		by[r.Line] = r
	}
	for _, r := range fresh {
		r.Run = now.Number
		by[r.Line] = r
	}
	var merged results
	used := map[int]bool{}
	for _, g := range table {
		for _, r := range g.rows {
			for _, f := range r.figures {
				if got, ok := by[r.line(f)]; ok {
					merged.Results = append(merged.Results, got)
					used[got.Run] = true
				}
			}
		}
	}
	for _, r := range append(slices.DeleteFunc(slices.Clone(all.Runs), func(r session) bool { return r.Number == now.Number }), now) {
		if used[r.Number] {
			merged.Runs = append(merged.Runs, r)
		}
	}
	slices.SortFunc(merged.Runs, func(a, b session) int { return a.Number - b.Number })
	return merged
}

// of is the result of a line.
func (all results) of(line string) (result, bool) {
	i := slices.IndexFunc(all.Results, func(r result) bool { return r.Line == line })
	if i < 0 {
		return result{}, false
	}
	return all.Results[i], true
}

// have reports whether there are results of the row, and nothing ended it early.
func (all results) have(r row) bool {
	for _, f := range r.figures {
		if got, ok := all.of(r.line(f)); !ok || got.Wrong != "" {
			return false
		}
	}
	return true
}
