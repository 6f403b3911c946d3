package config

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/etcd-node/etcd-node/pkg/config/etcdflags"
	"github.com/etcd-node/etcd-node/pkg/config/preflight"
	"github.com/etcd-node/etcd-node/pkg/config/settings"
	"github.com/etcd-node/etcd-node/pkg/config/unit"
	"github.com/etcd-node/etcd-node/pkg/shown"
)

// Input is what the operator wrote, and the operating system as far as it is
// needed to read that. Funcs that are nil are the real ones.
type Input struct {
	Args    []string // command-line flags, without the program's name
	Environ []string // as of os.Environ
	// EnvFile is the env file to read, "" for none; [EnvFile] finds it.
	EnvFile string
	// Unit is the unit of this daemon, or the one that a command is about; its zero
	// value: none is known. ReadUnit reads what it sets and its env files, as systemd
	// has done for the daemon; an EnvFile then stands in their place.
	Unit     unit.File
	ReadUnit bool
	// Pinned is the data dir in which a member has lived on this node before; ""
	// where none has.
	Pinned string
	// WorkingDir is the daemon's, where etcd's own default has the data; "" where
	// it is not known.
	WorkingDir string

	ReadFile func(path string) ([]byte, error)
	ReadDir  func(path string) ([]fs.DirEntry, error)
	Hostname func() (string, error)

	// Host is where TLS files and directories are looked at; nil is this
	// machine as this process sees it.
	Host *preflight.Host
	// readOnly leaves out what is not about reading the settings but about
	// whether etcd could start with them: tests compare the reading with etcd's.
	readOnly bool
	// Asking: a command asks for the operator. Then what the daemon would wait
	// for until it is mended (the rights of the data dir) is a problem, too.
	Asking bool
	// Patient: whoever waits for the daemon sees why it takes long. Then a TLS
	// file that etcd cannot load is no problem: the caller waits for it, see
	// [Loaded.LookAtTLS].
	Patient bool
	// Watching: the caller shows what LookAtTLS finds. Then what is no problem is
	// no notice either, because it would be of the past.
	Watching bool
}

// Loaded is what the operator wrote, checked as far as that goes without this
// machine's address and name.
type Loaded struct {
	Version bool     // --version was given; then nothing else was looked at
	Notices []string // sentences for the operator that do not stop the start

	in       Input
	problems []settings.Problem
	used     map[string]bool // variables that something looked at

	node       settings.Node
	own        []settings.Setting            // etcd-node's own that are set
	set        map[string][]settings.Setting // etcd's that are set, by flag
	cluster    []entry                       // the cluster list, nil for none
	peer       peer                          // ETCD_PEER
	peerSource string
	hostName   bool     // the name was given as $(hostname -s)
	commands   []string // where the snippet's two commands were found
	stateDir   string   // the first of $STATE_DIRECTORY
	unknown    []string // variables that look like etcd's, and are not
	version    string   // ETCD_VERSION

	file *etcdflags.File // nil unless etcd's config file is used

	late []settings.Problem // TLS files that may still come
	tls  *derivation        // what is set of TLS files, for LookAtTLS
}

// Load reads flags, environment and env file and checks all that can be
// checked without this machine's address and name. It changes nothing, and
// reads no file but the env file, etcd's config file and the TLS files.
//
// The error is flag.ErrHelp when help was asked for, else a [*settings.Invalid]
// with every problem. Load, Resolve and etcdflags.Member must not run at the same time as
// each other: etcd binds two of its flags to package variables.
func Load(in Input) (*Loaded, error) {
	if in.ReadFile == nil {
		in.ReadFile = os.ReadFile
	}
	if in.ReadDir == nil {
		in.ReadDir = os.ReadDir
	}
	if in.Hostname == nil {
		in.Hostname = os.Hostname
	}
	if in.Host == nil {
		in.Host = preflight.System()
	}
	l := &Loaded{in: in, set: make(map[string][]settings.Setting), used: make(map[string]bool)}
	t := etcdflags.New()
	if err := l.loadFlags(t); err != nil {
		return nil, err
	}
	if l.Version && len(l.problems) == 0 {
		return l, nil
	}
	variables := l.readVariables()
	for _, text := range in.Unit.Unknown {
		l.notice("%s", text)
	}
	own := l.loadOwn(variables)
	l.node = own.Node

	if s, ok := variables["ETCD_CONFIG_FILE"]; ok && l.set["config-file"] == nil {
		s.Name = "config-file"
		l.set["config-file"] = []settings.Setting{s}
	}
	if l.get("config-file") != "" {
		l.loadConfigFile(variables)
	} else {
		l.loadVariables(t, variables)
		l.loadSnippet(own, variables)
		l.loadCluster()
		l.noticeUnknown(variables)
		l.checkArrival()
		l.trial()
	}
	if len(l.problems) > 0 { // and where there is one to mend, all are told
		return nil, &settings.Invalid{Problems: append(l.problems, l.late...), Notices: l.Notices}
	}
	if l.tls == nil {
		l.tls = l.derive(nil)
	}
	return l, nil
}

// Node returns the settings that are etcd-node's own.
func (l *Loaded) Node() settings.Node { return l.node }

// get returns the value of one of etcd's settings, "" where it is not set.
func (l *Loaded) get(name string) string {
	if s := l.set[name]; len(s) > 0 {
		return s[len(s)-1].Value
	}
	return ""
}

// source says where the value that get returns comes from.
func (l *Loaded) source(name string) string {
	if s := l.set[name]; len(s) > 0 {
		return s[len(s)-1].Source
	}
	return ""
}

func (l *Loaded) notice(format string, args ...any) {
	l.Notices = append(l.Notices, shown.Redacted(fmt.Sprintf(format, args...)))
}

func (l *Loaded) problem(where, what, hint string) {
	l.problems = append(l.problems, settings.Problem{Where: where, What: what, Hint: hint})
}

// wrong records err as a problem of where; a [*settings.Problem] brings its own words.
func (l *Loaded) wrong(where string, err error) {
	p := &settings.Problem{What: err.Error()}
	errors.As(err, &p)
	l.problem(where, p.What, p.Hint)
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func join(list []string) string { return strings.Join(list, ", ") }
