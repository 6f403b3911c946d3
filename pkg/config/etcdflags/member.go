package etcdflags

import (
	"cmp"
	"flag"
	"fmt"
	"os"

	"go.uber.org/zap"

	"go.etcd.io/etcd/pkg/v3/flags"
	cconfig "go.etcd.io/etcd/server/v3/config"
	"go.etcd.io/etcd/server/v3/embed"
	"go.etcd.io/etcd/server/v3/etcdserver/api/rafthttp"

	"github.com/etcd-node/etcd-node/pkg/config/settings"
)

// Member is the member's side: it turns its argv, which [settings.Resolved.Args]
// made, and the secrets that came over the pipe into etcd's own configuration,
// by the steps of etcd's main.
//
// It is validated, its logger is built and log-outputs are open. The caller
// wraps the logger if it wants to (cfg.ZapLoggerBuilder; StartEtcd calls it
// again) and then calls cfg.SetupGlobalLoggers, as etcd's main does.
func Member(args []string, secrets map[string]string) (*embed.Config, error) {
	return build(args, secrets, nil)
}

// MemberAt is Member under a logger of the caller's.
func MemberAt(log *zap.Logger, args []string, secrets map[string]string) (*embed.Config, error) {
	return build(args, secrets, embed.NewZapLoggerBuilder(log))
}

// Validate has etcd's own Validate look at settings. It keeps no embed.Config:
// the supervisor is to stay small.
func Validate(list []settings.Setting) (settings.Member, error) {
	r := settings.Resolved{Settings: list}
	// Validate would open log-outputs and warn there, hence the logger.
	c, err := build(r.Args(), r.Secrets(), embed.NewZapLoggerBuilder(zap.NewNop()))
	if err != nil {
		return settings.Member{}, err
	}
	return memberOf(c), nil
}

// memberOf is what the supervisor needs to know of c.
func memberOf(c *embed.Config) settings.Member {
	return settings.Member{Name: c.Name, DataDir: dataDir(c), WALDir: c.WalDir}
}

// dataDir is the data dir with etcd's default.
func dataDir(c *embed.Config) string { return cmp.Or(c.Dir, c.Name+".etcd") }

// build is Member under a logger of the caller's; nil means the one that the
// settings describe.
func build(args []string, secrets map[string]string, logger func(*embed.Config) error) (*embed.Config, error) {
	t := New()
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
	c, err := t.ec, error(nil)
	if t.configFile != "" {
		c, err = readFile(t.configFile)
	} else {
		t.copyValues()
		validate := c.Validate
		if c.ZapLoggerBuilder = logger; logger == nil {
			c.ZapLoggerBuilder = journalLogger(c.LogOutputs)
			validate = func() error { return validateLeveled(c) }
		}
		if t.fallback.String() == fallbackProxy {
			return nil, fmt.Errorf("--discovery-fallback cannot be %q: etcd no longer has a proxy", fallbackProxy)
		}
		err = validate()
	}
	if err != nil {
		return nil, err
	}
	c.V2Deprecation = cconfig.V2DeprDefault // enforced, whatever was set
	if c.WarningUnaryRequestDuration == 0 {
		c.WarningUnaryRequestDuration = embed.DefaultWarningUnaryRequestDuration
	}
	complete(c, defaultCluster)
	return c, nil
}

// complete fills what is left to etcd's main, which says so in these words.
func complete(c *embed.Config, defaultCluster string) {
	lg := c.GetLogger()
	host, err := c.UpdateDefaultClusterFromName(defaultCluster)
	if host != "" {
		lg.Info("detected default host for advertise", zap.String("host", host))
	}
	if err != nil { // this machine has no default route
		lg.Info("failed to detect default host", zap.Error(err))
	}
	if c.Dir == "" {
		c.Dir = dataDir(c)
		lg.Warn("'data-dir' was empty; using default", zap.String("data-dir", c.Dir))
	}
}

func readFile(path string) (*embed.Config, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if _, err := checkFile(data); err != nil {
		return nil, err
	}
	c, err := embed.ConfigFromFile(path)
	if err != nil {
		return nil, err
	}
	// It has validated, and so warned, without priorities; StartEtcd does both
	// again.
	if logger := journalLogger(c.LogOutputs); logger != nil {
		c.ZapLoggerBuilder = logger
		err = logger(c)
	}
	return c, err
}

// copyValues does what etcd's main does between parsing and validating: some
// flags are not bound to their field, and some defaults go when another flag
// is set.
func (t *Table) copyValues() {
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
