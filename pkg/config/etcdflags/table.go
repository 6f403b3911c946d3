package etcdflags

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"go.etcd.io/etcd/client/pkg/v3/types"
	"go.etcd.io/etcd/pkg/v3/featuregate"
	"go.etcd.io/etcd/pkg/v3/flags"
	cconfig "go.etcd.io/etcd/server/v3/config"
	"go.etcd.io/etcd/server/v3/embed"
	"go.etcd.io/etcd/server/v3/etcdserver/api/rafthttp"

	"github.com/etcd-node/etcd-node/pkg/config/settings"
)

// Table is etcd's flag table, bound to the embed.Config that it fills. It is
// the only list of etcd's settings there is: parsing, the environment's names,
// the member's argv and the tests all walk it.
//
// raft-read-timeout and raft-write-timeout are bound to variables of package
// rafthttp, which a new table sets to their defaults. So two tables are never
// used at the same time, and the last one made is the one that counts.
type Table struct {
	*flag.FlagSet
	ec *embed.Config

	Version bool // --version was given

	configFile    string
	fallback      *flags.SelectiveStringValue
	clusterState  *flags.SelectiveStringValue
	v2Deprecation *flags.SelectiveStringsValue
}

// New builds the table as etcd's own main does: what embed has, and the few
// that only its main has.
func New() *Table {
	t := &Table{
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
	t.BoolVar(&t.Version, "version", false, "Print the version and exit.")
	for _, name := range settings.Ignored {
		t.Var(&flags.IgnoredFlag{Name: name}, name, "")
	}
	return t
}

const fallbackProxy = "proxy" // a discovery-fallback that etcd knows in order to refuse it

// Names are those of all flags, in order.
func (t *Table) Names() (names []string) {
	t.VisitAll(func(f *flag.Flag) { names = append(names, f.Name) })
	return names
}

// Merges reports whether a flag that is given twice adds to what it was given
// before. Of every other flag the last one counts.
func Merges(f *flag.Flag) bool {
	_, ok := f.Value.(featuregate.FeatureGate)
	return ok
}

// IsIgnored reports whether etcd accepts a flag and passes over it.
func IsIgnored(f *flag.Flag) bool {
	_, ok := f.Value.(*flags.IgnoredFlag)
	return ok
}

// IsBool reports whether a flag needs no value.
func IsBool(f *flag.Flag) bool {
	b, ok := f.Value.(interface{ IsBoolFlag() bool })
	return ok && b.IsBoolFlag()
}

// IsURLs reports whether a flag takes URLs.
func IsURLs(f *flag.Flag) bool {
	_, ok := f.Value.(*flags.UniqueURLs)
	return ok
}

// Set gives f a value. The error says what f takes, and of every URL in a list
// what is wrong with it. It refuses the log settings on which etcd panics.
func Set(f *flag.Flag, value string) error {
	err := f.Value.Set(value)
	switch w := wanted(f); {
	case err == nil:
		return checkLog(f.Name, value)
	case IsURLs(f):
		return wrongURLs(value)
	case w != "":
		return errors.New("want " + w)
	}
	return err
}

// wanted describes the values that f takes, for the error of one that it does
// not; "" where its own error says enough.
func wanted(f *flag.Flag) string {
	if v, ok := f.Value.(interface{ Valids() []string }); ok {
		return "one of " + strings.Join(v.Valids(), ", ")
	}
	if IsBool(f) {
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

// wrongURLs says of every URL in a list what etcd has against it; etcd itself
// stops at the first.
func wrongURLs(list string) error {
	var wrong []string
	for u := range strings.SplitSeq(list, ",") {
		if _, err := types.NewURLs([]string{u}); err != nil {
			wrong = append(wrong, err.Error())
		}
	}
	return errors.New(strings.Join(wrong, "; "))
}

// Raised says, in the words of etcd's main, which of the table's values it
// raises to its minimum.
func (t *Table) Raised() (notices []string) {
	const text = "%s increased to minimum value: %v"
	if rafthttp.ConnReadTimeout < rafthttp.DefaultConnReadTimeout {
		notices = append(notices, fmt.Sprintf(text, "raft-read-timeout", rafthttp.DefaultConnReadTimeout))
	}
	if rafthttp.ConnWriteTimeout < rafthttp.DefaultConnWriteTimeout {
		notices = append(notices, fmt.Sprintf(text, "raft-write-timeout", rafthttp.DefaultConnWriteTimeout))
	}
	return notices
}
