package lab

import (
	"context"
	"fmt"
	"strings"
	"testing"
)

// The units under which etcd runs out there, word for word in what systemd
// heeds of them, with nothing but the symlink from etcd to etcd-node.
const (
	// The shell snippet's: twelve flags.
	flagsUnit = `[Unit]
Description=etcd
After=network-online.target
Wants=network-online.target

[Service]
Type=notify
User=etcd
StateDirectory=etcd
StateDirectoryMode=0700
ExecStart=/usr/bin/etcd %s
Restart=always
RestartSec=5
LimitNOFILE=65536

[Install]
WantedBy=multi-user.target
`
	// Of Debian's etcd-server.
	debianUnit = `[Unit]
Description=etcd - highly-available key value store
After=network.target
Wants=network-online.target

[Service]
Environment=DAEMON_ARGS=
Environment=ETCD_NAME=%H
Environment=ETCD_DATA_DIR=/var/lib/etcd/default
EnvironmentFile=-/etc/default/%p
Type=notify
User=etcd
PermissionsStartOnly=true
ExecStart=/usr/bin/etcd $DAEMON_ARGS
Restart=on-abnormal
LimitNOFILE=65536

[Install]
WantedBy=multi-user.target
Alias=etcd2.service
`
	// Of Fedora's etcd: each flag repeats a variable, which etcd 3.7 itself does
	// not take.
	fedoraUnit = `[Unit]
Description=Etcd Server
After=network.target
After=network-online.target
Wants=network-online.target

[Service]
Type=notify
WorkingDirectory=/var/lib/etcd/
EnvironmentFile=-/etc/etcd/etcd.conf
User=etcd
ExecStart=/bin/bash -c "GOMAXPROCS=$(nproc) /usr/bin/etcd --name=\"${ETCD_NAME}\" --data-dir=\"${ETCD_DATA_DIR}\" --listen-client-urls=\"${ETCD_LISTEN_CLIENT_URLS}\""
Restart=on-failure
LimitNOFILE=65536

[Install]
WantedBy=multi-user.target
`
	fedoraConf = `ETCD_DATA_DIR="/var/lib/etcd/default.etcd"
ETCD_LISTEN_CLIENT_URLS="http://localhost:2379"
ETCD_NAME="default"
ETCD_ADVERTISE_CLIENT_URLS="http://localhost:2379"
`
	// As kubespray installs it.
	kubesprayUnit = `[Unit]
Description=etcd
After=network.target

[Service]
Type=notify
User=etcd
EnvironmentFile=/etc/etcd.env
ExecStart=/usr/bin/etcd
NotifyAccess=all
Restart=always
RestartSec=10s
LimitNOFILE=40000

[Install]
WantedBy=multi-user.target
`
	kubesprayEnv = `ETCD_DATA_DIR=/var/lib/etcd
ETCD_ADVERTISE_CLIENT_URLS=https://IP:2379
ETCD_INITIAL_ADVERTISE_PEER_URLS=https://IP:2380
ETCD_INITIAL_CLUSTER_STATE=new

ETCD_METRICS=basic
ETCD_LISTEN_CLIENT_URLS=https://IP:2379,https://127.0.0.1:2379
ETCD_ELECTION_TIMEOUT=5000
ETCD_HEARTBEAT_INTERVAL=250
ETCD_INITIAL_CLUSTER_TOKEN=k8s_etcd
ETCD_LISTEN_PEER_URLS=https://IP:2380
ETCD_NAME=etcd1
ETCD_PROXY=off
ETCD_INITIAL_CLUSTER=etcd1=https://IP:2380
ETCD_AUTO_COMPACTION_RETENTION=8
ETCD_SNAPSHOT_COUNT=100000

# TLS settings
`
)

// Each starts unchanged, serves, comes back from a restart with its data, and
// stops.
func TestDropIn(t *testing.T) {
	c := hosts(t)
	pki := NewPKI(c.Hosts)
	t.Cleanup(func() {
		c.each(func(h *Host) error {
			_, err := h.Sh(context.Background(), "systemctl stop etcd; rm -f /etc/systemd/system/etcd.service /etc/etcd.env /usr/bin/etcd; systemctl daemon-reload")
			return err
		})
	})
	c.each(func(h *Host) error {
		if _, err := h.Sh(t.Context(), "ln -s /usr/local/bin/etcd-node /usr/bin/etcd"); err != nil {
			return err
		}
		return pki.Install(t.Context(), h)
	})
	install := func(i int, unit string, more map[string]string) {
		t.Helper()
		if more == nil {
			more = make(map[string]string)
		}
		more["/etc/systemd/system/etcd.service"] = unit
		for path, content := range more {
			if err := c.host(i).Write(t.Context(), path, strings.ReplaceAll(content, "IP", c.host(i).IP), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		c.run(i, "systemctl", "daemon-reload")
	}
	begin := func(i int) {
		t.Helper()
		c.run(i, "sh", "-ec", "systemctl stop etcd; rm -rf /var/lib/etcd; install -d -o etcd -g etcd -m 0700 /var/lib/etcd")
	}
	// What scripts look for: pidof, and the client port.
	serves := func(url string, hosts ...int) {
		t.Helper()
		c.start(hosts...)
		for _, i := range hosts {
			curl := "curl -sS --fail --cacert /etc/etcd/ca.crt --cert /etc/etcd/etcd.crt --key /etc/etcd/etcd.key " + url
			c.run(i, "sh", "-ec", curl+`/v3/kv/put -d '{"key":"aw==","value":"dg=="}'`)
			c.run(i, "systemctl", "restart", "etcd")
			if out := c.run(i, "sh", "-ec", curl+`/v3/kv/range -d '{"key":"aw=="}'`); !strings.Contains(out, `"value":"dg=="`) {
				t.Errorf("%s after a restart: %s", c.host(i).Name, out)
			}
			u := c.unit(i)
			if pid := strings.TrimSpace(c.run(i, "pidof", "etcd")); u.NRestarts != 0 || pid != fmt.Sprint(u.MainPID) {
				t.Errorf("%s: pidof etcd says %s: %v", c.host(i).Name, pid, u)
			}
		}
		for _, i := range hosts {
			c.run(i, "systemctl", "stop", "etcd")
			if u := c.unit(i); u.Result != "success" || u.ExitStatus != 0 {
				t.Errorf("%s after the stop: %v", c.host(i).Name, u)
			}
		}
	}

	t.Run("twelve flags", func(t *testing.T) {
		for i, h := range c.Hosts {
			begin(i + 1)
			install(i+1, fmt.Sprintf(flagsUnit, strings.Join([]string{
				"--name=" + h.Name, "--data-dir=/var/lib/etcd",
				"--listen-peer-urls=http://IP:2380", "--listen-client-urls=http://IP:2379,http://127.0.0.1:2379",
				"--initial-advertise-peer-urls=http://IP:2380", "--advertise-client-urls=http://IP:2379",
				"--initial-cluster=" + strings.TrimPrefix(c.initialCluster(), "ETCD_INITIAL_CLUSTER="),
				"--initial-cluster-token=my-etcd", "--initial-cluster-state=new",
				"--heartbeat-interval=100", "--election-timeout=1000", "--auto-compaction-retention=1",
			}, " ")), nil)
		}
		serves("http://127.0.0.1:2379", 1, 2, 3)
	})
	t.Run("Debian", func(t *testing.T) {
		begin(1)
		install(1, debianUnit, nil)
		serves("http://127.0.0.1:2379", 1)
		c.run(1, "test", "-d", "/var/lib/etcd/default/member")
	})
	t.Run("Fedora", func(t *testing.T) {
		begin(2)
		install(2, fedoraUnit, map[string]string{"/etc/etcd/etcd.conf": fedoraConf})
		serves("http://127.0.0.1:2379", 2)
		c.run(2, "test", "-d", "/var/lib/etcd/default.etcd/member")
		if journal, err := c.host(2).Journal(t.Context(), "etcd", c.since); err != nil || !strings.Contains(journal, "--data-dir, --listen-client-urls, --name are given, so ETCD_DATA_DIR (/etc/etcd/etcd.conf:1), ") {
			t.Errorf("the journal does not say which variables do not count (%v):\n%s", err, journal)
		}
	})
	t.Run("kubespray", func(t *testing.T) {
		begin(3)
		install(3, kubesprayUnit, map[string]string{"/etc/etcd.env": kubesprayEnv + strings.Join(pki.Env(), "\n") + "\n"})
		serves("https://127.0.0.1:2379", 3)
	})
}
