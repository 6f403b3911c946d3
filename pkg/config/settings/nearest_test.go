package settings

import "testing"

func TestNearest(t *testing.T) {
	var known []string
	for _, s := range []string{"name", "data-dir", "listen-peer-urls", "listen-client-urls", "advertise-client-urls",
		"initial-advertise-peer-urls", "initial-cluster", "initial-cluster-state", "heartbeat-interval", "quota-backend-bytes", "peer-cert-file", "cert-file"} {
		known = append(known, Variable(s))
	}
	for name, want := range map[string]string{
		"ETCD_LISTEN_CLIENT_URL":   "ETCD_LISTEN_CLIENT_URLS",
		"ETCD_LSITEN_PEER_URLS":    "ETCD_LISTEN_PEER_URLS",
		"ETCD_ADVERTISE_PEER_URLS": "ETCD_INITIAL_ADVERTISE_PEER_URLS",
		"ETCD_INITIAL_CLSUTER":     "ETCD_INITIAL_CLUSTER",
		"ETCD_HEARTBEAT_INTERVALL": "ETCD_HEARTBEAT_INTERVAL",
		"ETCD_QUOTA_BYTES":         "ETCD_QUOTA_BACKEND_BYTES",
		"ETCD_COLOUR":              "",
		"ETCD_ROLE":                "",
	} {
		if got := Nearest(name, known); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if got := Nearest("o", []string{"v", "vv", "name"}); got != "" {
		t.Errorf("o, of which no letter is left: %q", got)
	}
	if got := Nearest("ETCD_NODE_REDY", []string{"ETCD_NODE_INTERFACE", "ETCD_NODE_READY", "ETCD_NODE_FAILOVER"}); got != "ETCD_NODE_READY" {
		t.Errorf("ETCD_NODE_REDY: %q", got)
	}
}
