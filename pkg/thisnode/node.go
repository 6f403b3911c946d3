package thisnode

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/etcd-node/etcd-node/pkg/config"
	"github.com/etcd-node/etcd-node/pkg/config/preflight"
	"github.com/etcd-node/etcd-node/pkg/config/settings"
	"github.com/etcd-node/etcd-node/pkg/config/unit"
	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/identity"
	"github.com/etcd-node/etcd-node/pkg/member/datadir"
	"github.com/etcd-node/etcd-node/pkg/netdetect"
	"github.com/etcd-node/etcd-node/pkg/shown"
)

// limit is how long a command looks for what the daemon would wait for.
const limit = 2 * time.Second

// Node is this node as far as one unit goes.
type Node struct {
	Unit string // its name

	environ   unit.Environ // the command's; with the unit's directories where it names the unit
	file      unit.File
	installed bool // file is what the unit's files say
	home      unit.Home
	unitOf    func(pid int) string // the unit of a process; "": not known
}

// Of is the node that a command with an environment is about. The error says that
// there is no unit of the name that it gives.
func Of(environ unit.Environ) (*Node, error) {
	n := &Node{Unit: environ.Unit(), environ: environ, unitOf: unit.OfProcess}
	if own := unit.OfProcess(os.Getpid()); !n.named() && own != "" && environ.OfSystemd() && environ.Home().Run != "" {
		n.Unit = own // as in its ExecReload=
	}
	n.file, n.installed = unit.Read(n.Unit)
	switch {
	case !n.named():
	case n.installed:
		n.environ = n.file.Give(environ)
	case len(n.file.Unknown) > 0:
		return nil, fmt.Errorf("%s: %s", unit.Variable, strings.Join(n.file.Unknown, ", "))
	default:
		return nil, fmt.Errorf("%s: there is no unit %s (systemctl list-unit-files 'etcd*')", unit.Variable, n.Unit)
	}
	n.home = n.environ.HomeOfUnit()
	return n, nil
}

// named reports whether the environment names the unit.
func (n *Node) named() bool { return n.environ.Get(unit.Variable) != "" }

// Installed reports whether the unit's files could be read.
func (n *Node) Installed() bool { return n.installed }

// Service is the unit as a word of a command.
func (n *Node) Service() string { return shown.Quoted(strings.TrimSuffix(n.Unit, ".service")) }

// ForUnit makes the commands in a text those for this unit.
func (n *Node) ForUnit(text string) string {
	return failure.ForUnit(text, unit.File{Name: n.Unit}.Values())
}

// Pins is where the unit's pin is.
func (n *Node) Pins() identity.Store { return identity.Store{Dir: n.home.Pins} }

// Written is what the operator wrote: the shell's environment, and what systemd
// would read for the daemon.
func (n *Node) Written() config.Input {
	in := config.Input{Environ: n.environ, EnvFile: config.EnvFile(), Pinned: n.Pins().DataDir()}
	in.Unit.Unknown = n.file.Unknown
	if n.installed && in.EnvFile != "" && n.environ.Get("ETCD_NODE_ENV_FILE") == "" {
		in.EnvFile, in.Unit, in.ReadUnit = "", n.file, true
	}
	if n.installed {
		in.WorkingDir = n.file.WorkingDirectory
	}
	if n.environ.Get("STATE_DIRECTORY") != "" {
		return in
	}
	dirs := n.file.StateDirectory
	if !n.installed { // or by hand; but this machine may be set up
		_, err1 := os.Stat(config.DefaultEnvFile)
		_, err2 := os.Stat(unit.StateDir)
		if err1 == nil || err2 == nil {
			dirs = []string{unit.StateDir}
		}
	}
	if len(dirs) > 0 {
		in.Environ = append(slices.Clip(n.environ), "STATE_DIRECTORY="+strings.Join(dirs, ":"))
	}
	return in
}

// byHand is what a daemon would read that is started here without a unit.
func (n *Node) byHand() config.Input {
	return config.Input{Environ: n.environ, EnvFile: n.environ.Get("ETCD_NODE_ENV_FILE")}
}

// User is the one with whose rights the unit's daemon runs.
func (n *Node) User() (preflight.User, bool) {
	user := n.file.User
	if n.file.Path == "" { // none, or not known
		user = unit.User
	}
	return preflight.Lookup(cmp.Or(user, "root"), n.file.Group, n.file.Groups...)
}

// Resolve resolves a configuration as the daemon would on this machine. say is told
// what it waits for.
func (n *Node) Resolve(ctx context.Context, in config.Input, say func(reason string)) (*settings.Resolved, error) {
	in.Host = preflight.System()
	if u, ok := n.User(); ok {
		in.Host = preflight.SystemAs(u)
	}
	loaded, err := config.Load(in)
	if err != nil {
		return nil, err
	}
	return loaded.Resolve(ctx, func(ctx context.Context, req netdetect.Request) (netdetect.Result, error) {
		patience := Patience(loaded, limit)
		patience.Absent = true // the daemon waits for it
		stored := patience.Data
		patience.Data = func() []string {
			if hosts := stored(); hosts != nil {
				return hosts
			}
			return n.servesAt(ctx, loaded) // its database is locked, or not ours to read
		}
		return netdetect.Wait(ctx, netdetect.System(), req, patience, say)
	})
}

// ResolveUnit resolves what the daemon of another unit would read, with the rights of
// its user. What the command's own environment sets does not count.
func (n *Node) ResolveUnit(ctx context.Context, u unit.File, in config.Input) (*settings.Resolved, error) {
	other := &Node{Unit: u.Name, environ: u.Give(unit.Environ{}), file: u, installed: true, unitOf: n.unitOf}
	other.home = other.environ.HomeOfUnit()
	in.Environ = other.environ
	return other.Resolve(ctx, in, func(string) {})
}

// servesAt are the hosts under which the cluster knows this member, where its daemon
// runs and says so.
func (n *Node) servesAt(ctx context.Context, loaded *config.Loaded) (hosts []string) {
	dataDir, _ := loaded.Dirs()
	st, _, err := n.Daemon(ctx, dataDir).Ask(ctx)
	if err != nil || !same(st.Values["data-dir"], dataDir) {
		return nil
	}
	for _, m := range st.View.Members {
		for _, text := range m.PeerURLs {
			if u, err := url.Parse(text); m.Self && err == nil && u.Hostname() != "" {
				hosts = append(hosts, u.Hostname())
			}
		}
	}
	return hosts
}

// resolve resolves a configuration without waiting for anything; nil where that
// cannot be.
func resolve(ctx context.Context, in config.Input) *settings.Resolved {
	loaded, err := config.Load(in)
	if err != nil {
		return nil
	}
	r, _ := loaded.Resolve(ctx, func(ctx context.Context, req netdetect.Request) (netdetect.Result, error) {
		return netdetect.Find(ctx, netdetect.System(), req)
	})
	return r
}

// Patience is a wait for this node's address that knows where the list stands and
// what the data says.
func Patience(loaded *config.Loaded, limit time.Duration) netdetect.Patience {
	return netdetect.Patience{
		Limit: limit,
		List:  loaded.ListedAt(),
		Data: func() []string {
			data, _ := datadir.Inspect(loaded.Dirs()) // what fails here, the start says when it comes to that
			return data.PeerHosts()
		},
	}
}
