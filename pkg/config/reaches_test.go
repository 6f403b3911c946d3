package config

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.etcd.io/etcd/pkg/v3/flags"
	"go.etcd.io/etcd/server/v3/embed"

	"github.com/etcd-node/etcd-node/pkg/config/etcdflags"
	"github.com/etcd-node/etcd-node/pkg/config/settings"
	"github.com/etcd-node/etcd-node/pkg/netdetect"
	"github.com/etcd-node/etcd-node/test/stock"
)

// base sets name and URLs, so that nothing is derived and etcd's own main can
// be compared with.
var base = []string{
	"--name=m1", "--log-outputs=/dev/null",
	"--listen-peer-urls=http://127.0.0.1:12380", "--initial-advertise-peer-urls=http://127.0.0.1:12380",
	"--listen-client-urls=http://127.0.0.1:12379", "--advertise-client-urls=http://127.0.0.1:12379",
}

// companions are flags without which etcd refuses a setting.
var companions = map[string][]string{
	"discovery-endpoints": {"--discovery-token=t"},
	"discovery-token":     {"--discovery-endpoints=http://127.0.0.1:1"},
	"election-timeout":    {"--heartbeat-interval=100"},
	"heartbeat-interval":  {"--election-timeout=10000"},

	"cert-file":             {"--key-file=/some/key"},
	"key-file":              {"--cert-file=/some/cert"},
	"client-cert-file":      {"--client-key-file=/some/key"},
	"client-key-file":       {"--client-cert-file=/some/cert"},
	"peer-cert-file":        {"--peer-key-file=/some/key"},
	"peer-key-file":         {"--peer-cert-file=/some/cert"},
	"peer-client-cert-file": {"--peer-client-key-file=/some/key"},
	"peer-client-key-file":  {"--peer-client-cert-file=/some/cert"},
}

// without are the flags that reach no field: etcd accepts and ignores them.
var without = []string{"discovery-fallback", "v2-deprecation", "logger"}

// sample is a value of f that etcd takes and that is not its default.
func sample(f *flag.Flag) string {
	if v, ok := stock.Samples[f.Name]; ok {
		return v
	}
	if etcdflags.IsBool(f) {
		return strconv.FormatBool(f.DefValue != "true")
	}
	switch v := f.Value.(type) {
	case *flags.UniqueURLs:
		return "http://127.0.0.1:22379,http://127.0.0.1:22380"
	case *flags.UniqueStringsValue:
		if f.Name == "log-outputs" {
			return "/dev/null,stdout"
		}
		return "b.example,a.example"
	case *flags.StringsValue:
		return "b,a"
	case interface{ Valids() []string }:
		return v.Valids()[0]
	}
	if n, err := strconv.Atoi(f.DefValue); err == nil {
		return strconv.Itoa(n ^ 1<<6)
	}
	if d, err := time.ParseDuration(f.DefValue); err == nil {
		return (d + 77*time.Second).String()
	}
	return "/some/" + f.Name
}

// noFind fails a test in which nothing is to be detected.
func noFind(t *testing.T) func(context.Context, netdetect.Request) (netdetect.Result, error) {
	return func(_ context.Context, req netdetect.Request) (netdetect.Result, error) {
		t.Errorf("detection was asked for %+v", req)
		return netdetect.Result{}, &netdetect.Refusal{Reason: "no detection in this test"}
	}
}

// throughUs goes the whole way from what was written to the member's
// embed.Config.
func throughUs(t *testing.T, args, environ []string) *embed.Config {
	t.Helper()
	l, err := Load(Input{Args: args, Environ: environ, Host: goodHost(), readOnly: true})
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	r, err := l.Resolve(t.Context(), noFind(t))
	if err != nil {
		t.Fatalf("Resolve: %v", err)
	}
	for name, value := range r.Secrets() {
		if slices.ContainsFunc(r.Args(), func(a string) bool { return strings.Contains(a, name) || strings.Contains(a, value) }) {
			t.Errorf("argv holds the secret %s: %q", name, r.Args())
		}
	}
	c, err := etcdflags.Member(r.Args(), r.Secrets())
	if err != nil {
		t.Fatalf("Member(%q): %v", r.Args(), err)
	}
	return c
}

// TestEverySettingReachesEtcd walks the table: each setting, from a flag and
// from a variable, through Load, Resolve, argv and Member, must give what
// etcd's own main makes of the same.
func TestEverySettingReachesEtcd(t *testing.T) {
	plainStock, err := stock.Config(base)
	if err != nil {
		t.Fatal(err)
	}
	plainTimeouts := stock.RaftTimeouts()
	etcdflags.New().VisitAll(func(f *flag.Flag) {
		if f.Name == "version" || f.Name == "config-file" || strings.HasPrefix(f.Name, "test.") {
			return // TestVersionAndHelp, TestConfigFile; a variable cannot have a dot
		}
		value := sample(f)
		if value == f.DefValue && !slices.Contains(without, f.Name) {
			t.Errorf("--%s: the sample is the default", f.Name)
		}
		more := slices.Concat(base, companions[f.Name])
		if f.Name == "enable-log-rotation" {
			more = append(more, "--log-outputs="+filepath.Join(t.TempDir(), "etcd.log"))
		}
		others := slices.DeleteFunc(slices.Clone(more), func(a string) bool { return strings.HasPrefix(a, "--"+f.Name+"=") })
		check := func(t *testing.T, got, want *embed.Config, gotTimeouts, wantTimeouts stock.Timeouts) {
			if diff := stock.Differences(got, want); len(diff) > 0 {
				t.Errorf("differs from etcd's own: %s", strings.Join(diff, "\n"))
			}
			if gotTimeouts != wantTimeouts {
				t.Errorf("raft timeouts %v, want %v", gotTimeouts, wantTimeouts)
			}
			if etcdflags.IsIgnored(f) || slices.Contains(without, f.Name) {
				return
			}
			reached := slices.DeleteFunc(stock.Differences(got, plainStock), func(d string) bool { return strings.HasPrefix(d, "FlagsExplicitlySet") })
			if len(reached) == 0 && gotTimeouts == plainTimeouts {
				t.Errorf("--%s=%s reached no field", f.Name, value)
			}
		}
		t.Run("flag/"+f.Name, func(t *testing.T) {
			args := append(slices.Clone(more), "--"+f.Name+"="+value)
			want, err := stock.Config(args)
			if err != nil {
				t.Fatal(err)
			}
			wantTimeouts := stock.RaftTimeouts()
			check(t, throughUs(t, args, nil), want, stock.RaftTimeouts(), wantTimeouts)
		})
		t.Run("variable/"+f.Name, func(t *testing.T) {
			t.Setenv(settings.Variable(f.Name), value)
			want, err := stock.Config(others)
			if err != nil {
				t.Fatal(err)
			}
			wantTimeouts := stock.RaftTimeouts()
			os.Unsetenv(settings.Variable(f.Name)) // t.Setenv restores it
			got := throughUs(t, others, []string{settings.Variable(f.Name) + "=" + value})
			check(t, got, want, stock.RaftTimeouts(), wantTimeouts)
		})
	})
}

// TestRaftTimeoutsHaveAMinimum, as in etcd's own main.
func TestRaftTimeoutsHaveAMinimum(t *testing.T) {
	args := append(slices.Clone(base), "--raft-read-timeout=1s", "--raft-write-timeout=2s")
	if _, err := stock.Config(args); err != nil {
		t.Fatal(err)
	}
	want := stock.RaftTimeouts()
	throughUs(t, args, nil)
	if got := stock.RaftTimeouts(); got != want || got.Read != 5*time.Second {
		t.Errorf("%v, want %v", got, want)
	}
}
