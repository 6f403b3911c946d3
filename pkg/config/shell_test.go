package config

import (
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/etcd-node/etcd-node/pkg/config/preflight"
	"github.com/etcd-node/etcd-node/test/stock"
)

// TestSnippetCommands: the snippet's two commands in the spellings in which
// they are found, as systemd passes them on.
func TestSnippetCommands(t *testing.T) {
	for value, want := range map[string]bool{
		"$(hostname -s)":            true,
		"`hostname -s`":             true,
		"$( hostname  --short )":    true,
		"$(/usr/bin/hostname -s)":   true,
		`"$(hostname -s)"`:          true,
		"'`hostname -s`'":           true,
		"$(hostname)":               false, // may be fully qualified
		"$(hostname -f)":            false,
		"etcd-$(hostname -s)":       false,
		"$(hostname -s)-a":          false,
		"$(hostname -s; reboot)":    false,
		"hostname -s":               false,
		"$HOSTNAME":                 false,
		"$(hostname -s | tr a-z Z)": false,
	} {
		if got := asksHostName(value); got != want {
			t.Errorf("asksHostName(%q) = %v", value, got)
		}
	}
	for value, want := range map[string]string{
		`$(ip addr show eth0 | grep "inet " | awk '{print $2}' | cut -d/ -f1)`:    "eth0",
		`$(ip addr show eth0 | grep inet " | awk '{print $2}' | cut -d/ -f1)"`:    "eth0", // from double quotes in double quotes
		"`ip addr show eth0 | grep 'inet ' | awk '{print $2}'`":                   "eth0",
		`$(ip -4 addr show dev ens3 | grep -oP '(?<=inet\s)\d+(\.\d+){3}')`:       "ens3",
		`$(ip -o -4 a show bond0.100 | awk '{print $4}' | cut -d/ -f1 | head -1)`: "bond0.100",
		`"$( /sbin/ip address list eth0|awk '/inet / {print $2}' )"`:              "eth0",
		`$(ip addr | grep 'inet ' | grep -v 127.0.0.1 | awk '{print $2}')`:        "",
		`$(ip addr show)`:                   "",
		`$(ip route get 1.1.1.1 | cut -f7)`: "no",
		`$(hostname -I)`:                    "no",
		`$(ip addr show eth0`:               "no",
		`x$(ip addr show eth0)`:             "no",
		`$(ip addr show eth0; reboot)`:      "no",
		`$(ip addr flush eth0)`:             "no",
		`192.168.122.5`:                     "no",
	} {
		iface, ok := asksAddress(value)
		if !ok {
			iface = "no"
		}
		if iface != want {
			t.Errorf("asksAddress(%q) = %q, want %q", value, iface, want)
		}
	}
}

// TestDollarIsLegal: in passwords, paths and the like "$" and "`" are
// characters, and arrive at etcd.
func TestDollarIsLegal(t *testing.T) {
	for _, kv := range []string{
		"discovery-password=p$HOME`x`$(y)", "data-dir=/srv/$(x)", "cert-file=/srv/${x}", "auth-token=jwt,priv-key=/a/$b",
		"peer-cert-allowed-cn=HOST$", "log-outputs=/dev/null", "distributed-tracing-instance-id=$x",
	} {
		args := append(slices.Clone(base), "--"+kv)
		if strings.HasPrefix(kv, "cert-file") {
			args = append(args, "--key-file=/srv/key")
		}
		c := throughUs(t, args, nil)
		want, err := stock.Config(args)
		if err != nil {
			t.Fatal(err)
		}
		if diff := stock.Differences(c, want); len(diff) > 0 {
			t.Errorf("%s: %s", kv, diff)
		}
	}
}

// TestPathsForAShell: etcd would make a directory called ${HOME}. It may have
// one, and "$" may be a character of a path.
func TestPathsForAShell(t *testing.T) {
	host := goodHost()
	host.Stat = func(path string) (preflight.Info, error) {
		if path == "$pool/etcd" {
			return preflight.Info{Dir: true}, nil
		}
		return preflight.Info{}, fs.ErrNotExist
	}
	load := func(in Input) string {
		in.Host = host
		if _, err := Load(in); err != nil {
			return err.Error()
		}
		return ""
	}
	const why = "; systemd runs no command and expands no variable there (write the path itself)"
	for variable, refused := range map[string]bool{
		"ETCD_DATA_DIR=${HOME}/etcd":           true,
		"ETCD_DATA_DIR=$HOME/etcd":             true,
		"ETCD_WAL_DIR=/srv/$(hostname)/wal":    true,
		"ETCD_DATA_DIR=/srv/`hostname`":        true,
		"ETCD_TRUSTED_CA_FILE=${PKI}/ca.crt":   true,
		"ETCD_DISCOVERY_CACERT=$(pwd)/ca.crt":  true,
		"ETCD_LOG_OUTPUTS=stderr,$LOGS/etcd":   true,
		"ETCD_DATA_DIR=$pool/etcd":             false, // is there
		"ETCD_DATA_DIR=/srv/a$b":               false,
		"ETCD_AUTO_COMPACTION_RETENTION=5m":    false,
		"ETCD_PEER_CERT_ALLOWED_HOSTNAME=${x}": false,
	} {
		name, value, _ := strings.Cut(variable, "=")
		path := value[strings.Index(value, ",")+1:]
		want := ""
		if refused {
			want = name + ": shell syntax in " + strconv.Quote(path) + why
		}
		if got := load(Input{Environ: []string{variable}}); got != want {
			t.Errorf("%s: %q, want %q", variable, got, want)
		}
	}
	in := Input{Args: []string{"--config-file=/etcd.yml"}, ReadFile: func(string) ([]byte, error) { return []byte("data-dir: ${HOME}/etcd\n"), nil }}
	if got := load(in); got != `/etcd.yml: shell syntax in "${HOME}/etcd"`+why {
		t.Errorf("config file: %q", got)
	}
}
