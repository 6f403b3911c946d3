package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/etcd-node/etcd-node/test/daemon"
)

// bad is a configuration that no member must be started with.
type bad struct {
	name string
	file string   // the env file
	args []string // the command line
	env  []string // the environment
	exit int      // without systemd; 0 means 78
	// waits: it may be mended without an edit, so that under systemd the daemon
	// waits. TestTLSFilesAwaited has these.
	waits bool
	// want is on one line of stderr: what is at fault, and the way out.
	want [2]string
}

const (
	password = "s3cret-passw0rd" // is set in every row, and never printed
	list     = "ETCD_INITIAL_CLUSTER=a=http://10.0.0.1:2380,b=http://10.0.0.2:2380,c=http://10.0.0.3:2380\n"
	tlsList  = "ETCD_INITIAL_CLUSTER=a=https://127.0.0.1:7380,b=https://127.0.0.1:7381,c=https://127.0.0.1:7382\nETCD_NAME=a\n"
	peerTLS  = tlsList + "ETCD_PEER_TRUSTED_CA_FILE=pki/ca.crt\n"
	// metricsTLS makes etcd load the files for clients.
	metricsTLS = "ETCD_LISTEN_METRICS_URLS=https://127.0.0.1:7383\n"
	shell      = "systemd runs no command and expands no variable there"
)

// badConfigurations: the first line of a file is line 1.
var badConfigurations = []bad{
	// The command line.
	{name: "unknown flag", args: []string{"--nome=x"}, exit: 2, want: [2]string{"-nome", "did you mean --name?"}},
	{name: "flag of etcd 3.5", args: []string{"--enable-v2"}, exit: 2, want: [2]string{"-enable-v2", "remove it"}},
	{name: "flag of etcd 3.6", args: []string{"--experimental-corrupt-check-time=1h"}, exit: 2, want: [2]string{"-experimental-corrupt-check-time", "write --corrupt-check-time"}},
	{name: "flag near none", args: []string{"-o", "json"}, exit: 2, want: [2]string{"-o", "--help lists the flags"}},
	{name: "no command", args: []string{"start"}, exit: 2, want: [2]string{`unknown command "start"`, "systemctl start etcd does that"}},
	{name: "nearly a command", args: []string{"stauts"}, exit: 2, want: [2]string{`etcd-node: unknown command "stauts"`, "did you mean status?"}},
	{name: "no flag", args: []string{"--name=a", "start"}, exit: 2, want: [2]string{`"start" is not a flag`, "--help lists the flags"}},
	{name: "flag without value", args: []string{"--name"}, exit: 2, want: [2]string{"-name", "--help lists the flags"}},
	{name: "flag's number", args: []string{"--election-timeout=1s"}, exit: 2, want: [2]string{"--election-timeout", "write 1000"}},
	{name: "flag's URL", args: []string{"--listen-peer-urls=10.0.0.1"}, exit: 2, want: [2]string{"--listen-peer-urls", "give scheme, address and port"}},
	{name: "flag's choice", args: []string{"--initial-cluster-state=old"}, exit: 2, want: [2]string{"--initial-cluster-state", "want one of existing, new"}},
	{name: "v2 proxy", args: []string{"--discovery-fallback=proxy"}, want: [2]string{"--discovery-fallback", "exit is the only value left"}},
	// Directories.
	{name: "WAL dir that is a mount point", file: "ETCD_WAL_DIR=/proc\n", want: [2]string{"etcd.env:1", "give a directory inside, /proc/wal"}},
	// Values.
	{name: "number", file: "\nETCD_HEARTBEAT_INTERVAL=100ms\n", want: [2]string{"etcd.env:2", "want a whole number"}},
	{name: "boolean", file: "ETCD_PRE_VOTE=maybe\n", want: [2]string{"etcd.env:1", "want true or false"}},
	{name: "duration", file: "ETCD_CORRUPT_CHECK_TIME=5\n", want: [2]string{"etcd.env:1", "a duration with its unit"}},
	{name: "state", file: "ETCD_INITIAL_CLUSTER_STATE=joining\n", want: [2]string{"etcd.env:1", "want one of existing, new"}},
	{name: "log level", file: "ETCD_LOG_LEVEL=loud\n", want: [2]string{"etcd.env:1", "want debug, info"}},
	{name: "log format", file: "ETCD_LOG_FORMAT=xml\n", want: [2]string{"etcd.env:1", "supported values json, console"}},
	{name: "feature gate", file: "ETCD_FEATURE_GATES=Nope=true\n", want: [2]string{"etcd.env:1", "unrecognized feature gate"}},
	{name: "cipher suite", file: "ETCD_CIPHER_SUITES=AES\n", want: [2]string{"etcd.env:1", "leave the choice to Go"}},
	{name: "compaction retention", file: "ETCD_AUTO_COMPACTION_RETENTION=one\n", want: [2]string{"etcd.env:1", "give hours, a duration"}},
	{name: "compaction mode", file: "ETCD_AUTO_COMPACTION_MODE=daily\n", want: [2]string{"etcd.env:1", "unknown auto-compaction-mode"}},
	{name: "log directory", file: "ETCD_LOG_OUTPUTS=/nonexistent/dir/etcd.log\n", want: [2]string{"etcd.env:1", "is the directory there"}},
	{name: "more than systemd takes", file: "ETCD_HEARTBEAT_INTERVAL=100ms\nETCD_LOG_LEVEL=" + strings.Repeat("loud_", 1000), want: [2]string{"etcd.env:1", "want a whole number"}},
	// Timing.
	{name: "heartbeat and default election", file: "ETCD_HEARTBEAT_INTERVAL=1000\n", want: [2]string{"etcd.env:1", "ten heartbeats"}},
	{name: "election too short", file: "ETCD_HEARTBEAT_INTERVAL=500\nETCD_ELECTION_TIMEOUT=2000\n", want: [2]string{"etcd.env:2", "ten heartbeats"}},
	{name: "election too long", file: "ETCD_ELECTION_TIMEOUT=60000\n", want: [2]string{"etcd.env:1", "at most 50000"}},
	{name: "no heartbeat", file: "ETCD_HEARTBEAT_INTERVAL=0\n", want: [2]string{"etcd.env:1", "ten heartbeats"}},
	// URLs.
	{name: "name to listen on", file: "ETCD_LISTEN_PEER_URLS=http://etcd-1:2380\n", want: [2]string{"etcd.env:1", "give the address of an interface"}},
	{name: "wrong scheme", file: "ETCD_LISTEN_CLIENT_URLS=tcp://0.0.0.0:2379\nETCD_ADVERTISE_CLIENT_URLS=http://10.0.0.1:2379\n", want: [2]string{"etcd.env:1", "give scheme, address and port"}},
	{name: "no port", file: "ETCD_ADVERTISE_CLIENT_URLS=http://10.0.0.1\n", want: [2]string{"etcd.env:1", "give scheme, address and port"}},
	{name: "no scheme", file: "ETCD_ADVERTISE_CLIENT_URLS=10.0.0.1:2379\n", want: [2]string{"etcd.env:1", "give scheme, address and port"}},
	{name: "a path", file: "ETCD_ADVERTISE_CLIENT_URLS=http://10.0.0.1:2379/v3\n", want: [2]string{"etcd.env:1", "give scheme, address and port"}},
	{name: "no such port", file: "ETCD_LISTEN_METRICS_URLS=http://0.0.0.0:70000\n", want: [2]string{"etcd.env:1", "up to 65535"}},
	{name: "one port for two", file: "ETCD_LISTEN_CLIENT_URLS=http://127.0.0.1:2380\nETCD_ADVERTISE_CLIENT_URLS=http://127.0.0.1:2380\n", want: [2]string{"etcd.env:1", "different ports"}},
	{name: "nothing advertised", file: "ETCD_LISTEN_CLIENT_URLS=http://0.0.0.0:2379\n", want: [2]string{"etcd.env:1", "set ETCD_ADVERTISE_CLIENT_URLS"}},
	{name: "https without certificate", file: "ETCD_LISTEN_METRICS_URLS=https://127.0.0.1:2381\n", want: [2]string{"etcd.env:1", "set ETCD_CERT_FILE and ETCD_KEY_FILE"}},
	{name: "credentials in a URL", file: "ETCD_ADVERTISE_CLIENT_URLS=http://root:" + password + "@10.0.0.1\n", want: [2]string{"etcd.env:1", "give scheme, address and port"}},
	// The cluster list.
	{name: "list without names", file: "ETCD_INITIAL_CLUSTER=http://10.0.0.1:2380\n", want: [2]string{"etcd.env:1", "is not NAME=URL"}},
	{name: "list with blanks", file: "ETCD_INITIAL_CLUSTER=\"a=http://10.0.0.1:2380, b=http://10.0.0.2:2380\"\n", want: [2]string{"etcd.env:1", "without blanks"}},
	{name: "list without ports", file: "ETCD_INITIAL_CLUSTER=a=http://10.0.0.1\n", want: [2]string{"etcd.env:1", "a peer URL is http://HOST:2380"}},
	{name: "one address for two members", file: "ETCD_INITIAL_CLUSTER=a=http://10.0.0.1:2380,b=http://10.0.0.1:2380\n", want: [2]string{"etcd.env:1", "give each member its own"}},
	{name: "https list without certificate", file: "ETCD_INITIAL_CLUSTER=a=https://10.0.0.1:2380\n", want: [2]string{"etcd.env:1", "set ETCD_PEER_CERT_FILE"}},
	{name: "name not in the list", file: list + "ETCD_NAME=d\nETCD_LISTEN_PEER_URLS=http://127.0.0.1:7380\nETCD_INITIAL_ADVERTISE_PEER_URLS=http://10.0.0.4:2380\nETCD_LISTEN_CLIENT_URLS=http://127.0.0.1:7379\nETCD_ADVERTISE_CLIENT_URLS=http://10.0.0.4:2379\n",
		want: [2]string{"etcd.env:2", "set ETCD_NAME to the name that the list gives this machine"}},
	{name: "advertised otherwise than listed", file: list + "ETCD_NAME=a\nETCD_LISTEN_PEER_URLS=http://127.0.0.1:7380\nETCD_INITIAL_ADVERTISE_PEER_URLS=http://10.0.0.1:2390\nETCD_LISTEN_CLIENT_URLS=http://127.0.0.1:7379\nETCD_ADVERTISE_CLIENT_URLS=http://10.0.0.1:2379\n",
		want: [2]string{"etcd.env:4", "write the same in both"}},
	{name: "list and discovery", file: list + "ETCD_DISCOVERY_SRV=lab.example\n", want: [2]string{"etcd.env:2", "either listed or discovered"}},
	{name: "half a discovery", file: "ETCD_DISCOVERY_TOKEN=x\n", want: [2]string{"etcd.env:1", "set ETCD_DISCOVERY_TOKEN and ETCD_DISCOVERY_ENDPOINTS"}},
	// The pairs.
	{name: "half a pair", file: "ETCD_1=a\n", want: [2]string{"etcd.env:1", "set ETCD_IP_1"}},
	{name: "a gap", file: "ETCD_1=a\nETCD_IP_1=10.0.0.1\nETCD_3=c\nETCD_IP_3=10.0.0.3\n", want: [2]string{"etcd.env:3", "ETCD_2 and ETCD_IP_2 are missing"}},
	{name: "an address twice", file: "ETCD_1=a\nETCD_IP_1=10.0.0.1\nETCD_2=b\nETCD_IP_2=10.0.0.1\n", want: [2]string{"etcd.env:4", "is already in ETCD_IP_1"}},
	{name: "pairs against list", file: list + "ETCD_1=a\nETCD_IP_1=10.0.0.9\n", want: [2]string{"etcd.env:2", "remove one of the two"}},
	{name: "an address with its port", file: "ETCD_1=a\nETCD_IP_1=10.0.0.1:2380\n", want: [2]string{"etcd.env:2", "give the address alone"}},
	{name: "two tokens", file: "ETCD_TOKEN=a\nETCD_INITIAL_CLUSTER_TOKEN=b\n", want: [2]string{"etcd.env:1", "remove one of the two"}},
	{name: "a prefix for an address", file: "ETCD_PEER=10.0.0.1/24\n", want: [2]string{"etcd.env:1", "write 10.0.0.1"}},
	// What systemd leaves in a value, and shell syntax.
	{name: "a comment behind a name", file: "ETCD_NAME=etcd-1 # this one\n", want: [2]string{"etcd.env:1", "give the comment a line of its own"}},
	{name: "a comment behind a number", file: "ETCD_ELECTION_TIMEOUT=5000 # ms\n", want: [2]string{"etcd.env:1", "give the comment a line of its own"}},
	{name: "a blank in quotes", file: "ETCD_INITIAL_CLUSTER_TOKEN=\"token \"\n", want: [2]string{"etcd.env:1", "take the blank out of the quotes"}},
	{name: "a quote that is closed too late", file: "ETCD_QUOTA_BACKEND_BYTES=\"16777216\n\"\n", want: [2]string{"etcd.env:1", "close the quote on the line on which it begins"}},
	{name: "semicolons in the list", file: "ETCD_INITIAL_CLUSTER=a=http://10.0.0.1:2380;b=http://10.0.0.2:2380\n", want: [2]string{"etcd.env:1", "separate the members by commas"}},
	{name: "a quote in the middle", file: "ETCD_ADVERTISE_CLIENT_URLS=http://\"10.0.0.1\":2379\n", want: [2]string{"etcd.env:1", "put the whole value in quotes"}},
	{name: "a name that is none", file: "ETCD_NAME=\"etcd 1\"\n", want: [2]string{"etcd.env:1", "letters, digits and dashes"}},
	{name: "shell in the name", file: "ETCD_NAME=$(hostname -f)\n", want: [2]string{"etcd.env:1", shell}},
	{name: "shell in a URL", file: "ETCD_LISTEN_PEER_URLS=http://$IP:2380\n", want: [2]string{"etcd.env:1", shell}},
	{name: "shell in a path", file: "ETCD_DATA_DIR=${HOME}/etcd\n", want: [2]string{"etcd.env:1", shell}},
	{name: "shell in a path of the config file", args: []string{"--config-file=shell.yml"}, want: [2]string{"shell.yml", shell}},
	{name: "not UTF-8", file: "A=1\nB=\xff\n", want: [2]string{"etcd.env:2", "systemd refuses the whole file"}},
	// Ours.
	{name: "unknown setting", file: "ETCD_NODE_REDY=all\n", want: [2]string{"etcd.env:1", "did you mean ETCD_NODE_READY?"}},
	{name: "readiness", file: "ETCD_NODE_READY=most\n", want: [2]string{"etcd.env:1", "neither quorum nor all"}},
	{name: "wait without a unit", file: "ETCD_NODE_ADDRESS_WAIT=60\n", want: [2]string{"etcd.env:1", "it has no unit"}},
	{name: "hang limit too short", file: "ETCD_NODE_HANG_LIMIT=1s\n", want: [2]string{"etcd.env:1", "give at least 3s"}},
	{name: "failover", file: "ETCD_NODE_FAILOVER=no\n", want: [2]string{"etcd.env:1", "neither on nor off"}},
	{name: "reserve too small", file: "ETCD_NODE_DISK_RESERVE=1MiB\n", want: [2]string{"etcd.env:1", "cannot hold a WAL segment"}},
	{name: "reserve without size", file: "ETCD_NODE_DISK_RESERVE=much\n", want: [2]string{"etcd.env:1", "such as 192MiB"}},
	// TLS; pki makes the files.
	{name: "no such certificate", waits: true, file: peerTLS + "ETCD_PEER_CERT_FILE=pki/none.crt\nETCD_PEER_KEY_FILE=pki/good.key\n", want: [2]string{"etcd.env:4", "correct the path"}},
	{name: "certificate without key", file: "ETCD_CERT_FILE=pki/good.crt\n", want: [2]string{"etcd.env:1", "set ETCD_KEY_FILE too"}},
	{name: "key of another", waits: true, file: peerTLS + "ETCD_PEER_CERT_FILE=pki/good.crt\nETCD_PEER_KEY_FILE=pki/expired.key\n", want: [2]string{"etcd.env:5", "that were made together"}},
	{name: "key for certificate", waits: true, file: metricsTLS + "ETCD_CERT_FILE=pki/good.key\nETCD_KEY_FILE=pki/good.key\n", want: [2]string{"etcd.env:2", "give the certificate in PEM"}},
	{name: "a directory for a file", waits: true, file: metricsTLS + "ETCD_CERT_FILE=pki\nETCD_KEY_FILE=pki/good.key\n", want: [2]string{"etcd.env:2", "put a PEM file there"}},
	{name: "an empty CA", waits: true, file: tlsList + "ETCD_PEER_TRUSTED_CA_FILE=pki/empty\nETCD_PEER_CERT_FILE=pki/good.crt\nETCD_PEER_KEY_FILE=pki/good.key\n", want: [2]string{"etcd.env:3", "give the CA's certificate"}},
	{name: "of another CA", file: tlsList + "ETCD_PEER_TRUSTED_CA_FILE=pki/other.crt\nETCD_PEER_CERT_FILE=pki/good.crt\nETCD_PEER_KEY_FILE=pki/good.key\n", want: [2]string{"etcd.env:4", "is it from another CA"}},
	{name: "a negative serial number", waits: true, file: metricsTLS + "ETCD_CERT_FILE=pki/negative.crt\nETCD_KEY_FILE=pki/good.key\n", want: [2]string{"etcd.env:2", "pki/negative.crt: its certificate cannot be parsed: x509: negative serial number"}},
	{name: "a negative serial number in a CA", waits: true, file: metricsTLS + "ETCD_CERT_FILE=pki/good.crt\nETCD_KEY_FILE=pki/good.key\nETCD_TRUSTED_CA_FILE=pki/bundle.crt\n", want: [2]string{"etcd.env:4", "pki/bundle.crt: certificate 2 of 2 cannot be parsed: x509: negative serial number"}},
	{name: "a server only", file: peerTLS + "ETCD_PEER_CERT_FILE=pki/server.crt\nETCD_PEER_KEY_FILE=pki/server.key\n", want: [2]string{"etcd.env:4", "extendedKeyUsage = serverAuth, clientAuth"}},
	{name: "for another address", file: peerTLS + "ETCD_PEER_CERT_FILE=pki/elsewhere.crt\nETCD_PEER_KEY_FILE=pki/elsewhere.key\n", want: [2]string{"etcd.env:4", "as subjectAltName"}},
	{name: "no key for tokens", waits: true, file: "ETCD_AUTH_TOKEN=jwt,pub-key=pki/none.pub,sign-method=RS256\n", want: [2]string{"etcd.env:1", "correct the path"}},
	// Files.
	{name: "no env file", env: []string{"ETCD_NODE_ENV_FILE=none.env"}, want: [2]string{"none.env", "ETCD_NODE_ENV_FILE names it"}},
	{name: "a directory for the env file", env: []string{"ETCD_NODE_ENV_FILE=pki"}, want: [2]string{"pki", "is a directory"}},
	{name: "no config file", args: []string{"--config-file=none.yml"}, want: [2]string{"--config-file", "no such file"}},
	{name: "a bad URL in the config file", args: []string{"--config-file=bad.yml"}, want: [2]string{"bad.yml: listen-peer-urls", "URL scheme must be"}},
	{name: "a config file that is no YAML", args: []string{"--config-file=pki/good.crt"}, want: [2]string{"pki/good.crt", "--config-file"}},
}

// TestBadConfigurations starts the real binary with each of them, by hand and
// under something that plays systemd: it ends at once with the exit code of its
// kind, names what is at fault and the way out, prints no secret, and leaves
// no trace on the disk.
func TestBadConfigurations(t *testing.T) {
	t.Parallel()
	if len(badConfigurations) < 60 {
		t.Errorf("%d rows", len(badConfigurations))
	}
	files := makePKI()
	for _, b := range badConfigurations {
		for _, systemd := range []bool{false, true} {
			if systemd && b.waits {
				continue
			}
			name := b.name
			if systemd {
				name += " under systemd"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				b.run(t, files, systemd)
			})
		}
	}
}

// keyLine is a line of base64, as keys and certificates are made of.
var keyLine = regexp.MustCompile(`[A-Za-z0-9+/]{40}`)

func (b bad) run(t *testing.T, pki map[string][]byte, systemd bool) {
	dir := t.TempDir()
	write := func(name string, data []byte) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, data := range pki {
		write(filepath.Join("pki", name), data)
	}
	write("bad.yml", []byte("name: x\nlisten-peer-urls: tcp://10.0.0.1:2380\n"))
	write("shell.yml", []byte("name: x\ndata-dir: ${HOME}/etcd\n"))
	write("etcd.env", []byte("ETCD_NODE_ENV_FILE=/dev/null\n"))
	if b.file != "" {
		write("etcd.env", []byte(b.file))
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "etcd-node", b.args...)
	cmd.Dir = dir
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "ETCD_NODE_ENV_FILE=etcd.env", "ETCD_DISCOVERY_PASSWORD=" + password}, b.env...)
	exit := 78
	var told []string
	heard := func() {}
	if systemd {
		socket := filepath.Join(t.TempDir(), "s")
		s, err := daemon.Listen(socket, func(text string) { told = append(told, text) })
		if err != nil {
			t.Fatal(err)
		}
		heard = s.Close
		cmd.Env = append(cmd.Env, "NOTIFY_SOCKET="+socket)
	} else if b.exit != 0 {
		exit = b.exit
	}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	before := treeOf(t, dir)
	err := cmd.Run()
	heard()
	var ended *exec.ExitError
	if !errors.As(err, &ended) {
		t.Fatalf("it went on: %v\n%s", err, out.String())
	}
	if code := ended.ExitCode(); code != exit {
		t.Errorf("exit code %d, want %d", code, exit)
	}
	// The time it worked, not the time the machine let it wait.
	if cpu := ended.UserTime() + ended.SystemTime(); cpu > time.Second {
		t.Errorf("it took %v", cpu)
	}
	said := false
	for line := range strings.Lines(out.String()) {
		said = said || strings.Contains(line, b.want[0]) && strings.Contains(line, b.want[1])
	}
	if !said {
		t.Errorf("no line with %q", b.want)
	}
	if strings.Contains(out.String(), password) || keyLine.MatchString(out.String()) {
		t.Error("it prints a secret")
	}
	if after := treeOf(t, dir); after != before {
		t.Errorf("on disk before:\n%s\nafter:\n%s", before, after)
	}
	if systemd {
		i := slices.IndexFunc(told, func(s string) bool { return strings.HasPrefix(s, "STATUS=failed: ") })
		if i < 0 || !strings.Contains(told[i], b.want[1]) || len(told[i]) > 4096 || strings.Contains(strings.Join(told, ""), password) {
			t.Errorf("systemd was told %q", told)
		}
	}
	if t.Failed() {
		t.Log(out.String())
	}
}

// treeOf lists what is below a directory: paths, modes, sizes, times.
func treeOf(t *testing.T, dir string) string {
	t.Helper()
	var list []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil {
			list = append(list, fmt.Sprintln(path, info.Mode(), info.Size(), info.ModTime()))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(list)
	return strings.Join(list, "")
}
