package etcdflags

import (
	"flag"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/etcd-node/etcd-node/pkg/config/settings"
	"github.com/etcd-node/etcd-node/test/cmdline"
	"github.com/etcd-node/etcd-node/test/stock"
)

// TestTableIsEtcdmains holds the few flags that are named here against etcd's
// own main, for the next version of etcd.
func TestTableIsEtcdmains(t *testing.T) {
	if !slices.Equal(settings.Ignored, stock.Ignored()) {
		t.Errorf("ignored flags: %q, etcd has %q", settings.Ignored, stock.Ignored())
	}
	if !maps.Equal(settings.Deprecated, stock.Deprecated()) {
		t.Errorf("deprecated flags: %q, etcd has %q", settings.Deprecated, stock.Deprecated())
	}
	ours, theirs := make(map[string]string), make(map[string]string) // name → type and default
	New().VisitAll(func(f *flag.Flag) { ours[f.Name] = fmt.Sprintf("%T %s", f.Value, f.DefValue) })
	stock.Flags().VisitAll(func(f *flag.Flag) { theirs[f.Name] = fmt.Sprintf("%T %s", f.Value, f.DefValue) })
	if !maps.Equal(ours, theirs) {
		t.Errorf("flags here: %q\nin etcd: %q", slices.Sorted(maps.Keys(ours)), slices.Sorted(maps.Keys(theirs)))
	}
	envs := make(map[string]string)
	for name := range ours {
		if other, ok := envs[settings.Variable(name)]; ok {
			t.Errorf("--%s and --%s share %s", name, other, settings.Variable(name))
		}
		envs[settings.Variable(name)] = name
	}
}

// mainOnly are the flags that etcd describes elsewhere than among its flags.
var mainOnly = []string{"config-file", "version"}

// TestHelpIsTheTable: what etcd's help describes can be set here, and nothing
// else can.
func TestHelpIsTheTable(t *testing.T) {
	table, help := New(), cmdline.Help()
	if len(help) < 100 {
		t.Fatalf("only %d flags in etcd's help: %q", len(help), help)
	}
	for _, name := range help {
		if known := table.Lookup(name) != nil; known == slices.Contains(cmdline.Gone, name) {
			t.Errorf("--%s is in etcd's help; known here: %v", name, known)
		}
	}
	help = slices.Concat(help, settings.Ignored, mainOnly)
	for _, name := range table.Names() {
		if !slices.Contains(help, name) {
			t.Errorf("--%s is not in etcd's help", name)
		}
	}
}
