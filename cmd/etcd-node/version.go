package main

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"

	etcd "go.etcd.io/etcd/api/v3/version"

	"github.com/etcd-node/etcd-node/pkg/config"
	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/pipe"
)

// version is set by the Makefile (-ldflags -X); a build without it has
// the version that Go put into the binary.
var version string

// ownVersion is that of etcd-node.
func ownVersion() string {
	if info, ok := debug.ReadBuildInfo(); version == "" && ok {
		return info.Main.Version
	}
	return version
}

// versions is what `etcd-node version -o json` prints. A daemon asks a binary for it
// that has taken the place of its own.
type versions struct {
	EtcdNode string `json:"etcdNode"`
	Etcd     string `json:"etcd"`
	Pipe     int    `json:"pipe"` // see package pipe
}

func ownVersions() versions { return versions{ownVersion(), etcd.Version, pipe.Version} }

// printVersion begins with etcd's own four lines, which scripts read.
func printVersion(w io.Writer) {
	fmt.Fprintf(w, "etcd Version: %s\n", etcd.Version)
	fmt.Fprintf(w, "Git SHA: %s\n", etcd.GitSHA)
	fmt.Fprintf(w, "Go Version: %s\n", runtime.Version())
	fmt.Fprintf(w, "Go OS/Arch: %s/%s\n", runtime.GOOS, runtime.GOARCH)
	fmt.Fprintf(w, "etcd-node Version: %s\n", ownVersion())
}

var usage = `etcd-node runs one etcd member under a supervisor, as a systemd service.

Usage:
  etcd-node [etcd flags]   run the daemon; every flag and ETCD_* variable of etcd works
  etcd-node config         print every setting and where it comes from
  etcd-node check          check whether this node is fit to run its member
  etcd-node adopt          take over the member of another etcd on this machine
  etcd-node status         print what the daemon on this node is doing
  etcd-node explain        explain what is wrong here, with the commands for this node
  etcd-node reload         take up what has changed in the env file, in turn with others
  etcd-node restart        restart the member as soon as the cluster can spare it
  etcd-node can-stop       tell whether the cluster keeps its quorum without this node
  etcd-node history        print what the flight recorder kept
  etcd-node bundle         gather what a bug report needs in one file, without secrets
  etcd-node forget         let another member begin here (restored snapshot, new cluster)
  etcd-node version        print the versions of etcd-node and of the etcd in it
  etcd-node ctl            etcdctl, told of this node: its endpoint and certificates
  etcd-node utl            etcdutl
  etcd-node gateway        etcd's own TCP proxy
  etcd-node grpc-proxy     etcd's own gRPC proxy
etcd-node COMMAND --help tells more about a command.

etcd-node finds this machine's address and short host name by itself. Give all
machines the same /etc/default/etcd with ETCD_INITIAL_CLUSTER (or the pairs
ETCD_1/ETCD_IP_1 …) and run: systemctl start etcd
status, explain and history need root or the group etcd. A daemon that you have
started by hand is found by its data dir: etcd-node status --data-dir=DIR

Its own variables and their defaults (docs/configuration.md has etcd's as well):
` + variables() + `
Exit codes: 0 stopped as told, 1 failed, 2 bad command line (of any command; the
daemon under systemd: 78), 3 no daemon answers (status, explain), 4 you may not ask it
(status, explain, history), 65 damaged data, 66 empty data dir of a known member,
67 removed from the cluster, 75 not joined in time, 76 peers or data of another
cluster, 78 bad configuration.
`

// variables is what --help says of etcd-node's own variables.
func variables() string {
	var b strings.Builder
	for _, v := range config.Variables {
		b.WriteString("  " + v.Name)
		if v.Default != "" {
			b.WriteString("=" + v.Default)
		}
		b.WriteString("\n")
		failure.Wrap(&b, "      ", v.Help)
	}
	return b.String()
}
