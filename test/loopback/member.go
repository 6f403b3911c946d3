// Package loopback makes clusters whose members are all on this machine, of
// embedded etcds or of daemons, for tests.
package loopback

import (
	"net/url"
	"path/filepath"
	"strings"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"
	"go.uber.org/zap"
)

// Member describes a member of a cluster.
type Member struct {
	Name         string
	Dir          string // the node's own; the data dir is in it
	Peer, Client string // URLs, listened on and advertised
	Cluster      string // the list, as in --initial-cluster
}

// New is a member of a cluster of one.
func New(name, dir string) Member {
	m := Member{Name: name, Dir: dir, Peer: "http://" + Address(), Client: "http://" + Address()}
	Unite(&m)
	return m
}

// Unite makes the members one cluster: it gives them all the same list.
func Unite(members ...*Member) {
	var list []string
	for _, m := range members {
		list = append(list, m.Name+"="+m.Peer)
	}
	for _, m := range members {
		m.Cluster = strings.Join(list, ",")
	}
}

// Data is the data dir.
func (m *Member) Data() string { return filepath.Join(m.Dir, "data") }

// Flags is the member's command line.
func (m *Member) Flags() []string {
	return []string{
		"--name=" + m.Name, "--data-dir=" + m.Data(),
		"--listen-peer-urls=" + m.Peer, "--initial-advertise-peer-urls=" + m.Peer,
		"--listen-client-urls=" + m.Client, "--advertise-client-urls=" + m.Client,
		"--initial-cluster=" + m.Cluster,
	}
}

// Config is the same for an embedded etcd.
func (m *Member) Config() *embed.Config {
	cfg := embed.NewConfig()
	cfg.Name, cfg.Dir, cfg.InitialCluster = m.Name, m.Data(), m.Cluster
	cfg.ListenPeerUrls, cfg.AdvertisePeerUrls = URLs(m.Peer), URLs(m.Peer)
	cfg.ListenClientUrls, cfg.AdvertiseClientUrls = URLs(m.Client), URLs(m.Client)
	return cfg
}

// Dial makes a client of this member alone. A member that is down is no error.
func (m *Member) Dial() (*clientv3.Client, error) {
	return clientv3.New(clientv3.Config{Endpoints: []string{m.Client}, Logger: zap.NewNop()})
}

// URLs parses URLs. It panics if one is wrong.
func URLs(list ...string) (out []url.URL) {
	for _, s := range list {
		u, err := url.Parse(s)
		if err != nil {
			panic(err)
		}
		out = append(out, *u)
	}
	return out
}
