package etcdflags

import (
	"flag"
	"regexp"
	"testing"
)

// TestUnits: every whole number of etcd's that has a unit, by its name or its
// help, says so when it gets something else.
func TestUnits(t *testing.T) {
	unit := regexp.MustCompile(`bytes|seconds|unit is year`)
	New().VisitAll(func(f *flag.Flag) {
		kind, usage := flag.UnquoteUsage(f)
		want := (kind == "int" || kind == "uint") && unit.MatchString(f.Name+" "+usage)
		if want != (units[f.Name] != "") {
			t.Errorf("%s: unit %q: %s", f.Name, units[f.Name], usage)
		}
	})
}

func TestInUnit(t *testing.T) {
	for _, tc := range []struct{ value, unit, want string }{
		{"1s", "milliseconds", "write 1000"},
		{"1.5s", "milliseconds", "write 1500"},
		{"5m", "seconds", "write 300"},
		{"8G", "bytes", "write 8589934592"},
		{"8GiB", "bytes", "write 8589934592"},
		{"8GB", "bytes", "write 8000000000"},
		{"1.5m", "bytes", "write 1572864"},
		{"1GiB", "megabytes", "write 1024"},
		{"1500ms", "seconds", ""},
		{"1us", "milliseconds", ""},
		{"-1s", "milliseconds", ""},
		{"1.5", "bytes", ""},
		{"1 year", "years", ""},
		{"10k", "", ""},
		{"much", "bytes", ""},
		{"s", "seconds", ""},
		{"", "bytes", ""},
	} {
		if got := inUnit(tc.value, tc.unit); got != tc.want {
			t.Errorf("%s in %s: %q, want %q", tc.value, tc.unit, got, tc.want)
		}
	}
}
