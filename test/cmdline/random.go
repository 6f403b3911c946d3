package cmdline

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.etcd.io/etcd/pkg/v3/featuregate"
	"go.etcd.io/etcd/server/v3/features"
)

// Line is a command line of etcd and what its environment adds.
type Line struct {
	Args    []string
	Environ []string // NAME=VALUE
}

// Random rolls some settings of etcd, each as a flag in one of its spellings
// or as a variable, some flags twice.
//
// With startable, a server that is given them gets so far that it logs its
// configuration: every address is one that it can listen on, no file is
// needed, and the log stays as it is.
func Random(r *rand.Rand, startable bool) (l Line) {
	d := dice{r, startable}
	for _, s := range d.settings() {
		switch k := r.IntN(5); {
		case k == 0:
			l.Environ = append(l.Environ, "ETCD_"+strings.ToUpper(strings.ReplaceAll(s.name, "-", "_"))+"="+s.value)
		case k == 1 && !s.isBool: // a boolean takes no value as the next argument
			l.Args = append(l.Args, "--"+s.name, s.value)
		case k == 2:
			l.Args = append(l.Args, "-"+s.name+"="+s.value)
		case k == 3 && !adds(s.name):
			l.Args = append(l.Args, "--"+s.name+"="+d.value(s.name), "--"+s.name+"="+s.value)
		default:
			l.Args = append(l.Args, "--"+s.name+"="+s.value)
		}
	}
	return l
}

const gates = "feature-gates"

// adds reports whether of a flag that is given twice the first counts too. Of
// the gates each does. etcd's lists of URLs keep the first where the second is
// one of the first's URLs alone, which is an oversight that etcd-node does not
// share: there the last wins.
func adds(name string) bool {
	return name == gates || name == "cors" || strings.HasSuffix(name, "-urls")
}

type setting struct {
	name, value string
	isBool      bool
}

// dice roll values of settings.
type dice struct {
	*rand.Rand
	startable bool
}

// unstartable are settings with which a server does not come to log its
// configuration, or logs it elsewhere.
var unstartable = []string{
	"log-level", "log-format", "log-outputs", "logger", "enable-log-rotation",
	"memory-mlock",               // not every user may
	"enable-distributed-tracing", // wants a collector
	"data-dir", "wal-dir",        // the caller's
	"auto-tls", "peer-auto-tls", // makes keys, which takes its time
	"client-cert-auth", "peer-client-cert-auth", // wants a CA
}

func (d dice) settings() (list []setting) {
	add := func(name, value string) { list = append(list, setting{name: name, value: value}) }
	if d.startable || d.IntN(4) > 0 { // else little more than etcd's defaults
		name, urls := "m"+strconv.Itoa(d.IntN(100)), d.reachable()
		add("name", name)
		add("listen-peer-urls", d.urls())
		add("listen-client-urls", d.urls())
		add("initial-advertise-peer-urls", urls)
		add("advertise-client-urls", d.reachable())
		switch how := d.IntN(8); {
		case how == 0 && !d.startable:
			add("discovery-endpoints", "http://127.0.0.1:1,http://127.0.0.1:2")
			add("discovery-token", "t")
		case how == 1 && !d.startable:
			add("discovery-srv", "lab.example")
			add("discovery-srv-name", "x")
		default:
			add("initial-cluster", initialCluster(name, urls))
		}
	}
	given := []string{"initial-cluster", "discovery-endpoints", "discovery-token", "discovery-srv", "discovery-srv-name"}
	for _, s := range list {
		given = append(given, s.name)
	}
	bools := boolFlags()
	for _, name := range Help() {
		isBool := slices.Contains(bools, name)
		skip := slices.Contains(slices.Concat(given, Gone), name) || d.startable && (slices.Contains(unstartable, name) || strings.HasSuffix(name, "-file"))
		// A quarter of some hundred: enough for settings to meet, few enough for most to go together.
		if !skip && d.IntN(4) == 0 {
			list = append(list, setting{name, d.value(name), isBool})
		}
	}
	d.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list
}

// initialCluster is the list of a cluster in which name has these URLs.
func initialCluster(name, urls string) string {
	var entries []string
	for u := range strings.SplitSeq(urls, ",") {
		entries = append(entries, name+"="+u)
	}
	return strings.Join(append(entries, "other=http://127.0.0.2:2380"), ",")
}

// choices are the values of settings that etcd looks into while it parses.
var choices = map[string][]string{
	"logger":                      {"zap"},
	"log-level":                   {"debug", "info", "warn", "error", "panic", "fatal"},
	"log-format":                  {"json", "console"},
	"log-outputs":                 {"/dev/null", "stdout,/dev/null", "stderr", "default"},
	"log-rotation-config-json":    {`{"maxsize": 1}`, `{"maxage": 3, "compress": true}`},
	"enable-log-rotation":         {"false"}, // would write
	"auto-compaction-mode":        {"periodic", "revision"},
	"auto-compaction-retention":   {"0", "1", "1000"},
	"tls-min-version":             {"TLS1.2", "TLS1.3"},
	"tls-max-version":             {"", "TLS1.2", "TLS1.3"},
	"cipher-suites":               {"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"},
	"backend-bbolt-freelist-type": {"map", "array"},
	"discovery-fallback":          {"exit"},
	"discovery-password":          {"s3cr3t", "geheim"},
	"discovery-user":              {"root:s3cret", "root"},
	"initial-cluster-state":       {"new", "existing"},
	"initial-cluster-token":       {"a", "etcd cluster"},
	"v2-deprecation":              {"write-only", "write-only-skip-check", "write-only-drop-data", "gone"},
	"cors":                        {"*", "http://b.example:81,http://a.example:80"},
	"host-whitelist":              {"*", "b.example,a.example", "localhost"},
	"metrics":                     {"basic", "extensive"},
	"auth-token":                  {"simple"},
	"heartbeat-interval":          {"10", "100", "999"},
	"election-timeout":            {"1000", "5000", "50000"},
	"bcrypt-cost":                 {"4", "12"},
	"max-concurrent-streams":      {"0", "7", "4294967295"},
}

// value rolls a value of a setting, by its kind in etcd's flag table.
func (d dice) value(name string) string {
	f := flagTable().Lookup(name)
	switch list, ok := choices[name]; {
	case ok:
		return list[d.IntN(len(list))]
	case name == gates:
		return d.gates()
	case strings.Contains(name, "advertise"):
		return d.reachable()
	case strings.HasSuffix(name, "-urls"):
		return d.urls()
	case f == nil: // of etcd's main, not of embed; it takes any text
		return "x"
	case slices.Contains(boolFlags(), name):
		return []string{"true", "false", "1", "0", "T", "f"}[d.IntN(6)]
	}
	if _, err := strconv.Atoi(f.DefValue); err == nil {
		return strconv.Itoa(1 + d.IntN(1<<20))
	}
	if _, err := time.ParseDuration(f.DefValue); err == nil {
		return []string{"250ms", "3s", "1m30s", "2h", "1h0m0.5s"}[d.IntN(5)]
	}
	// etcd-node refuses in these what etcd would start with; see package config.
	if d.startable && (name == "name" || name == "initial-cluster-token") {
		return []string{"b", "ü"}[d.IntN(2)]
	}
	// Blanks, quotes and signs that have a meaning elsewhere.
	if d.startable {
		return []string{"/some/" + name, "b,a", "a b", "c=d", "ü"}[d.IntN(5)]
	}
	return []string{"/some/" + name, "b,a", "a b", "c=d", "'quoted'", "ü"}[d.IntN(6)]
}

func (d dice) gates() string {
	var names []string
	for name := range features.NewDefaultServerFeatureGate("", nil).(featuregate.MutableFeatureGate).GetAll() {
		if name != "AllAlpha" && name != "AllBeta" {
			names = append(names, string(name))
		}
	}
	slices.Sort(names)
	var list []string
	for range 1 + d.IntN(3) {
		list = append(list, fmt.Sprintf("%s=%v", names[d.IntN(len(names))], d.IntN(2) == 0))
	}
	return strings.Join(list, ",")
}

// urls rolls URLs to listen on.
func (d dice) urls() string {
	pool := []string{"http://127.0.0.1:0", fmt.Sprintf("unix://sock:%d", d.Int32()), "http://localhost:0"}
	if !d.startable {
		pool = []string{"http://127.0.0.1:12379", "https://127.0.0.1:12380", "http://0.0.0.0:3", "https://[::1]:4", "http://localhost:5", "unix://sock:1", "unixs://sock:2"}
	}
	return d.some(pool)
}

// reachable rolls URLs to advertise.
func (d dice) reachable() string {
	return d.some([]string{"http://127.0.0.1:2380", "https://10.0.0.1:2380", "http://a.example:80", "unix://sock:1", "http://[fd00::1]:2379"})
}

func (d dice) some(pool []string) string {
	d.Shuffle(len(pool), func(i, j int) { pool[i], pool[j] = pool[j], pool[i] })
	return strings.Join(pool[:1+d.IntN(min(2, len(pool)))], ",")
}
