package main

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestTable(t *testing.T) {
	row := fault{name: "a|b", id: "killed", expected: "back", goal: time.Second}
	for name, tc := range map[string]struct {
		r     result
		line  string
		wrong bool
	}{
		"one":     {result{fault: row, seen: "serving\nx", took: []time.Duration{50 * time.Millisecond}}, `| a\|b | killed | back | serving x | < 1 | 0.05 |`, false},
		"several": {result{fault: row, seen: "serving", took: []time.Duration{3 * time.Second, 0, 200 * time.Millisecond, 100 * time.Millisecond}}, "| 0.15 (worst 3.00) |", false},
		"late":    {result{fault: row, seen: "serving", took: []time.Duration{12 * time.Second}}, "**not as expected:** serving, but after 12.0 s", true},
		"error":   {result{fault: row, seen: "serving", err: errors.New("lost")}, "**not as expected:** lost | < 1 | - |", true},
		"skipped": {result{fault: row, err: skip("no such device")}, "| - |", false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := tc.r.line(); !strings.Contains(got, tc.line) {
				t.Errorf("%q lacks %q", got, tc.line)
			}
			if err := verdict([]result{tc.r}); (err != nil) != tc.wrong {
				t.Error(err)
			}
		})
	}
}

func TestPage(t *testing.T) {
	row := fault{name: "killed", id: "killed", expected: "back", goal: time.Second}
	got := page("2026-01-02; v1; here", 3, []result{
		{fault: row, seen: "serving", took: []time.Duration{time.Millisecond}},
		{fault: fault{name: "EIO"}, err: skip("no device-mapper")},
	})
	for _, want := range []string{"(2026-01-02; v1; here)", "median and worst of 3", "\n1 rows.\n", "* EIO: no device-mapper\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("lacks %q:\n%s", want, got)
		}
	}
	if strings.Contains(got, "| EIO |") {
		t.Error("counts what was not played")
	}
}

func TestUpdate(t *testing.T) {
	one := result{fault: fault{name: "one", id: "x", goal: time.Second}, seen: "a", took: []time.Duration{time.Millisecond}}
	two := result{fault: fault{name: "two", id: "x", goal: time.Second}, seen: "b", took: []time.Duration{time.Millisecond}}
	before := page("about", 1, []result{one, two})
	order := []fault{one.fault, {name: "between"}, two.fault, {name: "last"}}
	two.seen = "c"
	got, err := update(before, []result{two}, order)
	if want := page("about", 1, []result{one, two}); err != nil || got != want {
		t.Errorf("got %v\n%s\nwant\n%s", err, got, want)
	}
	between, last := one, one
	between.name, last.name = "between", "last"
	got, err = update(before, []result{last, between, two}, order)
	if want := page("about", 1, []result{one, between, two, last}); err != nil || got != want {
		t.Errorf("got %v\n%s\nwant\n%s", err, got, want)
	}
	got, err = update(page("about", 1, []result{one, {fault: fault{name: "no more"}, seen: "d"}, two}), nil, order)
	if want := page("about", 1, []result{one, two}); err != nil || got != want {
		t.Errorf("got %v\n%s\nwant\n%s", err, got, want)
	}
	two.name = "three"
	if _, err := update(before, []result{two}, order); err == nil {
		t.Error("a row came out of nothing")
	}
}
