package cmdline

import (
	"regexp"
	_ "unsafe" // for go:linkname

	_ "go.etcd.io/etcd/server/v3/etcdmain"
)

//go:linkname flagsline go.etcd.io/etcd/server/v3/etcdmain.flagsline
var flagsline string

var helpLine = regexp.MustCompile(`(?m)^  --([a-z0-9-]+)(?: .*)?$`)

// Gone are flags that etcd's help still describes and that etcd itself no
// longer has.
var Gone = []string{"discovery", "discovery-proxy"}

// Help lists the names of the flags that `etcd --help` describes, in its order.
func Help() (names []string) {
	for _, m := range helpLine.FindAllStringSubmatch(flagsline, -1) {
		names = append(names, m[1])
	}
	return names
}
