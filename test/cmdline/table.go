package cmdline

import (
	"flag"
	"sync"

	"go.etcd.io/etcd/server/v3/embed"
)

// flagTable is the part of etcd's flag table that embed exports.
var flagTable = sync.OnceValue(func() *flag.FlagSet {
	fs := flag.NewFlagSet("etcd", flag.ContinueOnError)
	embed.NewConfig().AddFlags(fs)
	return fs
})

var boolFlags = sync.OnceValue(func() (names []string) {
	flagTable().VisitAll(func(f *flag.Flag) {
		if b, ok := f.Value.(interface{ IsBoolFlag() bool }); ok && b.IsBoolFlag() {
			names = append(names, f.Name)
		}
	})
	return names
})
