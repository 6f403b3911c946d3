package config

import (
	"flag"
	"fmt"
	"os"

	"go.etcd.io/etcd/pkg/v3/flags"
	cconfig "go.etcd.io/etcd/server/v3/config"
	"go.etcd.io/etcd/server/v3/embed"
	"go.etcd.io/etcd/server/v3/etcdserver/api/rafthttp"
)

// Member is the member's side: it turns its argv, which [Resolved.Args] made,
// and the secrets that came over the pipe into etcd's own configuration, by
// the steps of etcd's main. The environment is not read.
//
// It is validated, its logger is built and log-outputs are open. The caller
// wraps the logger if it wants to (cfg.ZapLoggerBuilder; StartEtcd calls it
// again) and then calls cfg.SetupGlobalLoggers, as etcd's main does.
func Member(args []string, secrets map[string]string) (*embed.Config, error) {
	return build(args, secrets, nil)
}

// build is Member under a logger of the caller's; nil means the one that the
// settings describe.
func build(args []string, secrets map[string]string, logger func(*embed.Config) error) (*embed.Config, error) {
	t := newTable()
	defaultCluster := t.ec.InitialCluster
	if err := t.Parse(args); err != nil {
		return nil, err
	}
	if t.NArg() > 0 {
		return nil, fmt.Errorf("%q is not a flag", t.Arg(0))
	}
	for name, value := range secrets {
		if err := t.Set(name, value); err != nil {
			return nil, err
		}
	}
	c := t.ec
	if t.configFile != "" {
		data, err := os.ReadFile(t.configFile)
		if err == nil {
			err = checkConfigFile(data)
		}
		if err != nil {
			return nil, err
		}
		if c, err = embed.ConfigFromFile(t.configFile); err != nil {
			return nil, err
		}
		// It has validated, and so warned, without priorities; StartEtcd does
		// both again.
		if logger := journalLogger(c.LogOutputs); logger != nil {
			c.ZapLoggerBuilder = logger
			if err := logger(c); err != nil {
				return nil, err
			}
		}
	} else {
		t.copyValues()
		if logger == nil {
			logger = journalLogger(c.LogOutputs)
		}
		c.ZapLoggerBuilder = logger
		if t.fallback.String() == fallbackProxy {
			return nil, fmt.Errorf("--discovery-fallback cannot be %q: there is no proxy any more", fallbackProxy)
		}
		if err := c.Validate(); err != nil {
			return nil, err
		}
	}
	c.V2Deprecation = cconfig.V2DeprDefault // enforced, whatever was set
	if c.WarningUnaryRequestDuration == 0 {
		c.WarningUnaryRequestDuration = embed.DefaultWarningUnaryRequestDuration
	}
	// Its error only says that this machine has no default route.
	_, _ = c.UpdateDefaultClusterFromName(defaultCluster)
	if c.Dir == "" {
		c.Dir = c.Name + ".etcd"
	}
	return c, nil
}

// copyValues does what etcd's main does between parsing and validating: some
// flags are not bound to their field, and some defaults go when another flag
// is set.
func (t *table) copyValues() {
	rafthttp.ConnReadTimeout = max(rafthttp.ConnReadTimeout, rafthttp.DefaultConnReadTimeout)
	rafthttp.ConnWriteTimeout = max(rafthttp.ConnWriteTimeout, rafthttp.DefaultConnWriteTimeout)

	fs, c := t.FlagSet, t.ec
	c.ListenPeerUrls = flags.UniqueURLsFromFlag(fs, "listen-peer-urls")
	c.AdvertisePeerUrls = flags.UniqueURLsFromFlag(fs, "initial-advertise-peer-urls")
	c.ListenClientUrls = flags.UniqueURLsFromFlag(fs, "listen-client-urls")
	c.ListenClientHttpUrls = flags.UniqueURLsFromFlag(fs, "listen-client-http-urls")
	c.AdvertiseClientUrls = flags.UniqueURLsFromFlag(fs, "advertise-client-urls")
	c.ListenMetricsUrls = flags.UniqueURLsFromFlag(fs, "listen-metrics-urls")
	c.DiscoveryCfg.Endpoints = flags.UniqueStringsFromFlag(fs, "discovery-endpoints")
	c.CORS = flags.UniqueURLsMapFromFlag(fs, "cors")
	c.HostWhitelist = flags.UniqueStringsMapFromFlag(fs, "host-whitelist")
	c.ClientTLSInfo.AllowedHostnames = flags.StringsFromFlag(fs, "client-cert-allowed-hostname")
	c.PeerTLSInfo.AllowedCNs = flags.StringsFromFlag(fs, "peer-cert-allowed-cn")
	c.PeerTLSInfo.AllowedHostnames = flags.StringsFromFlag(fs, "peer-cert-allowed-hostname")
	c.CipherSuites = flags.StringsFromFlag(fs, "cipher-suites")
	c.MaxConcurrentStreams = flags.Uint32FromFlag(fs, "max-concurrent-streams")
	c.LogOutputs = flags.UniqueStringsFromFlag(fs, "log-outputs")
	c.ClusterState = t.clusterState.String()

	if flags.IsSet(fs, "listen-client-urls") && !flags.IsSet(fs, "advertise-client-urls") {
		c.AdvertiseClientUrls = nil
	}
	discovery := c.DNSCluster != "" || c.DNSClusterServiceName != "" || len(c.DiscoveryCfg.Endpoints) > 0
	if discovery && !flags.IsSet(fs, "initial-cluster") {
		c.InitialCluster = ""
	}
	t.Visit(func(f *flag.Flag) { c.FlagsExplicitlySet[f.Name] = true })
}
