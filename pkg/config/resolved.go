package config

import "time"

// Origin says which source a setting's value comes from.
type Origin string

// The origins, strongest first.
const (
	FromFlag        Origin = "flag"
	FromEnvironment Origin = "environment"
	FromEnvFile     Origin = "env file"
	FromConfigFile  Origin = "config file"
	FromDetection   Origin = "detected"
	FromDerivation  Origin = "derived"
)

// Setting is one etcd setting that is not etcd's default.
type Setting struct {
	Name   string // etcd's flag name, "initial-cluster"
	Value  string
	Origin Origin
	// Source is the origin spelled out: "--name", "ETCD_NAME",
	// "ETCD_NAME (/etc/default/etcd:12)", "from eth0", "from ETCD_1 … ETCD_IP_3".
	// Behind Origin it reads as a phrase.
	Source string
	Secret bool // never printed, never in argv
}

// Node holds the settings that are ours and not etcd's (ETCD_NODE_*).
type Node struct {
	Interface    string        // ETCD_NODE_INTERFACE
	AddressWait  time.Duration // ETCD_NODE_ADDRESS_WAIT
	StartTimeout time.Duration // ETCD_NODE_START_TIMEOUT, 0 = for ever
	ReadyAll     bool          // ETCD_NODE_READY=all
	Failover     bool          // ETCD_NODE_FAILOVER
	FastStart    bool          // ETCD_NODE_FAST_START
	HangLimit    time.Duration // ETCD_NODE_HANG_LIMIT
	DiskReserve  int64         // ETCD_NODE_DISK_RESERVE, bytes, 0 = none
	EnvFile      string        // ETCD_NODE_ENV_FILE
}

// Resolved is the resolved configuration: the settings the shell snippet
// would have typed, each with its origin.
type Resolved struct {
	Settings []Setting // by name; --feature-gates, which adds up, may stand there several times
	Node     Node
	// ConfigFile is the path of etcd's own config file; when it is set the
	// file alone counts and Settings is empty.
	ConfigFile string
	// Notices are sentences for the operator that do not stop the start.
	Notices []string

	Name         string // this member's name
	DataDir      string // as the member will see it
	WALDir       string // "" = inside DataDir
	HeartbeatMS  uint
	ElectionMS   uint
	HasData      bool // the data dir holds a member; never with ConfigFile, whose dir is not looked at
	LoopbackOnly bool // nothing was configured: one member on loopback

	own        []Setting // ours that are set, for Write
	configFile Setting   // origin of ConfigFile, for Write
}
