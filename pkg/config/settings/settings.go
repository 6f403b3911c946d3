package settings

import (
	"slices"
	"strings"
	"time"
)

// Origin says which source a setting's value comes from.
type Origin string

// The origins, strongest first.
const (
	FromFlag        Origin = "flag"
	FromEnvironment Origin = "environment"
	FromEnvFile     Origin = "env file"
	FromDetection   Origin = "detected"
	FromDerivation  Origin = "derived"
)

// Setting is one setting that is not the default.
type Setting struct {
	Name   string // etcd's flag name, "initial-cluster", or the variable of one of etcd-node's own
	Value  string
	Origin Origin
	// Source is the origin spelled out: "--name", "ETCD_NAME",
	// "ETCD_NAME (/etc/default/etcd:12)", "from eth0", "from ETCD_1 … ETCD_IP_3".
	// Behind Origin it reads as a phrase.
	Source string
}

// Node holds the settings that are etcd-node's own (ETCD_NODE_*).
type Node struct {
	Interface    string        // ETCD_NODE_INTERFACE
	AddressWait  time.Duration // ETCD_NODE_ADDRESS_WAIT
	StartTimeout time.Duration // ETCD_NODE_START_TIMEOUT, 0 = for ever
	ReadyAll     bool          // ETCD_NODE_READY=all
	Failover     bool          // ETCD_NODE_FAILOVER
	HostSilence  time.Duration // ETCD_NODE_HOST_SILENCE, 0 = never known
	FastStart    bool          // ETCD_NODE_FAST_START
	HangLimit    time.Duration // ETCD_NODE_HANG_LIMIT
	DiskReserve  int64         // ETCD_NODE_DISK_RESERVE, bytes, 0 = none
	EnvFile      string        // ETCD_NODE_ENV_FILE
	Unit         string        // ETCD_NODE_UNIT

	// BootstrapWait is ETCD_NODE_BOOTSTRAP_WAIT, negative = for ever.
	BootstrapWait time.Duration
}

// Member is what the supervisor needs to know of the member's configuration.
type Member struct {
	Name    string
	DataDir string // as the member will see it
	WALDir  string // "" = inside DataDir
}

// Resolved is the resolved configuration: the settings that the shell snippet
// would have typed, each with its origin.
type Resolved struct {
	// Settings are etcd's, by name; --feature-gates, which adds up, may stand
	// there several times. With etcd's config file that is the only one.
	Settings []Setting
	// Own are those of etcd-node's own settings that are set.
	Own  []Setting
	Node Node // all of these, with their defaults
	Member
	// ConfigFile is the path of etcd's own config file, "" for none. Where it
	// is set the file alone counts.
	ConfigFile string
	// Notices are sentences for the operator that do not stop the start.
	Notices []string

	HasData      bool // the data dir holds a member; never with ConfigFile, whose dir is not looked at
	LoopbackOnly bool // nothing was configured: one member on loopback
}

// Value is that of a setting of etcd's; "" where it is etcd's default.
func (r *Resolved) Value(name string) string {
	for _, s := range r.Settings {
		if s.Name == name {
			return s.Value
		}
	}
	return ""
}

// Derived reports whether the operator has left a setting of etcd's to us.
func (r *Resolved) Derived(name string) bool {
	return slices.ContainsFunc(r.Settings, func(s Setting) bool {
		return s.Name == name && (s.Origin == FromDetection || s.Origin == FromDerivation)
	})
}

// Found says where the node's name and address come from: "name detected from the
// cluster list; address detected from eth0".
func (r *Resolved) Found() string {
	if r.ConfigFile != "" {
		return "name and address as in " + r.ConfigFile
	}
	var all []string
	for _, x := range []struct{ what, setting string }{{"name", "name"}, {"address", "advertise-client-urls"}} {
		for _, s := range r.Settings {
			if s.Name == x.setting {
				all = append(all, x.what+" "+s.origin())
			}
		}
	}
	return strings.Join(all, "; ")
}

// Args returns the member's argv, without the program's name: every setting as
// a flag of etcd's, secrets left out.
func (r *Resolved) Args() []string {
	var args []string
	for _, s := range r.Settings {
		if !s.Secret() {
			args = append(args, "--"+s.Name+"="+s.Value)
		}
	}
	return args
}

// Source is where a setting of etcd's comes from; "" where it is the default.
func (r *Resolved) Source(name string) string {
	for _, s := range r.Settings {
		if s.Name == name {
			return s.Source
		}
	}
	if r.ConfigFile != "" { // which alone counts
		return name + " in " + r.ConfigFile
	}
	return ""
}

// SetAt is where the operator has set a setting of etcd's; "" where it is the
// default, or was left to us.
func (r *Resolved) SetAt(name string) string {
	if r.Derived(name) {
		return ""
	}
	return r.Source(name)
}

// Secrets returns the settings that Args leaves out, by flag name. They go to
// the member over a pipe.
func (r *Resolved) Secrets() map[string]string {
	secrets := make(map[string]string)
	for _, s := range r.Settings {
		if s.Secret() {
			secrets[s.Name] = s.Value
		}
	}
	return secrets
}

// Paths are those of the files and directories that a setting of etcd's names.
func (s Setting) Paths() []string {
	switch s.Name {
	case "log-outputs":
		return strings.Split(s.Value, ",")
	case "data-dir", "wal-dir", "discovery-cacert", "discovery-cert", "discovery-key":
		return []string{s.Value}
	}
	if strings.HasSuffix(s.Name, "-file") {
		return []string{s.Value}
	}
	return nil
}

// Variable is the name of the variable that sets a flag of etcd's,
// "ETCD_INITIAL_CLUSTER".
func Variable(flag string) string {
	return "ETCD_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// Flag is the name of the flag that a variable sets, if etcd has one of it.
func Flag(variable string) string {
	return strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(variable, "ETCD_"), "_", "-"))
}

// List is the value of a setting that is a list.
func List(value string) []string {
	return strings.FieldsFunc(value, func(c rune) bool { return c == ',' })
}
