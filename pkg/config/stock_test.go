package config

import (
	"flag"
	"unsafe" // also for go:linkname

	"go.etcd.io/etcd/server/v3/embed"
	_ "go.etcd.io/etcd/server/v3/etcdmain"
)

// The oracle of these tests is etcd's own main: its flag table and its steps
// after parsing, which it does not export.

// stockConfig is how etcdmain's config begins.
type stockConfig struct {
	ec      embed.Config
	flagSet *flag.FlagSet
}

//go:linkname stockNew go.etcd.io/etcd/server/v3/etcdmain.newConfig
func stockNew() unsafe.Pointer

//go:linkname stockParse go.etcd.io/etcd/server/v3/etcdmain.(*config).parse
func stockParse(c unsafe.Pointer, args []string) error

//go:linkname stockIgnored go.etcd.io/etcd/server/v3/etcdmain.ignored
var stockIgnored []string

// stock is what etcd makes of a command line and of the process environment.
// It ends the process on a flag that does not parse.
func stock(args []string) (*embed.Config, error) {
	p := stockNew()
	c := &(*stockConfig)(p).ec
	defaultCluster := c.InitialCluster
	if err := stockParse(p, args); err != nil {
		return nil, err
	}
	_, _ = c.UpdateDefaultClusterFromName(defaultCluster)
	if c.Dir == "" {
		c.Dir = c.Name + ".etcd"
	}
	return c, nil
}
