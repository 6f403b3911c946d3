package main

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/etcd-node/etcd-node/test/loopback"
	"github.com/etcd-node/etcd-node/test/pki"
)

// configuration is one of those under which etcd's own tests run etcd. In its
// texts {0} … {5} are free ports, {crt} and {key} a certificate for 127.0.0.1
// and localhost that is its own CA.
type configuration struct {
	name  string
	peers string // peer URLs; "" is http on {0}
	flags string // separated by blanks, on top of name, data dir and peers
	env   string // variables, as flags
	file  string // etcd's config file; then there are no flags at all

	clients string // client URLs, each of which must serve
	gateway string // the URL of the JSON gateway; "" is the first of clients
	scrape  string // a URL whose answer must hold the texts in holds
	holds   []string
	user    string // "user:password", where authentication is on
}

const plainClient = "--listen-client-urls=http://127.0.0.1:{1} --advertise-client-urls=http://127.0.0.1:{1}"

var configurations = []configuration{
	{
		name:  "client certificates",
		peers: "https://127.0.0.1:{0}",
		flags: "--listen-client-urls=https://127.0.0.1:{1} --advertise-client-urls=https://127.0.0.1:{1}" +
			" --cert-file={crt} --key-file={key} --trusted-ca-file={crt} --client-cert-auth" +
			" --peer-cert-file={crt} --peer-key-file={key} --peer-trusted-ca-file={crt} --peer-client-cert-auth" +
			" --tls-min-version=TLS1.2 --cipher-suites=TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
		clients: "https://127.0.0.1:{1}",
	}, {
		name:    "auto-tls",
		peers:   "https://localhost:{0}",
		flags:   "--listen-client-urls=https://localhost:{1} --advertise-client-urls=https://localhost:{1} --auto-tls --peer-auto-tls --self-signed-cert-validity=2",
		clients: "https://localhost:{1}",
	}, {
		name:    "unix sockets",
		peers:   "unix://localhost:{0}",
		flags:   "--listen-client-urls=unix://localhost:{1} --advertise-client-urls=unix://localhost:{1}",
		clients: "unix://localhost:{1}",
	}, {
		name:  "unix sockets with TLS",
		peers: "unixs://localhost:{0}",
		flags: "--listen-client-urls=unixs://localhost:{1} --advertise-client-urls=unixs://localhost:{1} --cert-file={crt} --key-file={key}" +
			" --peer-cert-file={crt} --peer-key-file={key} --peer-trusted-ca-file={crt}",
		clients: "unixs://localhost:{1}",
	}, {
		name:  "several URLs, with TLS and without",
		peers: "http://127.0.0.1:{0},http://localhost:{2}",
		flags: "--listen-client-urls=http://127.0.0.1:{1},https://127.0.0.1:{3},unix://localhost:{4}" +
			" --advertise-client-urls=http://127.0.0.1:{1},https://127.0.0.1:{3} --cert-file={crt} --key-file={key}",
		clients: "http://127.0.0.1:{1},https://127.0.0.1:{3},unix://localhost:{4}",
	}, {
		name:    "HTTP apart from gRPC",
		flags:   plainClient + " --listen-client-http-urls=http://127.0.0.1:{2} --enable-pprof",
		clients: "http://127.0.0.1:{1}", gateway: "http://127.0.0.1:{2}",
		scrape: "http://127.0.0.1:{2}/debug/pprof/cmdline", holds: []string{"member"},
	}, {
		name:    "metrics URLs",
		flags:   plainClient + " --listen-metrics-urls=http://127.0.0.1:{2},https://127.0.0.1:{3} --metrics=extensive --cert-file={crt} --key-file={key}",
		clients: "http://127.0.0.1:{1}",
		// The last two only stock etcd's whole program has: they come with its proxy.
		scrape: "https://127.0.0.1:{3}/metrics", holds: []string{"etcd_server_has_leader 1", "grpc_server_handling_seconds_bucket", "etcd_grpc_proxy_cache_hits_total", "grpc_proxy_events_coalescing_total"},
	}, {
		name:    "feature gates",
		flags:   plainClient + " --feature-gates=StopGRPCServiceOnDefrag=true --feature-gates=InitialCorruptCheck=true,TxnModeWriteWithSharedBuffer=false",
		clients: "http://127.0.0.1:{1}",
		scrape:  "http://127.0.0.1:{1}/metrics",
		holds: []string{`etcd_server_feature_enabled{name="StopGRPCServiceOnDefrag",stage="ALPHA"} 1`,
			`etcd_server_feature_enabled{name="InitialCorruptCheck",stage="ALPHA"} 1`, `etcd_server_feature_enabled{name="TxnModeWriteWithSharedBuffer",stage="BETA"} 0`},
	}, {
		name:    "JWT",
		flags:   plainClient + " --auth-token=jwt,pub-key=jwt.pub,priv-key=jwt.key,sign-method=RS256,ttl=5m --bcrypt-cost=4",
		clients: "http://127.0.0.1:{1}", user: "root:p=w:x",
	}, {
		name:    "simple tokens",
		flags:   plainClient + " --auth-token=simple --auth-token-ttl=60 --bcrypt-cost=4",
		clients: "http://127.0.0.1:{1}", user: "root:pw",
	}, {
		name: "variables, and flags of the same",
		env: "ETCD_LISTEN_CLIENT_URLS=http://127.0.0.1:{1} ETCD_ADVERTISE_CLIENT_URLS=http://127.0.0.1:{1} ETCD_SNAPSHOT_COUNT=77 ETCD_QUOTA_BACKEND_BYTES=100000000" +
			" ETCD_EXPERIMENTAL_CORRUPT_CHECK_TIME=1m ETCD_NAME=b ETCD_DATA_DIR=elsewhere",
		clients: "http://127.0.0.1:{1}",
		scrape:  "http://127.0.0.1:{1}/metrics", holds: []string{"etcd_server_quota_backend_bytes 1e+08"},
	}, {
		name: "config file",
		file: `
name: a
data-dir: data
listen-peer-urls: http://127.0.0.1:{0}
initial-advertise-peer-urls: http://127.0.0.1:{0}
initial-cluster: a=http://127.0.0.1:{0}
listen-client-urls: https://127.0.0.1:{1}
advertise-client-urls: https://127.0.0.1:{1}
client-transport-security:
  cert-file: {crt}
  key-file: {key}
  trusted-ca-file: {crt}
  client-cert-auth: true
heartbeat-interval: 50
election-timeout: 500
log-level: debug
logger: zap
log-outputs: [stderr]
`,
		clients: "https://127.0.0.1:{1}",
	},
}

// TestConfigurations: under the configurations that etcd's own tests use, with
// the binary called etcd, a Go client, etcdctl and curl on the gateway find
// what they find at etcd, and the log is as etcd's own.
func TestConfigurations(t *testing.T) {
	t.Parallel()
	for _, c := range configurations {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			s.called = "etcd"
			s.begin(c)
			if c.user != "" {
				s.enableAuth(c.user)
			}
			clients := strings.Split(s.fill(c.clients), ",")
			for _, u := range clients {
				s.clientWorks(u, c.user)
				s.etcdctlWorks(u, c.user)
			}
			gateway := s.fill(c.gateway)
			if gateway == "" {
				gateway = clients[0]
			}
			s.gatewayWorks(gateway, c.user)
			if c.scrape != "" {
				got := s.fetch(s.fill(c.scrape), nil, nil)
				for _, want := range c.holds {
					if !strings.Contains(got, want) {
						t.Errorf("%s lacks %q", c.scrape, want)
					}
				}
			}
			s.stop()
			s.logIsEtcds()
		})
	}
}

// site is a node of the table: its ports, and what its clients need for TLS.
type site struct {
	*node
	fill func(string) string
	tls  *tls.Config
}

func newSite(t *testing.T) *site {
	t.Helper()
	n := newNode(t, "a")
	cert := pki.Issue(nil, func(c *x509.Certificate) { c.DNSNames = []string{"localhost"} })
	n.write("own.crt", cert.Cert)
	n.write("own.key", cert.Key)
	client := cert.TLS()
	client.InsecureSkipVerify = true // nobody knows the CA of auto-tls
	pairs := []string{"{crt}", "own.crt", "{key}", "own.key"}
	for i := range 6 {
		_, port, _ := strings.Cut(loopback.Address(), ":")
		pairs = append(pairs, "{"+string(rune('0'+i))+"}", port)
	}
	return &site{node: n, fill: strings.NewReplacer(pairs...).Replace, tls: client}
}

// begin starts the daemon and waits as scripts do: for etcd's line.
func (s *site) begin(c configuration) {
	s.t.Helper()
	s.makeJWTKeys()
	peers := c.peers
	if peers == "" {
		peers = "http://127.0.0.1:{0}"
	}
	s.flags = strings.Fields("--name=a --data-dir=data --heartbeat-interval=50 --election-timeout=500 --listen-peer-urls=" + peers +
		" --initial-advertise-peer-urls=" + peers + " --initial-cluster=a=" + strings.ReplaceAll(peers, ",", ",a=") + " " + c.flags)
	if c.file != "" {
		s.flags = []string{"--config-file=etcd.yml"}
		s.write("etcd.yml", []byte(s.fill(c.file)))
	}
	for i := range s.flags {
		s.flags[i] = s.fill(s.flags[i])
	}
	s.env = strings.Fields(s.fill(c.env))
	s.start(false)
	s.says("ready to serve client requests")
}

// makeJWTKeys leaves a pair of keys in the working directory.
func (s *site) makeJWTKeys() {
	s.t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		s.t.Fatal(err)
	}
	pub, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		s.t.Fatal(err)
	}
	s.write("jwt.key", pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
	s.write("jwt.pub", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: pub}))
}
