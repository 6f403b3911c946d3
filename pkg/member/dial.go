package member

import (
	"crypto/tls"
	"net"
	"os"

	"go.uber.org/zap"

	"go.etcd.io/etcd/client/pkg/v3/tlsutil"
	"go.etcd.io/etcd/server/v3/embed"
	"go.etcd.io/etcd/server/v3/storage/wal"

	"github.com/etcd-node/etcd-node/pkg/member/peers"
)

// dialer dials as raft does: from the member's own address, where the feature
// gate SetMemberLocalAddr says so.
func (m *member) dialer() *net.Dialer {
	quiet := *m.Config // etcd says in its log what it finds
	if err := embed.NewZapLoggerBuilder(zap.NewNop())(&quiet); err != nil {
		return new(net.Dialer)
	}
	if ip := net.ParseIP(quiet.InferLocalAddr()); ip != nil {
		return &net.Dialer{LocalAddr: &net.TCPAddr{IP: ip}}
	}
	return new(net.Dialer)
}

// clientTLS is the client's side of raft's TLS. etcd adds what is set for all of
// its TLS when it starts; values that it would refuse it refuses itself.
func (m *member) clientTLS() (*tls.Config, error) {
	info := m.Config.PeerTLSInfo
	if len(info.CipherSuites) == 0 {
		for _, name := range m.Config.CipherSuites {
			if id, ok := tlsutil.GetCipherSuite(name); ok {
				info.CipherSuites = append(info.CipherSuites, id)
			}
		}
	}
	if v, err := tlsutil.GetTLSVersion(m.Config.TlsMinVersion); err == nil {
		info.MinVersion = v
	}
	if v, err := tlsutil.GetTLSVersion(m.Config.TlsMaxVersion); err == nil {
		info.MaxVersion = v
	}
	return peers.ClientTLS(info, m.Config.PeerAutoTLS)
}

// proxyVariables are those from which Go's HTTP client takes a proxy.
var proxyVariables = []string{"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"}

// proxies are the variables that set a proxy for this process.
func proxies() (set []string) {
	for _, name := range proxyVariables {
		if os.Getenv(name) != "" {
			set = append(set, name)
		}
	}
	return set
}

// goPastProxies takes the proxies out of this process's environment, before
// anything has read it. Members speak to each other past them, or one that
// answers 403 would make etcd believe that this member was removed. A first start
// by discovery keeps them, because the discovery service may lie behind one.
func (m *member) goPastProxies() {
	set := proxies()
	if len(set) == 0 || len(m.Config.DiscoveryCfg.Endpoints) > 0 && !wal.Exist(m.walDir()) {
		return
	}
	for _, name := range set {
		os.Unsetenv(name)
	}
	m.log.Info("members are dialed past the proxy that the environment names", zap.Strings("without-effect", set))
}
