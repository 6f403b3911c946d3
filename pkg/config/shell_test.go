package config

import (
	"slices"
	"strings"
	"testing"

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
