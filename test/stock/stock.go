// Package stock is etcd's own main, as far as it reads its configuration: the
// oracle of tests that compare etcd-node with etcd. etcd does not export it.
package stock

import (
	"flag"
	"fmt"
	"reflect"
	"time"
	"unsafe" // also for go:linkname

	"go.etcd.io/etcd/pkg/v3/featuregate"
	"go.etcd.io/etcd/server/v3/embed"
	_ "go.etcd.io/etcd/server/v3/etcdmain"
	"go.etcd.io/etcd/server/v3/etcdserver/api/rafthttp"
)

// config is how etcdmain's config begins.
type config struct {
	ec      embed.Config
	flagSet *flag.FlagSet
}

//go:linkname newConfig go.etcd.io/etcd/server/v3/etcdmain.newConfig
func newConfig() unsafe.Pointer

//go:linkname parse go.etcd.io/etcd/server/v3/etcdmain.(*config).parse
func parse(c unsafe.Pointer, args []string) error

//go:linkname ignored go.etcd.io/etcd/server/v3/etcdmain.ignored
var ignored []string

// Ignored are the flags that etcd accepts and passes over.
func Ignored() []string { return ignored }

//go:linkname deprecatedFlags go.etcd.io/etcd/server/v3/etcdmain.deprecatedFlags
var deprecatedFlags map[string]string

// Deprecated are the flags of which etcd warns, and its words.
func Deprecated() map[string]string { return deprecatedFlags }

// Flags is etcd's flag table.
func Flags() *flag.FlagSet { return (*config)(newConfig()).flagSet }

// Config is what etcd makes of a command line and of the process's environment.
// It ends the process on a flag that does not parse.
func Config(args []string) (*embed.Config, error) {
	p := newConfig()
	c := &(*config)(p).ec
	defaultCluster := c.InitialCluster
	if err := parse(p, args); err != nil {
		return nil, err
	}
	_, _ = c.UpdateDefaultClusterFromName(defaultCluster)
	if c.Dir == "" {
		c.Dir = c.Name + ".etcd"
	}
	return c, nil
}

// Timeouts are the two settings that are package variables.
type Timeouts struct{ Read, Write time.Duration }

// RaftTimeouts are those of the last flag table that was made.
func RaftTimeouts() Timeouts { return Timeouts{rafthttp.ConnReadTimeout, rafthttp.ConnWriteTimeout} }

// Differences compares two configurations field by field.
func Differences(got, want *embed.Config) (diff []string) {
	for _, c := range []*embed.Config{got, want} {
		c.ClientTLSInfo.HandshakeFailure, c.PeerTLSInfo.HandshakeFailure = nil, nil // funcs, set by Validate
	}
	g, w := reflect.ValueOf(*got), reflect.ValueOf(*want)
	for _, f := range reflect.VisibleFields(g.Type()) {
		if !f.IsExported() || f.Name == "ZapLoggerBuilder" {
			continue
		}
		a, b := g.FieldByIndex(f.Index).Interface(), w.FieldByIndex(f.Index).Interface()
		if fg, ok := a.(featuregate.MutableFeatureGate); ok {
			a, b = gates(fg), gates(b.(featuregate.MutableFeatureGate))
		}
		if !reflect.DeepEqual(a, b) {
			diff = append(diff, fmt.Sprintf("%s: %v, want %v", f.Name, a, b))
		}
	}
	return diff
}

func gates(fg featuregate.MutableFeatureGate) map[string]bool {
	on := make(map[string]bool)
	for name := range fg.GetAll() {
		on[string(name)] = fg.Enabled(name)
	}
	return on
}

// Samples are values, not the defaults, for the flags of strings that etcd checks.
var Samples = map[string]string{
	"initial-cluster":             "m1=http://127.0.0.1:12380,m2=http://127.0.0.2:12380",
	"logger":                      "zap",
	"log-level":                   "warn",
	"log-format":                  "console",
	"auto-compaction-mode":        "revision",
	"auto-compaction-retention":   "1000",
	"tls-min-version":             "TLS1.3",
	"tls-max-version":             "TLS1.3",
	"feature-gates":               "InitialCorruptCheck=true,FastLeaseKeepAlive=false",
	"discovery-fallback":          "exit",
	"discovery-user":              "root:s3cret",
	"backend-bbolt-freelist-type": "array",
	"log-rotation-config-json":    `{"maxsize": 1}`,
	"cors":                        "http://a.example:80,http://b.example:81",
	"enable-log-rotation":         "true",
	"cipher-suites":               "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
}
