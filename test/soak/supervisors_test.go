package main

import (
	"os"
	"strings"
	"testing"
	"time"
)

func TestLeak(t *testing.T) {
	u := usage{kib: 5 << 10, files: 10, goroutines: 8}
	for what, tc := range map[string]struct {
		last usage
		life time.Duration
		leak bool
	}{
		"flat":            {u, time.Hour, false},
		"breathes":        {usage{8 << 10, 12, 10}, time.Hour, false},
		"memory":          {usage{10 << 10, 10, 8}, time.Hour, true},
		"files":           {usage{5 << 10, 20, 8}, time.Hour, true},
		"goroutines":      {usage{5 << 10, 10, 18}, time.Hour, true},
		"too young":       {usage{10 << 10, 20, 18}, 30 * time.Second, false},
		"less than begun": {usage{1 << 10, 5, 5}, time.Hour, false},
	} {
		s := &supervisors{}
		s.add("etcd-1", 7, 0, u, zero)
		s.add("etcd-1", 7, 3, usage{100 << 10, 100, 100}, zero.Add(tc.life/2)) // a peak is no leak
		s.add("etcd-1", 7, 4, tc.last, zero.Add(tc.life))
		s.add("etcd-2", 7, 0, u, zero) // another host's process of the same number
		if len(s.lives) != 2 {
			t.Fatalf("%d lives, want 2", len(s.lives))
		}
		if got := s.lives[0].leak(); (got != "") != tc.leak {
			t.Errorf("%s: %q", what, got)
		}
		if l := s.longest(); l != s.lives[0] || l.max.files != 100 || l.restarts != 4 {
			t.Errorf("%s: the longest life is %+v", what, l)
		}
	}
}

func TestPrivate(t *testing.T) {
	if got := privateKiB(strings.NewReader("00400000-7ffd000 ---p 00000000 00:00 0 [rollup]\nRss: 30000 kB\nShared_Clean: 25000 kB\nPrivate_Clean:   1000 kB\nPrivate_Dirty:   3500 kB\nPrivate_Hugetlb:  7 kB\n")); got != 3500 {
		t.Errorf("got %d, want 3500", got)
	}
}

func TestProcessUsage(t *testing.T) {
	before, err := processUsage(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		f, err := os.Open("/dev/null")
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
	}
	after, err := processUsage(os.Getpid())
	if err != nil || after.files < before.files+20 || after.kib == 0 {
		t.Errorf("before %v, then %v, %v; want 20 files more", before, after, err)
	}
}
