package config

import (
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/etcd-node/etcd-node/pkg/config/etcdflags"
	"github.com/etcd-node/etcd-node/test/stock"
)

// TestConfigFile: the file alone counts, for etcd's own main and for us.
func TestConfigFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "etcd.yml")
	err := os.WriteFile(path, []byte(`
name: m1
wal-dir: /srv/wal
snapshot-count: 5000
heartbeat-interval: 200
election-timeout: 2000
listen-peer-urls: http://127.0.0.1:12380
listen-client-urls: http://127.0.0.1:12379,http://127.0.0.1:12378
initial-advertise-peer-urls: http://127.0.0.1:12380
advertise-client-urls: http://127.0.0.1:12379
listen-metrics-urls: http://127.0.0.1:12381
initial-cluster: m1=http://127.0.0.1:12380
cors: http://a.example:80
host-whitelist: a,b
log-level: error
log-outputs: [/dev/null]
feature-gates: InitialCorruptCheck=true
warning-unary-request-duration: 0
v2-deprecation: gone
client-transport-security:
  auto-tls: true
peer-transport-security:
  client-cert-auth: true
  trusted-ca-file: /x
`), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	want, err := stock.Config([]string{"--config-file=" + path, "--name=hidden"})
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range []Input{
		{Args: []string{"--config-file", path, "--name=hidden"}},
		{Environ: []string{"ETCD_CONFIG_FILE=" + path, "ETCD_NAME=hidden", "ETCD_PEER=10.0.0.1"}},
	} {
		got := throughUs(t, in.Args, in.Environ)
		if diff := stock.Differences(got, want); len(diff) > 0 {
			t.Errorf("differs from etcd's own: %s", strings.Join(diff, "\n"))
		}
		in.Host = goodHost()
		l, err := Load(in)
		if err != nil {
			t.Fatal(err)
		}
		r, err := l.Resolve(t.Context(), noFind(t))
		if err != nil {
			t.Fatal(err)
		}
		if args := r.Args(); len(args) != 1 || args[0] != "--config-file="+path || len(r.Secrets()) != 0 {
			t.Errorf("argv %q", args)
		}
		if r.Name != "m1" || r.DataDir != "m1.etcd" || r.WALDir != "/srv/wal" {
			t.Errorf("facts: %+v", r)
		}
	}
}

// TestBadConfigFile: what etcd answers with os.Exit or a panic is an error here,
// in the supervisor and in the member.
func TestBadConfigFile(t *testing.T) {
	bad := map[string]string{
		"log-level: loud":                       "log-level: want debug, info, warn, error, panic or fatal",
		"log-format: xml":                       "log-format: unknown log format: xml, supported values json, console",
		"name: [":                               "did not find expected node content",
		"heartbeat-interval: 5000":              "--election-timeout[1000ms] should be at least as 5 times as --heartbeat-interval[5000ms]",
		"listen-peer-urls: [http://10.0.0.1:1]": "cannot unmarshal array into Go struct field",
		"peer-transport-security: x":            "cannot unmarshal string into Go struct field",
		"feature-gates: Nope=true":              "unrecognized feature gate: Nope",
	}
	etcdflags.New().VisitAll(func(f *flag.Flag) {
		if etcdflags.IsURLs(f) {
			bad[f.Name+": 10.0.0.1,a"] = f.Name + ": URL scheme must be http, https, unix, or unixs: 10.0.0.1; URL scheme must be http, https, unix, or unixs: a"
		}
	})
	if len(bad) != 7+7 {
		t.Errorf("%d flags of URLs; are there new ones in embed.ConfigFromFile?", len(bad)-7)
	}
	path := filepath.Join(t.TempDir(), "etcd.yml")
	for text, want := range bad {
		if err := os.WriteFile(path, []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Load(Input{Host: goodHost(), Args: []string{"--config-file=" + path}})
		if err == nil || !strings.HasPrefix(err.Error(), "--config-file: "+path+": ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
		if _, err := etcdflags.Member([]string{"--config-file=" + path}, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("member, %s: %v, want %s", text, err, want)
		}
	}
}

// TestConfigFileFiles: the TLS files that a config file names are looked at.
func TestConfigFileFiles(t *testing.T) {
	host := goodHost()
	good := host.ReadFile
	host.ReadFile = func(path string) ([]byte, error) {
		if path == "/missing" {
			return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
		}
		return good(path)
	}
	const file = "name: x\npeer-transport-security:\n  cert-file: /missing\n  key-file: /key\nclient-transport-security:\n  cert-file: /crt\n"
	_, err := Load(Input{Args: []string{"--config-file=/etcd.yml"}, Host: host, ReadFile: func(string) ([]byte, error) { return []byte(file), nil }})
	const want = "/etcd.yml: peer-transport-security.cert-file: /missing does not exist (put the file there, or correct the path)\n" +
		"/etcd.yml: client-transport-security.cert-file: a certificate without a key (set client-transport-security.key-file too, or neither)"
	if err == nil || err.Error() != want {
		t.Errorf("%v", err)
	}
}

// TestConfigFileChecked: what is checked of flags is checked of a file, and
// what etcd passes over in it without a word is named.
func TestConfigFileChecked(t *testing.T) {
	load := func(file string) (*Loaded, error) {
		return Load(Input{Args: []string{"--config-file=/etcd.yml"}, Host: goodHost(), ReadFile: func(string) ([]byte, error) { return []byte(file), nil }})
	}
	for file, want := range map[string]string{
		"initial-cluster: a=http://10.0.0.1:2380,b=http://10.0.0.1:2380\nname: a\ninitial-advertise-peer-urls: http://10.0.0.1:2380":    "/etcd.yml: initial-cluster: a and b have the same address, 10.0.0.1:2380",
		"listen-client-urls: https://10.0.0.1:2379\nadvertise-client-urls: https://10.0.0.1:2379":                                       "/etcd.yml: listen-client-urls: https://10.0.0.1:2379 needs a certificate, and none is set (set client-transport-security.cert-file and client-transport-security.key-file, or write http)",
		"listen-client-urls: http://10.0.0.1:2380\nlisten-peer-urls: http://10.0.0.1:2380\nadvertise-client-urls: http://10.0.0.1:2380": "/etcd.yml: listen-peer-urls, /etcd.yml: listen-client-urls: http://10.0.0.1:2380 cannot be listened on for two purposes",
		"auto-compaction-retention: often": `/etcd.yml: auto-compaction-retention: "often" is neither a number nor a duration`,
	} {
		if _, err := load(file); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v\nwant %s", file, err, want)
		}
	}
	for file, want := range map[string]string{
		"cert-file: /c":                                                   "/etcd.yml: cert-file: etcd's config file has no such key; it is ignored; write it as client-transport-security.cert-file",
		"peer-cert-allowed-cn: x":                                         "/etcd.yml: peer-cert-allowed-cn: etcd's config file has no such key; it is ignored; write it as peer-transport-security.allowed-cn",
		"snapshot-cuont: 1":                                               "/etcd.yml: snapshot-cuont: etcd's config file has no such key; it is ignored; did you mean snapshot-count?",
		"enable-v2: true":                                                 "/etcd.yml: enable-v2: etcd's config file has no such key; it is ignored; etcd 3.5 was the last to have it",
		"peer-transport-security:\n  cert_file: /c":                       "/etcd.yml: peer-transport-security: cert_file: etcd's config file has no such key; it is ignored; did you mean cert-file?",
		"client-cert-allowed-hostname: x":                                 "it is ignored; write it as client-transport-security.allowed-hostname",
		"discovery-endpoints: [http://10.0.0.1:2379]":                     "it is ignored; write it as discovery-config.client.endpoints",
		"discovery-cert: /c":                                              "it is ignored; write it as discovery-config.client.secure.cert",
		"debug: true":                                                     "etcd 3.4 was the last to have it: write log-level: debug",
		"experimental-initial-corrupt-check: true":                        "write feature-gates: InitialCorruptCheck=true",
		"socket-options:\n  reuse-prot: true":                             "/etcd.yml: socket-options: reuse-prot: etcd's config file has no such key; it is ignored; did you mean reuse-port?",
		"discovery-config:\n  client:\n    auth:\n      user: x":          "/etcd.yml: discovery-config.client.auth: user: etcd's config file has no such key",
		"initial-cluster: a=http://10.0.0.1:2380, b=http://10.0.0.2:2380": "/etcd.yml: initial-cluster: a blank at the name",
		"quota-backend-bytes: 17179869184":                                "/etcd.yml: quota-backend-bytes: 17179869184 bytes are more than the 8 GiB",
	} {
		l, err := load(file)
		if err != nil {
			t.Errorf("%q: %v", file, err)
		} else if !strings.Contains(strings.Join(l.Notices, "\n"), want) {
			t.Errorf("%q: %q\nwant %s", file, l.Notices, want)
		}
	}
	for _, file := range []string{ // what etcd starts with
		"socket-options:\n  reuse-port: true\nlisten-client-urls: http://10.0.0.1:2379\nadvertise-client-urls: http://10.0.0.1:2379\nlisten-metrics-urls: http://10.0.0.1:2379",
		"Client-Transport-Security:\n  cert-file: /crt\n  key-file: /key\nlisten-client-urls: https://10.0.0.1:2379\nadvertise-client-urls: https://10.0.0.1:2379",
	} {
		if _, err := load(file); err != nil {
			t.Errorf("%q: %v", file, err)
		}
	}
	if _, err := load("initial-cluster: a=http://10.0.0.1:2380, b=http://10.0.0.2:2380\nclient-transport-security:\n  cert-file: /crt"); err == nil {
		t.Error("with a blank in the list nothing else is looked at")
	}
	if l, err := load("Name: x\nDATA-DIR: /d"); err != nil || len(l.Notices) != 1 { // that the file alone counts
		t.Errorf("etcd takes keys in any case: %v, %q", err, l.Notices)
	}
}
