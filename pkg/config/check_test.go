package config

import (
	"context"
	"errors"
	"io/fs"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/etcd-node/etcd-node/pkg/config/preflight"
	"github.com/etcd-node/etcd-node/pkg/config/settings"
	"github.com/etcd-node/etcd-node/pkg/netdetect"
)

const three = "ETCD_INITIAL_CLUSTER=a=http://10.0.0.1:2380,b=http://10.0.0.2:2380,c=http://10.0.0.3:2380"

// TestChecks: what is wrong with settings that each for itself are right.
func TestChecks(t *testing.T) {
	for _, tc := range []struct {
		name    string
		environ []string
		want    string // every problem, a line each
	}{
		{"https without a certificate", []string{"ETCD_LISTEN_CLIENT_URLS=https://0.0.0.0:2379", "ETCD_ADVERTISE_CLIENT_URLS=https://10.0.0.1:2379"},
			"ETCD_LISTEN_CLIENT_URLS: https://0.0.0.0:2379 needs a certificate, and none is set (set ETCD_CERT_FILE and ETCD_KEY_FILE, or write http)"},
		{"https in the list without a certificate", []string{"ETCD_INITIAL_CLUSTER=a=https://10.0.0.1:2380,b=https://10.0.0.2:2380,c=https://10.0.0.3:2380"},
			"ETCD_INITIAL_CLUSTER: https needs a certificate, and none is set (set ETCD_PEER_CERT_FILE and ETCD_PEER_KEY_FILE, or write http)"},
		{"https made by etcd", []string{"ETCD_INITIAL_CLUSTER=a=https://10.0.0.1:2380,b=https://10.0.0.2:2380,c=https://10.0.0.3:2380", "ETCD_PEER_AUTO_TLS=true"}, ""},
		{"no such port", []string{"ETCD_LISTEN_CLIENT_URLS=http://10.0.0.1:123456", "ETCD_ADVERTISE_CLIENT_URLS=http://10.0.0.1:2379"},
			`ETCD_LISTEN_CLIENT_URLS: http://10.0.0.1:123456: there is no port "123456" (give a number up to 65535)`},
		{"one port for two", []string{"ETCD_LISTEN_CLIENT_URLS=http://0.0.0.0:2380", "ETCD_ADVERTISE_CLIENT_URLS=http://10.0.0.1:2380", "ETCD_LISTEN_PEER_URLS=http://10.0.0.1:2380"},
			"ETCD_LISTEN_PEER_URLS, ETCD_LISTEN_CLIENT_URLS: http://10.0.0.1:2380 and http://0.0.0.0:2380 cannot both be listened on: it is one port (give them different ports; usual are 2380 for peers and 2379 for clients)"},
		{"one port for two, where the address is not known", []string{strings.ReplaceAll(three, ":2380", ":2379")},
			"ETCD_INITIAL_CLUSTER, listen-client-urls (detected): http://(this node's address):2379 cannot be listened on for two purposes: it is one port (give them different ports; usual are 2380 for peers and 2379 for clients)"},
		{"one port for two, where the address is set", []string{strings.ReplaceAll(three, ":2380", ":2379"), "ETCD_PEER=10.0.0.2"},
			"ETCD_INITIAL_CLUSTER, listen-client-urls (derived from ETCD_PEER): http://10.0.0.2:2379 cannot be listened on for two purposes: it is one port (give them different ports; usual are 2380 for peers and 2379 for clients)"},
		{"one port for two, on purpose", []string{"ETCD_LISTEN_CLIENT_URLS=http://127.0.0.1:2379", "ETCD_ADVERTISE_CLIENT_URLS=http://127.0.0.1:2379", "ETCD_LISTEN_METRICS_URLS=http://127.0.0.1:2379", "ETCD_SOCKET_REUSE_PORT=true"}, ""},
		{"a metrics port that is the default's", []string{"ETCD_LISTEN_METRICS_URLS=http://127.0.0.1:2379"},
			"ETCD_LISTEN_METRICS_URLS: http://localhost:2379 and http://127.0.0.1:2379 cannot both be listened on: it is one port (give them different ports; usual are 2380 for peers and 2379 for clients)"},
		{"one address for two members", []string{"ETCD_INITIAL_CLUSTER=a=http://10.0.0.1:2380,b=http://10.0.0.1:2380,c=http://10.0.0.3:2380"},
			"ETCD_INITIAL_CLUSTER: a and b have the same address, 10.0.0.1:2380 (give each member its own)"},
		{"one address, other ports", []string{"ETCD_INITIAL_CLUSTER=a=http://127.0.0.1:2380,b=http://127.0.0.1:2381,c=http://127.0.0.1:2382"}, ""},
		{"compaction", []string{"ETCD_AUTO_COMPACTION_RETENTION=1 hour"},
			`ETCD_AUTO_COMPACTION_RETENTION: "1 hour" is neither a number nor a duration (give hours, a duration such as 5m, or, with auto-compaction-mode revision, a number of revisions)`},
		{"cipher suites", []string{"ETCD_CIPHER_SUITES=TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,AES"},
			`ETCD_CIPHER_SUITES: "AES" is not a cipher suite (write a name such as TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, or leave the choice to Go)`},
		{"several of etcd's own complaints", []string{"ETCD_HEARTBEAT_INTERVAL=0", "ETCD_LISTEN_PEER_URLS=http://host:2380", "ETCD_LISTEN_METRICS_URLS=http://host:2381", "ETCD_DISCOVERY_TOKEN=x"},
			"ETCD_LISTEN_PEER_URLS: expected IP in URL for binding (http://host:2380) (" + remedies["listen-peer-urls"] + ")\n" +
				"ETCD_LISTEN_METRICS_URLS: expected IP in URL for binding (http://host:2381) (" + remedies["listen-metrics-urls"] + ")\n" +
				"ETCD_DISCOVERY_TOKEN: both --discovery-token and --discovery-endpoints must be set (set ETCD_DISCOVERY_TOKEN and ETCD_DISCOVERY_ENDPOINTS)\n" +
				"ETCD_HEARTBEAT_INTERVAL: --heartbeat-interval must be >0 (set to 0ms) (" + remedies["heartbeat-interval"] + ")"},
		{"the election takes too long", []string{"ETCD_ELECTION_TIMEOUT=60000"},
			"ETCD_ELECTION_TIMEOUT: --election-timeout[60000ms] is too long, and should be set less than 50000ms (" + remedies["election-timeout"] + ")"},
		{"what systemd leaves in a value", []string{"ETCD_NAME=etcd-1 # mine", "ETCD_INITIAL_CLUSTER_TOKEN=token ", `ETCD_ADVERTISE_CLIENT_URLS="http://10.0.0.1:2379",http://10.0.0.2:2379`, "ETCD_ELECTION_TIMEOUT=5000 # ms"},
			`ETCD_ADVERTISE_CLIENT_URLS: "\"http://10.0.0.1:2379\",http://10.0.0.2:2379" holds a quote (put the whole value in quotes, or none of it)` + "\n" +
				`ETCD_ELECTION_TIMEOUT: invalid value "5000 # ms": want a whole number of milliseconds (give the comment a line of its own)` + "\n" +
				`ETCD_INITIAL_CLUSTER_TOKEN: "token " begins or ends with a blank (take the blank out of the quotes)` + "\n" +
				`ETCD_NAME: "etcd-1 # mine" holds a "#": behind a value it does not begin a comment (give the comment a line of its own)`},
		{"credentials", []string{"ETCD_DISCOVERY_ENDPOINTS=https://root:s3cret@10.0.0.1:2379 ", "ETCD_LISTEN_CLIENT_URLS=http://root:s3cret@10.0.0.1"},
			`ETCD_DISCOVERY_ENDPOINTS: "https://(redacted)@10.0.0.1:2379 " begins or ends with a blank (take the blank out of the quotes)` + "\n" +
				`ETCD_LISTEN_CLIENT_URLS: invalid value "http://(redacted)@10.0.0.1": URL address does not have the form "host:port": http://(redacted)@10.0.0.1 (give scheme, address and port, http://192.168.122.5:2380 for peers, :2379 for clients)`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := ""
			if _, err := Load(Input{Environ: tc.environ, Host: goodHost()}); err != nil {
				got = err.Error()
			}
			if got != tc.want {
				t.Errorf("got:\n%s\nwant:\n%s", got, tc.want)
			}
		})
	}
}

// TestNotices: what works and deserves a word.
func TestNotices(t *testing.T) {
	for _, tc := range []struct {
		environ []string
		want    string
	}{
		{[]string{"ETCD_INITIAL_CLUSTER=a=http://10.0.0.1:2380,b=http://10.0.0.2:2380,c=http://10.0.0.3:2380,d=http://10.0.0.4:2380"}, "ETCD_INITIAL_CLUSTER: an even number of members, 4, survives the loss of no more of them than 3 would"},
		{[]string{"ETCD_INITIAL_CLUSTER=a=https://10.0.0.1:2380,b=http://10.0.0.2:2380,c=http://10.0.0.3:2380", "ETCD_NAME=b"}, "ETCD_INITIAL_CLUSTER: http and https are mixed"},
		{[]string{"ETCD_QUOTA_BACKEND_BYTES=9663676416"}, "ETCD_QUOTA_BACKEND_BYTES: 9663676416 bytes are more than the 8 GiB"},
		{[]string{"ETCD_QUOTA_BACKEND_BYTES=-1"}, "ETCD_QUOTA_BACKEND_BYTES: a negative number means no limit"},
		{[]string{"ETCD_UNSAFE_NO_FSYNC=true"}, "ETCD_UNSAFE_NO_FSYNC is on: what was acknowledged is lost with the power"},
		{[]string{three, "ETCD_ADVERTISE_CLIENT_URLS=http://0.0.0.0:2379"}, "ETCD_ADVERTISE_CLIENT_URLS: http://0.0.0.0:2379 is an address to listen on"},
		{[]string{three, "ETCD_ADVERTISE_CLIENT_URLS=http://127.0.0.1:2379"}, "ETCD_ADVERTISE_CLIENT_URLS: http://127.0.0.1:2379 is this machine alone"},
		{[]string{"ETCD_CERT_FILE=/crt", "ETCD_KEY_FILE=/key", "ETCD_LISTEN_CLIENT_URLS=http://10.0.0.1:2379", "ETCD_ADVERTISE_CLIENT_URLS=http://10.0.0.1:2379"}, "ETCD_LISTEN_CLIENT_URLS: http://10.0.0.1:2379 without TLS, although a certificate is set"},
		{[]string{three, "ETCD_PEER_CERT_FILE=/crt", "ETCD_PEER_KEY_FILE=/key"}, "ETCD_INITIAL_CLUSTER: http://(this node's address):2380 without TLS, although a certificate is set"},
		{[]string{"ETCD_DISCOVERY_PASSWORD=s3cret "}, "ETCD_DISCOVERY_PASSWORD: the value begins or ends with a blank, and is taken literally"},
		{[]string{"ETCD_CERT_FILE=/crt", "ETCD_KEY_FILE=/key", "ETCD_ADVERTISE_CLIENT_URLS=https://10.0.0.99:2379"}, "ETCD_CERT_FILE: /crt is not for 10.0.0.99, under which others connect"},
	} {
		l, err := Load(Input{Environ: tc.environ, Host: goodHost()})
		if err != nil {
			t.Errorf("%q: %v", tc.environ, err)
			continue
		}
		all := strings.Join(l.Notices, "\n")
		if !strings.Contains(all, tc.want) || strings.Contains(all, "s3cret") {
			t.Errorf("%q: %s\nwant %s", tc.environ, all, tc.want)
		}
	}
	l, err := Load(Input{Environ: []string{three}, Host: goodHost()})
	if err != nil || len(l.Notices) > 0 {
		t.Errorf("a plain cluster: %q, %v", l.Notices, err)
	}
}

// TestLoopbackNotice: a list that is refused is not no list.
func TestLoopbackNotice(t *testing.T) {
	for environ, want := range map[string]bool{"ETCD_NAME=a": true, "ETCD_INITIAL_CLUSTER=http://10.0.0.1:2380": false, "ETCD_1=a": false} {
		said := func(notices []string) bool { return slices.Contains(notices, loopbackNotice) }
		var invalid *settings.Invalid
		l, err := Load(Input{Environ: []string{environ}, Host: goodHost()})
		if errors.As(err, &invalid) == want || want != (err == nil && said(l.Notices)) || err != nil && said(invalid.Notices) {
			t.Errorf("%s: %v, %+v", environ, err, invalid)
		}
	}
}

// TestDataOutranksTheList: with data etcd does not read the list any more.
func TestDataOutranksTheList(t *testing.T) {
	l, err := Load(Input{Host: goodHost(), Environ: []string{"ETCD_INITIAL_CLUSTER=a=http://10.0.0.1:2380,b=http://10.0.0.1:2380,c=http://10.0.0.3:2380", "ETCD_DATA_DIR=/d"},
		ReadDir: func(string) ([]fs.DirEntry, error) { return []fs.DirEntry{wal{}}, nil }})
	if err != nil || !strings.Contains(strings.Join(l.Notices, "\n"), "a and b have the same address") {
		t.Errorf("%+v, %v", l, err)
	}
}

// TestFiles: the findings of package preflight, against the settings that they
// come from, and only those that the daemon would not wait for.
func TestFiles(t *testing.T) {
	host := goodHost()
	good := host.ReadFile
	host.ReadFile = func(path string) ([]byte, error) {
		if path == "/missing" {
			return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
		}
		return good(path)
	}
	host.Stat = func(path string) (preflight.Info, error) { return preflight.Info{Dir: path != "/srv/file"}, nil }
	in := Input{Host: host, Environ: []string{"ETCD_PEER_CERT_FILE=/missing", "ETCD_PEER_KEY_FILE=/key", "ETCD_AUTH_TOKEN=jwt,pub-key=/missing,sign-method=RS256",
		"ETCD_DATA_DIR=/srv/file"}}
	const want = "ETCD_PEER_CERT_FILE: /missing does not exist (put the file there, or correct the path)\n" +
		"ETCD_AUTH_TOKEN: /missing does not exist (put the file there, or correct the path)"
	if _, err := Load(in); err == nil || err.Error() != want {
		t.Errorf("the daemon: %v", err)
	}
	in.Asking = true
	if _, err := Load(in); err == nil || !strings.Contains(err.Error(), "ETCD_DATA_DIR: /srv/file is not a directory (") {
		t.Errorf("a command: %v", err)
	}
}

// TestNamesAfterDetection: the certificate is held against the address that
// was found; with data, its word counts and it is a notice.
func TestNamesAfterDetection(t *testing.T) {
	for _, hasData := range []bool{false, true} {
		in := Input{Host: goodHost(), Environ: []string{"ETCD_PEER_CERT_FILE=/crt", "ETCD_PEER_KEY_FILE=/key", "ETCD_DATA_DIR=/d",
			"ETCD_INITIAL_CLUSTER=a=https://192.168.122.9:2380,b=https://10.0.0.2:2380,c=https://10.0.0.3:2380", "ETCD_NAME=a"}}
		in.ReadDir = func(string) ([]fs.DirEntry, error) {
			if hasData {
				return []fs.DirEntry{wal{}}, nil
			}
			return nil, fs.ErrNotExist
		}
		l, err := Load(in)
		if err != nil {
			t.Fatal(err)
		}
		r, err := l.Resolve(t.Context(), func(_ context.Context, req netdetect.Request) (netdetect.Result, error) {
			return netdetect.Result{Addr: netip.MustParseAddr("192.168.122.9"), Name: "a", Member: &req.Cluster[0]}, nil
		})
		const want = "ETCD_PEER_CERT_FILE: /crt is not for 192.168.122.9, under which others connect to this member"
		var invalid *settings.Invalid
		if !hasData && (!errors.As(err, &invalid) || !strings.HasPrefix(err.Error(), want)) {
			t.Errorf("new: %v", err)
		}
		if hasData && (err != nil || !strings.HasPrefix(strings.Join(r.Notices, "\n"), want)) {
			t.Errorf("with data: %v, %+v", err, r)
		}
	}
}

// wal is a file in a WAL dir.
type wal struct{ fs.DirEntry }

func (wal) Name() string { return "0000000000000000-0000000000000000.wal" }

// TestListedOtherwise: what etcd would report as a failed discovery.
func TestListedOtherwise(t *testing.T) {
	l, err := Load(Input{Host: goodHost(), Environ: []string{three, "ETCD_NAME=a", "ETCD_LISTEN_PEER_URLS=http://10.0.0.1:2380", "ETCD_INITIAL_ADVERTISE_PEER_URLS=http://10.0.0.1:2390",
		"ETCD_LISTEN_CLIENT_URLS=http://10.0.0.1:2379", "ETCD_ADVERTISE_CLIENT_URLS=http://10.0.0.1:2379"}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = l.Resolve(t.Context(), noFind(t))
	const want = "ETCD_INITIAL_ADVERTISE_PEER_URLS: http://10.0.0.1:2390 is not what ETCD_INITIAL_CLUSTER has for a, http://10.0.0.1:2380 (" +
		"write the same in both, to the letter; or remove ETCD_INITIAL_ADVERTISE_PEER_URLS, which follows from the list)"
	if err == nil || err.Error() != want {
		t.Errorf("%v", err)
	}
}

// TestLinesUnderSystemd: systemd has read an env file. Its lines are named where
// all that it sets is in the environment, and otherwise no file is: systemd has
// read another one.
func TestLinesUnderSystemd(t *testing.T) {
	const file = "ETCD_NAME=x\nETCD_ELECTION_TIMEOUT=soon\nexport ETCD_DATA_DIR=/srv\n"
	in := Input{Host: goodHost(), ReadFile: func(path string) ([]byte, error) {
		if path != DefaultEnvFile {
			return nil, fs.ErrNotExist
		}
		return []byte(file), nil
	}}
	const line, bare, remark = "ETCD_ELECTION_TIMEOUT (/etc/default/etcd:2): invalid", "ETCD_ELECTION_TIMEOUT: invalid", "/etc/default/etcd:3: "
	for _, tc := range []struct {
		name    string
		environ []string
		want    string
		named   bool
	}{
		{"by hand", []string{"ETCD_NAME=x", "ETCD_ELECTION_TIMEOUT=soon"}, bare, false},
		{"under systemd", []string{"NOTIFY_SOCKET=/run/x", "ETCD_NAME=x", "ETCD_ELECTION_TIMEOUT=soon", "ETCD_MAX_WALS=7"}, line, true},
		{"another file, a value in both", []string{"NOTIFY_SOCKET=/run/x", "ETCD_NAME=y", "ETCD_ELECTION_TIMEOUT=soon"}, bare, false},
		{"another file, less in it", []string{"NOTIFY_SOCKET=/run/x", "ETCD_ELECTION_TIMEOUT=soon"}, bare, false},
	} {
		in.Environ = tc.environ
		_, err := Load(in)
		var invalid *settings.Invalid
		if !errors.As(err, &invalid) || !strings.HasPrefix(err.Error(), tc.want) {
			t.Errorf("%s: %v", tc.name, err)
		} else if all := err.Error() + strings.Join(invalid.Notices, "\n"); strings.Contains(all, DefaultEnvFile) != tc.named || strings.Contains(all, remark) != tc.named {
			t.Errorf("%s: %s, %q", tc.name, err, invalid.Notices)
		}
	}
}
