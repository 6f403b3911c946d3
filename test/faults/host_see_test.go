package main

import (
	"testing"
	"time"
)

func TestClauses(t *testing.T) {
	const line = "serving: no leader, 1 of 3 members; missing etcd-1 (a: no answer; a firewall?), etcd-2 (b); the disk hangs"
	for _, tc := range []struct {
		texts []string
		want  string
	}{
		{[]string{"serving: "}, "serving: no leader, 1 of 3 members"},
		{[]string{"1 of 3", "missing "}, "serving: no leader, 1 of 3 members; missing etcd-1 (a: no answer; a firewall?), etcd-2 (b)"},
		{[]string{"hangs"}, "serving: … the disk hangs"},
	} {
		if got := clauses(line, tc.texts); got != tc.want {
			t.Errorf("clauses(%q) = %q, want %q", tc.texts, got, tc.want)
		}
	}
	if got := clauses("failed: it; next: (a; b)", []string{"failed: "}); got != "failed: it" {
		t.Error(got)
	}
}

func TestSecond(t *testing.T) {
	if got := second([]time.Duration{3, 1, 2}); got != 2 {
		t.Error(got)
	}
}
