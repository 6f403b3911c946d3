package config

import (
	"slices"
	"strings"
	"testing"

	"github.com/etcd-node/etcd-node/test/stock"
)

// TestFlagOverVariable: where etcd ends itself ("conflicting environment
// variable is shadowed") the flag wins, and one notice says so of them all. The
// flags are those of Fedora's unit, which sets the variables too.
func TestFlagOverVariable(t *testing.T) {
	environ := []string{
		"ETCD_NAME=variable", "ETCD_DATA_DIR=/variable", "ETCD_LISTEN_CLIENT_URLS=http://127.0.0.1:1",
		"ETCD_ADVERTISE_CLIENT_URLS=http://localhost:2379",
	}
	args := []string{"--name=flag", "--data-dir=/flag", "--listen-client-urls=http://127.0.0.1:2"}
	c := throughUs(t, args, environ)
	if c.Name != "flag" || c.Dir != "/flag" || c.ListenClientUrls[0].Port() != "2" || c.AdvertiseClientUrls[0].Port() != "2379" {
		t.Errorf("name %s, data dir %s, clients %v, advertised %v", c.Name, c.Dir, c.ListenClientUrls, c.AdvertiseClientUrls)
	}
	l, err := Load(Input{Args: args, Environ: environ})
	if err != nil {
		t.Fatal(err)
	}
	want := "--data-dir, --listen-client-urls, --name are given, so ETCD_DATA_DIR, ETCD_LISTEN_CLIENT_URLS, ETCD_NAME do not count"
	said := slices.DeleteFunc(l.Notices, func(n string) bool { return !strings.Contains(n, "given") })
	if !slices.Equal(said, []string{want}) {
		t.Errorf("notices %q, want %q", said, want)
	}
}

// TestSpellings: one dash or two, "=" or the next argument, and of a flag that
// is given twice the last counts; the gates add up.
func TestSpellings(t *testing.T) {
	for _, args := range [][]string{
		{"--name=a"}, {"-name=a"}, {"--name", "a"}, {"-name", "a"}, {"--name=x", "-name", "a"},
		{"-snapshot-count", "7", "--snapshot-count=5000", "--name=a"},
		{"--pre-vote=false", "--pre-vote", "--name=a"},
		{"--listen-client-urls=http://127.0.0.1:1", "--advertise-client-urls=http://127.0.0.1:1", "--listen-client-urls=http://127.0.0.1:2", "--name=a"},
		{"--feature-gates=InitialCorruptCheck=true", "--feature-gates=FastLeaseKeepAlive=false", "--name=a"},
	} {
		args = append(args, "--log-outputs=/dev/null")
		want, err := stock.Config(args)
		if err != nil {
			t.Fatal(err)
		}
		if diff := stock.Differences(throughUs(t, args, nil), want); len(diff) > 0 || want.Name != "a" {
			t.Errorf("%q differs from etcd's own: %s", args, strings.Join(diff, "\n"))
		}
	}
	// etcd itself would listen on both: it takes the second list for known.
	c := throughUs(t, []string{"--listen-peer-urls=http://127.0.0.1:1,http://127.0.0.1:2", "--listen-peer-urls=http://127.0.0.1:2"}, nil)
	if len(c.ListenPeerUrls) != 1 {
		t.Errorf("of two lists of URLs the last counts: %v", c.ListenPeerUrls)
	}
}
