package config

import (
	"cmp"
	"errors"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/kelseyhightower/envconfig"

	"github.com/etcd-node/etcd-node/pkg/config/etcdflags"
	"github.com/etcd-node/etcd-node/pkg/config/settings"
	"github.com/etcd-node/etcd-node/pkg/config/unit"
)

// Variable is a setting of etcd-node's own. Parsing, `etcd-node config`,
// --help, docs/configuration.md and deploy/systemd/etcd.default are made from
// [Variables]; nothing else lists them. ETCD_1, ETCD_IP_1 … are an open list
// and stand in [Loaded.loadPairs].
type Variable struct {
	Name    string
	Default string // as one would write it; "" for none
	Takes   string // unit or kind of the value; the hint where one is refused, too
	Section string // of the env file, by the keys that package reference gives them; "" for none
	Help    string // one sentence without its full stop
	More    string // what an operator has to know beyond that; "" for nothing
	Example string // the value in the env file's commented line; "" leaves the variable to its section's text

	// in is the place of the value. envconfig's Decoder is its parser.
	in func(*values) envconfig.Decoder
}

const onOff = "on or off"

// hint says what to write instead of a value that is refused, with the default: it
// is what does no harm.
func (v Variable) hint() string {
	hint := "write " + v.Takes
	if strings.HasPrefix(v.Takes, "duration") {
		hint = "give a " + v.Takes
	}
	if named := strings.Replace(hint, "such as "+v.Default, "such as the default, "+v.Default, 1); named != hint {
		return named
	}
	return hint + "; the default is " + v.Default
}

// Variables is the one table of the settings that are etcd-node's own.
var Variables = []Variable{
	{
		Name: "ETCD_NODE_INTERFACE", Takes: "name of an interface", Section: "address",
		Help:    "Interface on which to look for this machine's address",
		More:    "Without it: the address that stands in the initial cluster; else eth0's; else that of the interface with the default route.",
		Example: "bond0",
		in:      func(v *values) envconfig.Decoder { return (*label)(&v.Interface) },
	}, {
		Name: "ETCD_NODE_ADDRESS_WAIT", Default: "60s", Takes: "duration, such as 60s", Section: "address",
		Help:    "How long to wait for an address that is not there yet (DHCP, DNS)",
		More:    "Then a member with data goes on by what the data says, and a daemon without systemd ends. Under systemd everything else is waited for as long as it takes; the status says what for.",
		Example: "60s",
		in:      func(v *values) envconfig.Decoder { return (*wait)(&v.AddressWait) },
	}, {
		Name: "ETCD_NODE_READY", Default: "quorum", Takes: "quorum or all", Section: "ready",
		Help:    "When systemd is told READY: once this member has joined and serves, or, with all, once every voting member is connected, too",
		More:    "With all, one dead machine keeps the others from becoming ready.",
		Example: "all",
		in:      func(v *values) envconfig.Decoder { return (*allReady)(&v.ReadyAll) },
	}, {
		Name: "ETCD_NODE_START_TIMEOUT", Default: "0s", Takes: "duration, such as 10m; 0s means for ever", Section: "ready",
		Help:    "How long the daemon asks systemd for more time while it waits for its peers; 0s means for ever",
		More:    "For ever, so that the machines may be started one after the other. When a limit has passed, the daemon ends with exit code 75.",
		Example: "0s",
		in:      func(v *values) envconfig.Decoder { return (*wait)(&v.StartTimeout) },
	}, {
		Name: "ETCD_NODE_BOOTSTRAP_WAIT", Default: "30s", Takes: "duration, such as 30s, or forever; 0s means not at all", Section: "ready",
		Help:    "How long the first start of a node waits for a member of the list whose machine does not answer at all, before a new cluster begins without it; 0s means not at all",
		More:    "An older cluster may live there, and a second one must not begin beside it. A machine that refuses the connection gets 2 s of this, because its etcd may be restarting. What a member or a node without data answers counts at once, so that nodes that begin together wait for nothing. Whatever else answers is waited for without limit, and a cluster never begins without a quorum of the list, except with 0s.",
		Example: "forever",
		in:      func(v *values) envconfig.Decoder { return (*patience)(&v.BootstrapWait) },
	}, {
		Name: "ETCD_NODE_FAILOVER", Default: "on", Takes: onOff, Section: "election",
		Help:    "Whether a leader that is lost costs milliseconds: it is replaced at once, not after the election timeout",
		More:    "The other members are asked through raft's pre-vote, so that a quorum must agree that the leader is gone. Requests that were under way to a lost leader are answered at once, and a handover waits for them, for 0.4 s at most. With off a lost leader costs what it costs in etcd: there is none for one to two election timeouts (1–2 s with the defaults), and a request that was under way to the lost one waits up to the request timeout, 5 s and two election timeouts (7 s with the defaults). With ETCD_PRE_VOTE=false the leader is replaced as with off.",
		Example: "off",
		in:      func(v *values) envconfig.Decoder { return (*toggle)(&v.Failover) },
	}, {
		Name: "ETCD_NODE_HOST_SILENCE", Default: "400ms", Takes: "duration, such as 400ms; 0s switches it off", Section: "election",
		Help:    "How long the leader's host may acknowledge nothing before an election is asked for; 0s leaves a silent host to the election timeout",
		More:    "A kernel acknowledges within a round trip, whatever its processes do, so this is about power loss and cut cables. It is never less than ten measured round trips, or than TCP needs to send again and be answered (400ms at least), and grows with the loss of packets. A value that is not below the election timeout does nothing, as etcd's own timer is sooner. It has no effect without ETCD_NODE_FAILOVER=on. Members may have different values.",
		Example: "800ms",
		in:      func(v *values) envconfig.Decoder { return (*wait)(&v.HostSilence) },
	}, {
		Name: "ETCD_NODE_FAST_START", Default: "on", Takes: onOff, Section: "election",
		Help:    "Whether a start without a leader asks for an election at once",
		Example: "off",
		in:      func(v *values) envconfig.Decoder { return (*toggle)(&v.FastStart) },
	}, {
		Name: "ETCD_NODE_DISK_RESERVE", Default: "192MiB", Takes: "size, such as 192MiB", Section: "fault",
		Help:    "Size of a file that is kept inside the data directory and given up when the disk is full, so that etcd can start and compact; 0 means no such file",
		More:    "On a small disk the file is smaller, or there is none. It is made again once there is room.",
		Example: "192MiB",
		in:      func(v *values) envconfig.Decoder { return (*reserve)(&v.DiskReserve) },
	}, {
		Name: "ETCD_NODE_HANG_LIMIT", Default: "10s", Takes: "duration of at least 3s, such as 10s", Section: "fault",
		Help:    "How long the member may give no sign of life before the daemon makes it print its stacks, kills it, and starts it again",
		More:    "Peers, a missing leader or a slow disk are never a reason.",
		Example: "10s",
		in:      func(v *values) envconfig.Decoder { return (*hangLimit)(&v.HangLimit) },
	}, {
		Name: "ETCD_NODE_ENV_FILE", Default: DefaultEnvFile, Takes: "path",
		Help: "The env file that commands read; set it in the shell's environment, not in the file itself",
		More: "Without it they read the files that EnvironmentFile= in the unit names, as systemd does. A daemon that is started by hand reads a file only where this variable is set, because etcd reads none.",
		in:   func(v *values) envconfig.Decoder { return (*path)(&v.EnvFile) },
	}, {
		Name: "ETCD_NODE_UNIT", Default: unit.Name, Takes: "name of a unit",
		Help: "The unit that commands are about, such as etcd@events; set it in the shell's environment",
		More: "Its env files and directories are then those of the commands.",
		in:   func(v *values) envconfig.Decoder { return (*label)(&v.Unit) },
	}, {
		Name: "ETCD_PEER", Takes: "IP address", Section: "cluster",
		Help: "The shell snippet's name for this machine's own address",
		More: "The snippet's command, $(ip addr show eth0 …), is not run. It means the default: find the address, on that interface.",
		in:   func(v *values) envconfig.Decoder { return &v.peer },
	}, {
		Name: "ETCD_TOKEN", Takes: "text", Section: "cluster",
		Help: "The shell snippet's name for ETCD_INITIAL_CLUSTER_TOKEN",
		in:   func(v *values) envconfig.Decoder { return (*label)(&v.token) },
	},
}

// values are those of [Variables].
type values struct {
	settings.Node
	peer  peer
	token string
}

// loadOwn decodes the table's variables, remembers which of them were set, and
// refuses an ETCD_NODE_* that is nearly one of the table's.
func (l *Loaded) loadOwn(variables map[string]settings.Setting) (v values) {
	var names []string // of ETCD_NODE_*; the snippet's variables show as the origin of etcd's settings
	for _, row := range Variables {
		s, set := variables[row.Name]
		if strings.HasPrefix(row.Name, settings.OwnPrefix) {
			if names = append(names, row.Name); set {
				l.own = append(l.own, s)
			}
		}
		l.used[row.Name] = true
		if text := cmp.Or(s.Value, row.Default); text != "" {
			if err := row.in(&v).Decode(text); err != nil {
				if p, ok := errors.AsType[*settings.Problem](err); ok {
					p.Hint = cmp.Or(p.Hint, row.hint())
				}
				l.wrong(s.Source, err)
			}
		}
	}
	for _, name := range sorted(variables) {
		if !strings.HasPrefix(name, settings.OwnPrefix) || slices.Contains(names, name) {
			continue
		}
		source := variables[name].Source
		if near := settings.Nearest(name, names); near != "" {
			l.problem(source, "no such setting", "did you mean "+near+"?")
		} else { // somebody else's: tools and images use the prefix, too
			l.notice("%s: neither etcd nor etcd-node has such a setting; it is ignored", source)
		}
	}
	return v
}

// snippetVariable is one of the shell snippet's.
var snippetVariable = regexp.MustCompile(`^ETCD_(?:[0-9]+|IP_[0-9]+|PEER|TOKEN|VERSION)$`)

// flagNames are those of etcd's flags. etcd's table must not be made while a
// configuration is read, so whoever does both calls [Knows] once before.
var flagNames = sync.OnceValue(func() map[string]bool {
	all := map[string]bool{}
	for _, name := range etcdflags.New().Names() {
		all[name] = true
	}
	return all
})

// Knows reports whether a variable is a setting: etcd's, etcd-node's own, or the shell
// snippet's.
func Knows(variable string) bool {
	if slices.ContainsFunc(Variables, func(v Variable) bool { return v.Name == variable }) || snippetVariable.MatchString(variable) {
		return true
	}
	return strings.HasPrefix(variable, "ETCD_") && settings.Variable(settings.Flag(variable)) == variable && flagNames()[settings.Flag(variable)]
}
