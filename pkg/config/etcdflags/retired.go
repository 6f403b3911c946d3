package etcdflags

import (
	"cmp"
	"slices"
	"strings"
	"sync"
)

// Retired is a setting that etcd no longer has. etcd 3.7 refuses
// the flag, and passes over the variable with a line in the log.
type Retired struct {
	Name string // the flag
	Last string // the last version that had it
	// now is what to write instead: a flag, or "feature-gates=Name=true"; "" for nothing.
	now string
	why string // where now is empty, or does not tell all
}

const (
	noProxy = "the v2 proxy is gone; `etcd grpc-proxy` and `etcd gateway` do what it did"
	noV2    = "the v2 API and its store are gone"
)

// retirees are the flags of etcd 3.3 to 3.6 that 3.7 does not have, taken from
// the flag tables of these versions.
var retirees = []Retired{
	{"ca-file", "3.3", "trusted-ca-file", "with client-cert-auth"},
	{"peer-ca-file", "3.3", "peer-trusted-ca-file", "with peer-client-cert-auth"},
	{"debug", "3.4", "log-level=debug", ""},
	{"capnslog", "3.4", "", "etcd logs through zap alone"},
	{"log-output", "3.4", "log-outputs", ""},
	{"log-package-levels", "3.4", "log-level", "one level for all packages"},
	{"enable-v2", "3.5", "", noV2},
	{"experimental-enable-v2v3", "3.5", "", noV2},
	{"proxy", "3.5", "", noProxy},
	{"proxy-dial-timeout", "3.5", "", noProxy},
	{"proxy-failure-wait", "3.5", "", noProxy},
	{"proxy-read-timeout", "3.5", "", noProxy},
	{"proxy-refresh-interval", "3.5", "", noProxy},
	{"proxy-write-timeout", "3.5", "", noProxy},
	{"discovery", "3.6", "discovery-endpoints", "with discovery-token: discovery is a v3 etcd now"},
	{"discovery-proxy", "3.6", "", "the v2 discovery is gone"},
	{"experimental-backend-bbolt-freelist-type", "3.4", "backend-bbolt-freelist-type", ""},
	{"experimental-compact-hash-check-enabled", "3.6", "feature-gates=CompactHashCheck=true", ""},
	{"experimental-enable-lease-checkpoint", "3.6", "feature-gates=LeaseCheckpoint=true", ""},
	{"experimental-enable-lease-checkpoint-persist", "3.6", "feature-gates=LeaseCheckpointPersist=true", ""},
	{"experimental-initial-corrupt-check", "3.6", "feature-gates=InitialCorruptCheck=true", ""},
	{"experimental-stop-grpc-service-on-defrag", "3.6", "feature-gates=StopGRPCServiceOnDefrag=true", ""},
	{"experimental-txn-mode-write-with-shared-buffer", "3.6", "feature-gates=TxnModeWriteWithSharedBuffer=true", ""},
}

// graduates are the flags of 3.6 that etcd 3.7 has without their first word.
var graduates = []string{
	"experimental-bootstrap-defrag-threshold-megabytes", "experimental-compact-hash-check-time",
	"experimental-compaction-batch-limit", "experimental-compaction-sleep-interval", "experimental-corrupt-check-time",
	"experimental-distributed-tracing-address", "experimental-distributed-tracing-instance-id",
	"experimental-distributed-tracing-sampling-rate", "experimental-distributed-tracing-service-name",
	"experimental-downgrade-check-time", "experimental-enable-distributed-tracing", "experimental-memory-mlock",
	"experimental-peer-skip-client-san-verification", "experimental-snapshot-catchup-entries",
	"experimental-warning-apply-duration", "experimental-warning-unary-request-duration",
	"experimental-watch-progress-notify-interval",
}

// AllRetired lists the flags that etcd no longer has, by name.
var AllRetired = sync.OnceValue(func() []Retired {
	all := slices.Clone(retirees)
	for _, name := range graduates {
		all = append(all, Retired{Name: name, Last: "3.6", now: strings.TrimPrefix(name, "experimental-")})
	}
	slices.SortFunc(all, func(a, b Retired) int { return cmp.Compare(a.Name, b.Name) })
	return all
})

// RetiredFlag returns what became of a flag; ok is false for one that etcd
// never had, or still has.
func RetiredFlag(name string) (r Retired, ok bool) {
	i := slices.IndexFunc(AllRetired(), func(r Retired) bool { return r.Name == name })
	if i < 0 {
		return Retired{}, false
	}
	return AllRetired()[i], true
}

// Now is the flag that has taken r's place, and its value for a value of r's; ok is
// false where nothing has.
func (r Retired) Now(value string) (flag, now string, ok bool) {
	name, gate, isGate := strings.Cut(r.now, "=")
	switch {
	case r.now == "":
		return "", "", false
	case isGate && name == "feature-gates": // Name=true
		gate, _, _ = strings.Cut(gate, "=")
		return name, gate + "=" + cmp.Or(value, "true"), true
	case isGate: // as log-level=debug
		return name, gate, true
	}
	return name, value, true
}

// Instead says what to do about r, where settings are written as write does.
func (r Retired) Instead(write func(flag string) string) string {
	if r.now == "" {
		return r.why + "; remove it"
	}
	name, value, has := strings.Cut(r.now, "=")
	text := "write " + write(name)
	if has {
		text += "=" + value
	}
	if r.why != "" {
		text += ", " + r.why
	}
	return text
}
