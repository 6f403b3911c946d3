package config

import (
	"flag"
	"fmt"
	"io"
	"strings"

	"go.etcd.io/etcd/pkg/v3/featuregate"
	"go.etcd.io/etcd/pkg/v3/flags"
	cconfig "go.etcd.io/etcd/server/v3/config"
	"go.etcd.io/etcd/server/v3/embed"
)

// table is etcd's flag table, bound to the embed.Config that it fills. It is
// the only list of etcd's settings there is: parsing, the environment's names,
// the member's argv and the tests all walk it.
//
// raft-read-timeout and raft-write-timeout are bound to variables of package
// rafthttp, which a new table sets to their defaults. So two tables are never
// used at the same time, and the last one made is the one that counts.
type table struct {
	*flag.FlagSet
	ec *embed.Config

	configFile    string
	version       bool
	fallback      *flags.SelectiveStringValue
	clusterState  *flags.SelectiveStringValue
	v2Deprecation *flags.SelectiveStringsValue
}

// newTable builds the table as etcd's own main does: what embed has, and the
// few that only its main has.
func newTable() *table {
	t := &table{
		FlagSet:      flag.NewFlagSet("etcd", flag.ContinueOnError),
		ec:           embed.NewConfig(),
		fallback:     flags.NewSelectiveStringValue("exit", fallbackProxy),
		clusterState: flags.NewSelectiveStringValue(embed.ClusterStateFlagNew, embed.ClusterStateFlagExisting),
		v2Deprecation: flags.NewSelectiveStringsValue(
			string(cconfig.V2Depr1WriteOnly),
			string(cconfig.V2Depr1WriteOnlySkipCheck),
			string(cconfig.V2Depr1WriteOnlyDrop),
			string(cconfig.V2Depr2Gone)),
	}
	t.SetOutput(io.Discard) // errors are returned, not printed
	t.ec.AddFlags(t.FlagSet)
	t.StringVar(&t.configFile, "config-file", "", "Path to the server configuration file. It alone counts: all other flags and variables are ignored.")
	t.Var(t.fallback, "discovery-fallback", fmt.Sprintf("Valid values include %q", t.fallback.Valids()))
	t.Var(t.clusterState, "initial-cluster-state", "Initial cluster state ('new' when bootstrapping a new cluster or 'existing' when adding new members to an existing cluster).")
	t.Var(t.v2Deprecation, "v2-deprecation", "Deprecated and scheduled for removal in v3.8. The default value is enforced, ignoring user input.")
	t.BoolVar(&t.version, "version", false, "Print the version and exit.")
	for _, name := range ignored {
		t.Var(&flags.IgnoredFlag{Name: name}, name, "")
	}
	return t
}

const fallbackProxy = "proxy" // a discovery-fallback that etcd knows in order to refuse it

// ignored are the flags that etcd's main accepts and passes over.
// TestTableIsEtcdmains holds this list against etcd's.
var ignored = []string{
	"cluster-active-size", "cluster-remove-delay", "cluster-sync-interval", "config", "force",
	"max-result-buffer", "max-retry-attempts", "peer-heartbeat-interval", "peer-election-timeout",
	"retry-interval", "snapshot", "v", "vv", "test.coverprofile", "test.outputdir",
}

// envName is the name of the variable that sets a flag, "ETCD_INITIAL_CLUSTER".
func envName(flagName string) string { return flags.FlagToEnv("ETCD", flagName) }

// flagName is the flag that a variable sets, if there is one.
func flagName(envName string) string {
	return strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(envName, "ETCD_"), "_", "-"))
}

// merges reports whether a flag that is given twice adds to what it was given
// before. Of every other flag the last one counts.
func merges(f *flag.Flag) bool {
	_, ok := f.Value.(featuregate.FeatureGate)
	return ok
}

func isIgnored(f *flag.Flag) bool {
	_, ok := f.Value.(*flags.IgnoredFlag)
	return ok
}

func isBool(f *flag.Flag) bool {
	b, ok := f.Value.(interface{ IsBoolFlag() bool })
	return ok && b.IsBoolFlag()
}

func isURLs(f *flag.Flag) bool {
	_, ok := f.Value.(*flags.UniqueURLs)
	return ok
}

// wanted describes the values that f takes, for the error of one that it does
// not; "" where its own error says enough.
func wanted(f *flag.Flag) string {
	if v, ok := f.Value.(interface{ Valids() []string }); ok {
		return "one of " + strings.Join(v.Valids(), ", ")
	}
	if isBool(f) {
		return "true or false"
	}
	switch kind, _ := flag.UnquoteUsage(f); kind {
	case "duration":
		return "a duration with its unit, such as 300ms or 5s"
	case "int", "uint":
		if unit := units[f.Name]; unit != "" {
			return "a whole number of " + unit
		}
		return "a whole number"
	}
	return ""
}

// secret reports whether a setting is kept out of argv and of everything that
// is printed.
func secret(flagName, value string) bool {
	switch flagName {
	case "discovery-password":
		return true
	case "discovery-user": // "user:password"
		return strings.Contains(value, ":")
	}
	return false
}

// names are those of all flags, in order.
func (t *table) names() (names []string) {
	t.VisitAll(func(f *flag.Flag) { names = append(names, f.Name) })
	return names
}
