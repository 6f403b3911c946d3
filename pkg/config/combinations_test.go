package config

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/etcd-node/etcd-node/pkg/config/settings"
	"github.com/etcd-node/etcd-node/test/cmdline"
	"github.com/etcd-node/etcd-node/test/stock"
)

// TestRandomCombinations: whatever settings meet, in whichever spelling, etcd's
// own main and the whole way through Load, Resolve, argv and etcdflags.Member come to the
// same configuration, or both refuse. A seed makes a failure come back:
// -run 'TestRandomCombinations/17$'.
func TestRandomCombinations(t *testing.T) {
	accepted, covered := 0, make(map[string]bool)
	for seed := range 400 {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			line := cmdline.Random(rand.New(rand.NewPCG(uint64(seed), 0)), false)
			line.Args = append(line.Args, "--log-outputs=/dev/null")
			line.Environ = slices.DeleteFunc(line.Environ, func(kv string) bool { return strings.HasPrefix(kv, "ETCD_LOG_OUTPUTS=") })
			for _, kv := range line.Environ {
				name, value, _ := strings.Cut(kv, "=")
				t.Setenv(name, value)
			}
			want, refused := stock.Config(line.Args)
			wantTimeouts := stock.RaftTimeouts()
			for _, kv := range line.Environ { // t.Setenv restores them
				name, _, _ := strings.Cut(kv, "=")
				os.Unsetenv(name)
			}
			if refused != nil {
				if _, err := Load(Input{Args: line.Args, Environ: line.Environ}); err == nil {
					t.Errorf("accepted, etcd: %v\n%q", refused, line)
				}
				return
			}
			got := throughUs(t, line.Args, line.Environ)
			if diff := stock.Differences(got, want); len(diff) > 0 {
				t.Errorf("differs from etcd's own: %s\n%q", strings.Join(diff, "\n"), line)
			}
			if got := stock.RaftTimeouts(); got != wantTimeouts {
				t.Errorf("raft timeouts %v, want %v\n%q", got, wantTimeouts, line)
			}
			for _, p := range problems(t, line) {
				if !onPurpose.MatchString(p.What) {
					t.Errorf("etcd reads it, and here it is refused: %v\n%q", p.Error(), line)
				}
			}
			accepted++
			for name := range got.FlagsExplicitlySet {
				covered[name] = true
			}
		})
	}
	if accepted < 100 {
		t.Errorf("only %d combinations that etcd accepts", accepted)
	}
	for _, name := range cmdline.Help() {
		if !covered[name] && !slices.Contains(cmdline.Gone, name) {
			t.Errorf("--%s was in no combination that etcd accepts", name)
		}
	}
}

// onPurpose is what is refused although etcd reads it: it could not start with
// it, or nobody could connect to it, or it is a slip of the pen.
var onPurpose = regexp.MustCompile("^(" + strings.Join([]string{
	"a certificate without a key", "a key without a certificate", ".* does not fit .*",
	"(?:https|unixs)://\\S+ needs a certificate, and none is set", "\\S+ (?:and \\S+ cannot both be listened on|cannot be listened on for two purposes): it is one port",
	".* is not for \\S+, under which others connect to this member; .*",
	`"'quoted'" holds a quote`, `"(?:a b|b,a|c=d)" holds a blank, "," or "="`,
}, "|") + ")$")

// problems are the problems that a start would end with.
func problems(t *testing.T, line cmdline.Line) []settings.Problem {
	_, err := Load(Input{Args: line.Args, Environ: line.Environ, Host: goodHost()})
	var invalid *settings.Invalid
	if err != nil && !errors.As(err, &invalid) {
		t.Errorf("%v\n%q", err, line)
	}
	if invalid == nil {
		return nil
	}
	return invalid.Problems
}
