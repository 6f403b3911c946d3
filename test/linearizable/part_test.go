package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// A run that has shown nothing is no success.
func TestVerdict(t *testing.T) {
	good := func() part {
		return part{Asked: 2, Losses: map[string]int{kill: 1, cable: 1}, Terms: 2, Operations: 100, Groups: 3}
	}
	for name, tc := range map[string]struct {
		spoil       func(p *part)
		interrupted bool
		want        string
	}{
		"good":               {func(*part) {}, false, ""},
		"fewer losses":       {func(p *part) { p.Asked = 3 }, false, "only 2 losses of 3"},
		"interrupted":        {func(p *part) { p.Asked = 3 }, true, ""},
		"no losses":          {func(p *part) { p.Losses, p.Terms = nil, 0 }, false, "only 0 losses of 2"},
		"none asked for":     {func(p *part) { p.Asked = 0 }, false, "no loss was asked for"},
		"no operations":      {func(p *part) { p.Operations = 0 }, true, "no operation"},
		"undecided":          {func(p *part) { p.Undecided = 1 }, true, "of 1 groups of keys it is not known"},
		"not linearizable":   {func(p *part) { p.Illegal = 1 }, true, "no order of events"},
		"too many elections": {func(p *part) { p.Terms = 3 }, false, "1.50 terms"},
	} {
		p := good()
		tc.spoil(&p)
		err := p.verdict(tc.interrupted)
		if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v; want %q", name, err, tc.want)
		}
	}
}

// Parts are kept one after the other, and a failed one fails their sum.
func TestSum(t *testing.T) {
	path := filepath.Join(t.TempDir(), "parts")
	if _, err := sum(path); err == nil {
		t.Error("a sum of nothing")
	}
	for range 2 {
		p := part{Asked: 2, Losses: map[string]int{kill: 1, cable: 1}, Terms: 2, Operations: 100, Groups: 3, Seconds: 90}
		if err := p.add(path); err != nil {
			t.Fatal(err)
		}
	}
	all, err := sum(path)
	if want := "4 losses (2 cable, 2 kill) in 3m0s; 1.00 terms a loss; 200 operations on 6 groups"; err != nil || !strings.HasPrefix(all.String(), want) {
		t.Errorf("%v, %v; want %s …", all, err, want)
	}
	if err := (part{Asked: 2, Error: "broken"}).add(path); err != nil {
		t.Fatal(err)
	}
	if _, err := sum(path); err == nil || !strings.Contains(err.Error(), ":3: broken") {
		t.Errorf("%v; want that the third part is broken", err)
	}
}

func TestVersionIn(t *testing.T) {
	if v := versionIn("etcd Version: 3.7.3\netcd-node Version: v1.2\n"); v != "v1.2" {
		t.Errorf("%q; want v1.2", v)
	}
}
