package config

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"strings"

	"github.com/etcd-node/etcd-node/pkg/config/etcdflags"
	"github.com/etcd-node/etcd-node/pkg/config/settings"
)

// loadFlags parses the command line. A value that a flag does not take is
// noted and the parsing goes on; behind an unknown flag nothing can be told
// apart any more.
func (l *Loaded) loadFlags(t *etcdflags.Table) error {
	fs := flag.NewFlagSet(t.Name(), flag.ContinueOnError)
	fs.SetOutput(t.Output())
	fs.Usage = func() {}
	t.VisitAll(func(f *flag.Flag) { fs.Var(written{l, f}, f.Name, f.Usage) })
	err := fs.Parse(l.in.Args)
	l.Version = t.Version
	switch {
	case errors.Is(err, flag.ErrHelp):
		return flag.ErrHelp
	case err != nil:
		l.problems = append(l.problems, settings.Problem{What: err.Error(), Hint: unknownFlag(t, err), Usage: true})
	case fs.NArg() > 0:
		l.problems = append(l.problems, settings.Problem{What: fmt.Sprintf("%q is not a flag", fs.Arg(0)), Hint: "--help lists the flags", Usage: true})
	}
	return nil
}

// unknownFlag is the way out of an error of the flag package.
func unknownFlag(t *etcdflags.Table, err error) string {
	_, name, found := strings.Cut(err.Error(), "not defined: -")
	if !found {
		return "--help lists the flags"
	}
	dashes := func(flag string) string { return "--" + flag }
	if r, ok := etcdflags.RetiredFlag(name); ok {
		return "etcd " + r.Last + " was the last to have it: " + r.Instead(dashes)
	}
	if n := settings.Nearest(name, t.Names()); n != "" {
		return "did you mean --" + n + "?"
	}
	return "--help lists the flags"
}

// written is a flag of etcd's table that keeps what was written behind it: what
// the flag's own String says may read differently, or not read back at all.
type written struct {
	l *Loaded
	f *flag.Flag
}

func (w written) IsBoolFlag() bool { return etcdflags.IsBool(w.f) }
func (w written) String() string   { return "" }
func (w written) Set(value string) error {
	s := settings.Setting{Name: w.f.Name, Value: value, Origin: settings.FromFlag, Source: "--" + w.f.Name}
	n := len(w.l.problems)
	w.l.accept(w.f, s)
	for i := range w.l.problems[n:] {
		w.l.problems[n+i].Usage = true
	}
	return nil
}

// loadVariables takes etcd's settings from their variables where no flag sets
// them. Unlike etcd it does not stop where both do.
func (l *Loaded) loadVariables(t *etcdflags.Table, variables map[string]settings.Setting) {
	var given, shadowed []string
	t.VisitAll(func(f *flag.Flag) {
		l.used[settings.Variable(f.Name)] = true
		s, ok := variables[settings.Variable(f.Name)]
		switch {
		case !ok || f.Name == "config-file":
		case f.Name == "version":
			l.version = s.Value
			l.notice("%s cannot be set by a variable and is ignored", s.Source)
		case l.set[f.Name] != nil || f.Name == "name" && l.hostName:
			given, shadowed = append(given, "--"+f.Name), append(shadowed, s.Source)
		default:
			s.Name = f.Name
			l.accept(f, s)
		}
	})
	switch len(given) {
	case 0:
	case 1:
		l.notice("%s is given, so %s does not count", given[0], shadowed[0])
	default: // one notice: a unit that does so often does it with each of its flags
		l.notice("%s are given, so %s do not count", join(given), join(shadowed))
	}
	if dirs, ok := variables["STATE_DIRECTORY"]; ok {
		l.loadStateDir(dirs.Value)
	}
	for _, n := range t.Raised() {
		l.notice("%s", n)
	}
}

// noticeUnknown says which variables look like etcd's, and are not.
func (l *Loaded) noticeUnknown(variables map[string]settings.Setting) {
	for _, name := range sorted(variables) {
		if !strings.HasPrefix(name, "ETCD_") || strings.HasPrefix(name, settings.OwnPrefix) || l.used[name] || special[name] {
			continue
		}
		source := variables[name].Source
		l.unknown = append(l.unknown, name)
		if r, ok := etcdflags.RetiredFlag(settings.Flag(name)); ok {
			l.notice("%s: etcd %s was the last to have this setting, and it is ignored: %s", source, r.Last, r.Instead(settings.Variable))
		} else if n := settings.Nearest(name, sorted(l.used)); n != "" {
			l.notice("%s: etcd has no such setting; it is ignored; did you mean %s?", source, n)
		} else {
			l.notice("%s: etcd has no such setting; it is ignored", source)
		}
	}
}

// special are variables that etcd reads past its flag table.
var special = map[string]bool{"ETCD_UNSUPPORTED_ARCH": true, "ETCD_VERIFY": true, "ETCD_CLIENT_DEBUG": true}

// accept checks one value of f, with f itself, and keeps it.
func (l *Loaded) accept(f *flag.Flag, s settings.Setting) {
	if f.Name == "name" && asksHostName(s.Value) {
		l.hostName = true
		l.commands = append(l.commands, s.Source)
		return
	}
	p := shellProblem(f, s)
	if p == nil && !l.in.readOnly {
		p = cmp.Or(mistypedProblem(f, s), l.pathProblem(s))
	}
	if p != nil {
		l.problems = append(l.problems, *p)
		return
	}
	mistake, hint := mistyped(s.Value)
	if err := etcdflags.Set(f, s.Value); err != nil {
		switch {
		case mistake != "":
		case etcdflags.IsURLs(f):
			hint = "give scheme, address and port, http://192.168.122.5:" + peerPort + " for peers, :" + clientPort + " for clients"
		default:
			hint = etcdflags.Unit(f.Name, s.Value)
		}
		l.problem(s.Source, fmt.Sprintf("invalid value %q: %v", s.Value, err), hint)
		return
	}
	switch {
	case etcdflags.IsIgnored(f):
		l.notice("%s: etcd accepts this setting and ignores it", s.Source)
	case settings.Deprecated[f.Name] != "":
		l.deprecated(f.Name)
	case !s.Secret() && shellSyntax.MatchString(s.Value):
		l.notice("%s: %q is taken literally, nothing is run or expanded", s.Source, s.Value)
	}
	if mistake != "" && f.Name != "log-rotation-config-json" {
		l.notice("%s: the value %s, and is taken literally", s.Source, mistake)
	}
	if etcdflags.Merges(f) {
		l.set[f.Name] = append(l.set[f.Name], s)
	} else {
		l.set[f.Name] = []settings.Setting{s}
	}
}
