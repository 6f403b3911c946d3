package config

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/etcd-node/etcd-node/pkg/config/settings"
)

// TestBadConfigurations: what was written, and every problem that is reported.
func TestBadConfigurations(t *testing.T) {
	const shell = "; systemd runs no command and expands no variable there "
	for _, tc := range []struct {
		name    string
		args    []string
		environ []string
		file    string // /etc/default/etcd
		want    []string
		usage   bool
	}{
		{
			name: "unknown flag", args: []string{"--nome=x"}, usage: true,
			want: []string{"flag provided but not defined: -nome (did you mean --name?)"},
		}, {
			name: "not a flag", args: []string{"--name=x", "start"}, usage: true,
			want: []string{`"start" is not a flag (--help lists the flags)`},
		}, {
			name: "a flag that etcd had", args: []string{"--experimental-initial-corrupt-check"}, usage: true,
			want: []string{"flag provided but not defined: -experimental-initial-corrupt-check (etcd 3.6 was the last to have it: write --feature-gates=InitialCorruptCheck=true)"},
		}, {
			name: "flag without its value", args: []string{"--name"}, usage: true,
			want: []string{"flag needs an argument: -name (--help lists the flags)"},
		}, {
			name: "bad values of flags, and of a variable", usage: true,
			args:    []string{"--election-timeout=1s", "--pre-vote=maybe", "--corrupt-check-time=5", "--initial-cluster-state=old"},
			environ: []string{"ETCD_MAX_WALS=many"},
			want: []string{
				`--election-timeout: invalid value "1s": want a whole number of milliseconds (write 1000)`,
				`--pre-vote: invalid value "maybe": want true or false`,
				`--corrupt-check-time: invalid value "5": want a duration with its unit, such as 300ms or 5s`,
				`--initial-cluster-state: invalid value "old": want one of existing, new`,
				`ETCD_MAX_WALS: invalid value "many": want a whole number`,
			},
		}, {
			name: "values that etcd itself refuses or panics on",
			environ: []string{
				"ETCD_LISTEN_PEER_URLS=192.168.122.5:2380", "ETCD_LOG_LEVEL=loud", "ETCD_LOG_FORMAT=xml",
				"ETCD_FEATURE_GATES=Nope=true", "ETCD_MAX_CONCURRENT_STREAMS=-1",
			},
			want: []string{
				`ETCD_FEATURE_GATES: invalid value "Nope=true": unrecognized feature gate: Nope`,
				`ETCD_LISTEN_PEER_URLS: invalid value "192.168.122.5:2380": parse "192.168.122.5:2380": first path segment in URL cannot contain colon (give scheme, address and port, http://192.168.122.5:2380 for peers, :2379 for clients)`,
				`ETCD_LOG_FORMAT: invalid value "xml": unknown log format: xml, supported values json, console`,
				`ETCD_LOG_LEVEL: invalid value "loud": want debug, info, warn, error, panic or fatal`,
				`ETCD_MAX_CONCURRENT_STREAMS: invalid value "-1": strconv.ParseUint: parsing "-1": invalid syntax`,
			},
		}, {
			name: "what etcd's Validate finds, before any detection", args: []string{"--name=x"},
			file: "ETCD_HEARTBEAT_INTERVAL=1000\nETCD_NODE_INTERFACE=eth0\n",
			want: []string{"ETCD_HEARTBEAT_INTERVAL (/etc/default/etcd:1): --election-timeout[1000ms] should be at least as 5 times as --heartbeat-interval[1000ms] (set ETCD_ELECTION_TIMEOUT to ten heartbeats, the same on all members; both are in milliseconds)"},
		}, {
			name: "a name to listen on", environ: []string{"ETCD_LISTEN_PEER_URLS=http://etcd-1:2380"},
			want: []string{"ETCD_LISTEN_PEER_URLS: expected IP in URL for binding (http://etcd-1:2380) (give the address of an interface, 0.0.0.0, or localhost; or leave the setting out and it is found)"},
		}, {
			name: "clients without an advertised URL", environ: []string{"ETCD_LISTEN_CLIENT_URLS=http://0.0.0.0:2379"},
			want: []string{"ETCD_LISTEN_CLIENT_URLS: --advertise-client-urls is required when --listen-client-urls is set explicitly (set ETCD_ADVERTISE_CLIENT_URLS to the URLs under which clients reach this member)"},
		}, {
			name:    "only the cause, not what follows from it",
			environ: []string{"ETCD_LISTEN_CLIENT_URLS=http://0.0.0.0:2379", "ETCD_ADVERTISE_CLIENT_URLS=10.0.0.5"},
			want:    []string{`ETCD_ADVERTISE_CLIENT_URLS: invalid value "10.0.0.5": URL scheme must be http, https, unix, or unixs: 10.0.0.5 (give scheme, address and port, http://192.168.122.5:2380 for peers, :2379 for clients)`},
		}, {
			name: "two ways of discovery", environ: []string{"ETCD_1=a", "ETCD_IP_1=10.0.0.5", "ETCD_DISCOVERY_SRV=lab.example"},
			want: []string{`ETCD_DISCOVERY_SRV, ETCD_1 … ETCD_IP_1: multiple discovery or bootstrap flags are set. Choose one of "initial-cluster", "discovery-endpoints" or "discovery-srv" (remove all but one: a cluster is either listed or discovered)`},
		}, {
			name: "v2 proxy", args: []string{"--discovery-fallback=proxy"},
			want: []string{`--discovery-fallback: --discovery-fallback cannot be "proxy": etcd no longer has a proxy (remove it: exit is the only value left)`},
		}, {
			name: "cluster lists", environ: []string{"ETCD_INITIAL_CLUSTER=etcd-1=http://10.0.0.1:2380, etcd-2=http://10.0.0.2:2380"},
			want: []string{`ETCD_INITIAL_CLUSTER: a blank at the name " etcd-2" (write the list without blanks)`},
		}, {
			name: "cluster list without names", environ: []string{"ETCD_INITIAL_CLUSTER=http://10.0.0.1:2380"},
			want: []string{`ETCD_INITIAL_CLUSTER: "http://10.0.0.1:2380" is not NAME=URL (write etcd-1=http://HOST:2380 and so on)`},
		}, {
			name: "everything that is wrong in one value",
			environ: []string{"ETCD_INITIAL_CLUSTER=a=htp://10.0.0.1:2380,b=http://10.0.0.2,c=http://10.0.0.3:2380,d, e=http://10.0.0.5:2380",
				"ETCD_LISTEN_CLIENT_URLS=htp://10.0.0.1:2379,http://127.0.0.1:2379,http://10.0.0.2"},
			want: []string{
				`ETCD_LISTEN_CLIENT_URLS: invalid value "htp://10.0.0.1:2379,http://127.0.0.1:2379,http://10.0.0.2": URL scheme must be http, https, unix, or unixs: htp://10.0.0.1:2379; URL address does not have the form "host:port": http://10.0.0.2 (give scheme, address and port, http://192.168.122.5:2380 for peers, :2379 for clients)`,
				`ETCD_INITIAL_CLUSTER: URL scheme must be http, https, unix, or unixs: htp://10.0.0.1:2380 (a peer URL is http://HOST:2380 or https://HOST:2380)`,
				`ETCD_INITIAL_CLUSTER: URL address does not have the form "host:port": http://10.0.0.2 (a peer URL is http://HOST:2380 or https://HOST:2380)`,
				`ETCD_INITIAL_CLUSTER: "d" is not NAME=URL (write etcd-1=http://HOST:2380 and so on)`,
				`ETCD_INITIAL_CLUSTER: a blank at the name " e" (write the list without blanks)`,
			},
		}, {
			name: "cluster list without ports", environ: []string{"ETCD_INITIAL_CLUSTER=a=http://10.0.0.1"},
			want: []string{`ETCD_INITIAL_CLUSTER: URL address does not have the form "host:port": http://10.0.0.1 (a peer URL is http://HOST:2380 or https://HOST:2380)`},
		}, {
			name: "shell syntax",
			environ: []string{
				"ETCD_INITIAL_CLUSTER=${ETCD_1}=http://${ETCD_IP_1}:2380", "ETCD_NAME=`hostname -f`", "ETCD_1=$NAME", "ETCD_IP_1=$(getent hosts etcd-1)",
				"ETCD_PEER=$(hostname -I | awk '{print $1}')", "ETCD_TOKEN=$(uuidgen)", "ETCD_LISTEN_CLIENT_URLS=http://$IP:2379", "ETCD_NODE_INTERFACE=${IF}",
			},
			want: []string{
				`ETCD_NODE_INTERFACE: shell syntax in "${IF}"` + shell + `(write the value itself)`,
				`ETCD_PEER: shell syntax in "$(hostname -I | awk '{print $1}')"` + shell + `(remove the line: the address is found without it, and ETCD_NODE_INTERFACE names the interface to look on)`,
				`ETCD_TOKEN: shell syntax in "$(uuidgen)"` + shell + `(write the value itself)`,
				`ETCD_INITIAL_CLUSTER: shell syntax in "${ETCD_1}=http://${ETCD_IP_1}:2380"` + shell + `(remove the line and give ETCD_1=NAME and ETCD_IP_1=ADDRESS, ETCD_2=… for each member; or write the list itself)`,
				`ETCD_LISTEN_CLIENT_URLS: shell syntax in "http://$IP:2379"` + shell + `(write the value itself)`,
				"ETCD_NAME: shell syntax in \"`hostname -f`\"" + shell + `(remove the line: the short host name is found without it; or write the name itself)`,
				`ETCD_1: shell syntax in "$NAME"` + shell + `(write the name itself)`,
				`ETCD_IP_1: shell syntax in "$(getent hosts etcd-1)"` + shell + `(write the address itself)`,
			},
		}, {
			name: "half pairs and a gap", environ: []string{"ETCD_1=a", "ETCD_IP_1=10.0.0.1", "ETCD_3=c", "ETCD_IP_4=10.0.0.4"},
			want: []string{
				"ETCD_3: a gap in the numbering: ETCD_2 and ETCD_IP_2 are missing",
				"ETCD_3: half a pair (set ETCD_IP_3 to the member's address)",
				"ETCD_IP_4: half a pair (set ETCD_4 to the member's name)",
			},
		}, {
			name: "pairs that say the same twice",
			file: "ETCD_1=a\nETCD_IP_1=FD00::1\nETCD_2=a\nETCD_IP_2=fd00:0:0::1\n",
			want: []string{
				"ETCD_2 (/etc/default/etcd:3): a is already in ETCD_1 (/etc/default/etcd:1)",
				"ETCD_IP_2 (/etc/default/etcd:4): fd00::1 is already in ETCD_IP_1 (/etc/default/etcd:2)",
			},
		}, {
			name: "numbers", environ: []string{"ETCD_0=a", "ETCD_IP_01=10.0.0.1", "ETCD_2380=x"},
			want: []string{
				"ETCD_0: the members are numbered 1, 2, 3 …",
				"ETCD_2380: the members are numbered 1, 2, 3 …",
				"ETCD_IP_01: the members are numbered 1, 2, 3 …",
			},
		}, {
			name: "names and addresses in pairs", environ: []string{"ETCD_1=a,b", "ETCD_IP_1=10.0.0.1:2380", "ETCD_2=c", "ETCD_IP_2=10.0.0.256"},
			want: []string{
				`ETCD_1: "a,b" cannot be the name of a member: it holds a blank, "," or "="`,
				`ETCD_IP_1: "10.0.0.1:2380" is neither an IP address nor a DNS name (give the address alone; where ports differ from 2380 use ETCD_INITIAL_CLUSTER instead of the pairs)`,
				`ETCD_IP_2: "10.0.0.256" is neither an IP address nor a DNS name (give the address alone; where ports differ from 2380 use ETCD_INITIAL_CLUSTER instead of the pairs)`,
			},
		}, {
			name: "pairs against the list: address", environ: []string{"ETCD_1=a", "ETCD_IP_1=10.0.0.1", "ETCD_INITIAL_CLUSTER=a=http://10.0.0.2:2380"},
			want: []string{"ETCD_1 … ETCD_IP_1: contradicts ETCD_INITIAL_CLUSTER: a has 10.0.0.2 there and 10.0.0.1 in ETCD_IP_1 (remove one of the two)"},
		}, {
			name: "pairs against the list: members", environ: []string{"ETCD_1=a", "ETCD_IP_1=10.0.0.1", "ETCD_INITIAL_CLUSTER=a=http://10.0.0.1:2380,b=http://10.0.0.2:2380"},
			want: []string{"ETCD_1 … ETCD_IP_1: contradicts ETCD_INITIAL_CLUSTER: b is in no pair (remove one of the two)"},
		}, {
			name: "pairs against the list: name", environ: []string{"ETCD_1=x", "ETCD_IP_1=10.0.0.1", "ETCD_INITIAL_CLUSTER=a=http://10.0.0.1:2380"},
			want: []string{"ETCD_1 … ETCD_IP_1: contradicts ETCD_INITIAL_CLUSTER: x (ETCD_1) is not in it (remove one of the two)"},
		}, {
			name: "two tokens", environ: []string{"ETCD_TOKEN=a", "ETCD_INITIAL_CLUSTER_TOKEN=b"},
			want: []string{"ETCD_TOKEN: contradicts ETCD_INITIAL_CLUSTER_TOKEN: another token (remove one of the two)"},
		}, {
			name: "two interfaces", environ: []string{"ETCD_PEER=$(ip a show dev eth0 | grep inet)", "ETCD_NODE_INTERFACE=eth1"},
			want: []string{"ETCD_PEER: names the interface eth0, and ETCD_NODE_INTERFACE names eth1 (remove one of the two)"},
		}, {
			name: "ours", environ: []string{"ETCD_NODE_READY=most", "ETCD_NODE_ADDRESS_WAIT=60", "ETCD_NODE_START_TIMEOUT=-1s", "ETCD_NODE_BOOTSTRAP_WAIT=ever", "ETCD_NODE_REDY=all", "ETCD_PEER=192.168.122.5/24"},
			want: []string{
				`ETCD_NODE_ADDRESS_WAIT: "60" is not a length of time: it has no unit (give a duration, such as the default, 60s)`,
				`ETCD_NODE_READY: "most" is neither quorum nor all (write quorum or all; the default is quorum)`,
				`ETCD_NODE_START_TIMEOUT: "-1s" must not be negative (give a duration, such as 10m; 0s means for ever; the default is 0s)`,
				`ETCD_NODE_BOOTSTRAP_WAIT: "ever" is not a length of time (give a duration, such as the default, 30s, or forever; 0s means not at all)`,
				`ETCD_PEER: "192.168.122.5/24" is a prefix, not an address (write 192.168.122.5)`,
				`ETCD_NODE_REDY: no such setting (did you mean ETCD_NODE_READY?)`,
			},
		}, {
			name: "not an address of a peer", environ: []string{"ETCD_PEER=0.0.0.0"},
			want: []string{`ETCD_PEER: "0.0.0.0" is not an IP address under which the other members can reach this one (remove the line: the address is found without it)`},
		}, {
			name: "an env file that systemd refuses", file: "A=1\nB=\xff\n",
			want: []string{"/etc/default/etcd:2: not valid UTF-8; systemd refuses the whole file"},
		}, {
			name: "no config file", environ: []string{"ETCD_CONFIG_FILE=/etc/etcd/none.yml"},
			want: []string{"ETCD_CONFIG_FILE: /etc/etcd/none.yml: open etc/etcd/none.yml: file does not exist"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			in := Input{Args: tc.args, Environ: tc.environ, ReadFile: func(string) ([]byte, error) {
				return nil, &fs.PathError{Op: "open", Path: "etc/etcd/none.yml", Err: fs.ErrNotExist}
			}}
			if tc.file != "" {
				in.EnvFile = DefaultEnvFile
				in.ReadFile = func(string) ([]byte, error) { return []byte(tc.file), nil }
			}
			_, err := Load(in)
			var invalid *settings.Invalid
			if !errors.As(err, &invalid) {
				t.Fatalf("Load: %v", err)
			}
			if got := strings.Split(err.Error(), "\n"); !slices.Equal(got, tc.want) {
				t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(tc.want, "\n"))
			}
			if invalid.Usage() != tc.usage {
				t.Errorf("usage: %v", invalid.Usage())
			}
		})
	}
}

// TestNotListed: a new member that the list does not know is refused even
// where nothing had to be detected.
func TestNotListed(t *testing.T) {
	l, err := Load(Input{Args: append(slices.Clone(base), "--initial-cluster=a=http://127.0.0.1:12380,b=http://127.0.0.2:2380")})
	if err != nil {
		t.Fatal(err)
	}
	_, err = l.Resolve(t.Context(), noFind(t))
	want := "--name: this member's name, m1, is not in --initial-cluster, which lists a, b (set ETCD_NAME to the name that the list gives this machine)"
	if err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}

func TestVersionAndHelp(t *testing.T) {
	for _, arg := range []string{"--version", "-version", "--version=true"} {
		l, err := Load(Input{Args: []string{arg}, Environ: []string{"ETCD_MAX_WALS=bad"}})
		if err != nil || !l.Version {
			t.Errorf("%s: %+v, %v", arg, l, err)
		}
	}
	for _, arg := range []string{"--help", "-h", "-help"} {
		if _, err := Load(Input{Args: []string{arg}}); err != flag.ErrHelp {
			t.Errorf("%s: %v", arg, err)
		}
	}
}

func TestNode(t *testing.T) {
	l, err := Load(Input{})
	want := settings.Node{AddressWait: time.Minute, BootstrapWait: 30 * time.Second, Failover: true, HostSilence: 400 * time.Millisecond, FastStart: true,
		HangLimit: 10 * time.Second, DiskReserve: 192 << 20, EnvFile: "/etc/default/etcd", Unit: "etcd.service"}
	if err != nil || l.Node() != want {
		t.Errorf("defaults: %+v, %v", l.Node(), err)
	}
	// What the process environment says must not come in past Input.
	t.Setenv("ETCD_NODE_READY", "all")
	t.Setenv("ETCD_PEER", "10.0.0.1")
	t.Setenv("VALUE", "10.0.0.1")
	t.Setenv("_VALUE", "10.0.0.1")
	l, err = Load(Input{Environ: []string{
		"ETCD_NODE_INTERFACE=ens3", "ETCD_NODE_ADDRESS_WAIT=90s", "ETCD_NODE_START_TIMEOUT=10m", "ETCD_NODE_ENV_FILE=/etc/etcd.env",
		"ETCD_NODE_FAILOVER=off", "ETCD_NODE_FAST_START=off", "ETCD_NODE_HANG_LIMIT=30s", "ETCD_NODE_DISK_RESERVE=0",
		"ETCD_NODE_BOOTSTRAP_WAIT=forever", "ETCD_NODE_HOST_SILENCE=0s",
	}})
	want = settings.Node{Interface: "ens3", AddressWait: 90 * time.Second, StartTimeout: 10 * time.Minute, BootstrapWait: -1, HangLimit: 30 * time.Second, EnvFile: "/etc/etcd.env", Unit: "etcd.service"}
	if err != nil || l.Node() != want || l.peer.addr.IsValid() {
		t.Errorf("set: %+v, %v", l.Node(), err)
	}
	if _, err := Load(Input{Environ: []string{"ETCD_NODE_FAILOVER=no"}}); err == nil || !strings.Contains(err.Error(), "neither on nor off") {
		t.Errorf("neither on nor off: %v", err)
	}
	for value, want := range map[string]string{
		"ETCD_NODE_HANG_LIMIT=1s": "too short", "ETCD_NODE_HANG_LIMIT=10": "not a length of time",
		"ETCD_NODE_DISK_RESERVE=1MiB": "cannot hold a WAL segment", "ETCD_NODE_DISK_RESERVE=much": "not a size", "ETCD_NODE_DISK_RESERVE=-1": "not a size",
	} {
		if _, err := Load(Input{Environ: []string{value}}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", value, err, want)
		}
	}
	l, err = Load(Input{Environ: []string{"ETCD_NODE_READY=all"}})
	if err != nil || !l.Node().ReadyAll {
		t.Errorf("ready: %+v, %v", l.Node(), err)
	}
}

func TestEnvFile(t *testing.T) {
	self := fmt.Sprint(os.Getpid())
	for _, tc := range []struct{ envFile, execPID, socket, want string }{
		{"", "", "", DefaultEnvFile},
		{"/x", "", "", "/x"},
		{"/x", self, "/run/x", ""},
		{"", "1", "/run/x", DefaultEnvFile}, // below a service, not it
		{"", "", "/run/x", ""},              // systemd before 248
	} {
		t.Setenv("ETCD_NODE_ENV_FILE", tc.envFile)
		t.Setenv("SYSTEMD_EXEC_PID", tc.execPID)
		t.Setenv("NOTIFY_SOCKET", tc.socket)
		if got := EnvFile(); got != tc.want {
			t.Errorf("%+v: %q", tc, got)
		}
	}
}

func TestEnvFileThatCannotBeRead(t *testing.T) {
	for _, tc := range []struct {
		path string
		err  error
		want string
	}{
		{DefaultEnvFile, fs.ErrNotExist, ""},
		{"/x", fs.ErrNotExist, "/x: no such env file (ETCD_NODE_ENV_FILE names it)"},
		{DefaultEnvFile, fs.ErrPermission, "/etc/default/etcd: the env file cannot be read by this user; systemd reads it as root (run this command as root)"},
		{DefaultEnvFile, errors.New("input/output error"), "/etc/default/etcd: read the env file: input/output error"},
	} {
		_, err := Load(Input{EnvFile: tc.path, ReadFile: func(string) ([]byte, error) { return nil, tc.err }})
		if err == nil {
			err = errors.New("")
		}
		if err.Error() != tc.want {
			t.Errorf("%s, %v: %v, want %q", tc.path, tc.err, err, tc.want)
		}
	}
}

// TestNothingWritten: neither Load nor Resolve creates a file, whatever the
// log settings name; Logger and Member do.
func TestNothingWritten(t *testing.T) {
	dir := t.TempDir()
	log := filepath.Join(dir, "etcd.log")
	yml := filepath.Join(dir, "etcd.yml")
	rotated := filepath.Join(dir, "rotated.yml")
	os.WriteFile(yml, []byte("name: x\nlog-outputs: ["+log+"]\n"), 0o600)
	os.WriteFile(rotated, []byte("name: x\nlog-outputs: ["+log+"]\nenable-log-rotation: true\nlog-rotation-config-json: '{\"maxsize\": 1}'\n"), 0o600)
	for _, args := range [][]string{
		{"--log-outputs=" + log, "--data-dir=" + filepath.Join(dir, "data")},
		{"--log-outputs=" + log, "--enable-log-rotation", "--data-dir=" + filepath.Join(dir, "data")},
		{"--config-file=" + yml},
		{"--config-file=" + rotated},
	} {
		l, err := Load(Input{Args: args})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := l.Resolve(t.Context(), noFind(t)); err != nil {
			t.Fatal(err)
		}
		names, _ := filepath.Glob(filepath.Join(dir, "*"))
		if want := []string{yml, rotated}; !slices.Equal(names, want) {
			t.Errorf("%q left %q", args, names)
		}
	}
}

// TestForeignOwn: the prefix is ours, but others have variables that begin so.
func TestForeignOwn(t *testing.T) {
	const list = "ETCD_INITIAL_CLUSTER=etcd-1=http://192.168.122.5:2380"
	l, err := Load(Input{Host: goodHost(), Environ: []string{list, "ETCD_NODE_NAME=etcd-1", "ETCD_NODE_IP=192.168.122.5", "ETCD_NODE_PORT=2380"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ETCD_NODE_NAME", "ETCD_NODE_IP", "ETCD_NODE_PORT"} {
		if !slices.Contains(l.Notices, name+": neither etcd nor etcd-node has such a setting; it is ignored") {
			t.Errorf("%s is not in %q", name, l.Notices)
		}
	}
	_, err = Load(Input{Host: goodHost(), Environ: []string{list, "ETCD_NODE_INTERFCE=eth0"}})
	if err == nil || err.Error() != "ETCD_NODE_INTERFCE: no such setting (did you mean ETCD_NODE_INTERFACE?)" {
		t.Error(err)
	}
}
