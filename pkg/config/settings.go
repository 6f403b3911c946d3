package config

import (
	"errors"
	"flag"
	"fmt"
	"strings"

	"go.etcd.io/etcd/server/v3/etcdserver/api/rafthttp"
)

// loadFlags parses the command line. A value that a flag does not take is
// noted and the parsing goes on; behind an unknown flag nothing can be told
// apart any more.
func (l *Loaded) loadFlags(t *table) error {
	fs := flag.NewFlagSet(t.Name(), flag.ContinueOnError)
	fs.SetOutput(t.Output())
	fs.Usage = func() {}
	t.VisitAll(func(f *flag.Flag) { fs.Var(written{l, f}, f.Name, f.Usage) })
	err := fs.Parse(l.in.Args)
	l.Version = t.version
	switch {
	case errors.Is(err, flag.ErrHelp):
		return flag.ErrHelp
	case err != nil:
		l.problems = append(l.problems, Problem{What: err.Error(), Hint: unknownFlag(t, err), Usage: true})
	case fs.NArg() > 0:
		l.problems = append(l.problems, Problem{What: fmt.Sprintf("%q is not a flag", fs.Arg(0)), Hint: "--help lists the flags", Usage: true})
	}
	return nil
}

// unknownFlag is the way out of an error of the flag package.
func unknownFlag(t *table, err error) string {
	_, name, found := strings.Cut(err.Error(), "not defined: -")
	if !found {
		return "--help lists the flags"
	}
	dashes := func(flag string) string { return "--" + flag }
	if r, ok := retiredFlag(name); ok {
		return "etcd " + r.last + " was the last to have it: " + r.instead(dashes)
	}
	if n := Nearest(name, t.names()); n != "" {
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

func (w written) IsBoolFlag() bool { return isBool(w.f) }
func (w written) String() string   { return "" }
func (w written) Set(value string) error {
	s := Setting{Name: w.f.Name, Value: value, Origin: FromFlag, Source: "--" + w.f.Name}
	n := len(w.l.problems)
	w.l.accept(w.f, s)
	for i := range w.l.problems[n:] {
		w.l.problems[n+i].Usage = true
	}
	return nil
}

// loadVariables takes etcd's settings from their variables where no flag sets
// them. Unlike etcd it does not stop where both do.
func (l *Loaded) loadVariables(t *table, vars map[string]Setting) {
	var given, shadowed []string
	t.VisitAll(func(f *flag.Flag) {
		l.used[envName(f.Name)] = true
		s, ok := vars[envName(f.Name)]
		switch {
		case !ok || f.Name == "config-file":
		case f.Name == "version":
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
	if dirs, ok := vars["STATE_DIRECTORY"]; ok {
		l.loadStateDir(dirs.Value)
	}
	if rafthttp.ConnReadTimeout < rafthttp.DefaultConnReadTimeout {
		l.notice("raft-read-timeout is raised to its minimum, %v", rafthttp.DefaultConnReadTimeout)
	}
	if rafthttp.ConnWriteTimeout < rafthttp.DefaultConnWriteTimeout {
		l.notice("raft-write-timeout is raised to its minimum, %v", rafthttp.DefaultConnWriteTimeout)
	}
}

// accept checks one value of f, with f itself, and keeps it.
func (l *Loaded) accept(f *flag.Flag, s Setting) {
	s.Secret = secret(s.Name, s.Value)
	if f.Name == "name" && asksHostName(s.Value) {
		l.hostName = true
		l.commands = append(l.commands, s.Source)
		return
	}
	if p := shellProblem(f, s); p != nil {
		l.problems = append(l.problems, *p)
		return
	}
	if p := slipProblem(f, s); p != nil && !l.in.unjudged {
		l.problems = append(l.problems, *p)
		return
	}
	err := f.Value.Set(s.Value)
	switch w := wanted(f); {
	case err == nil:
		err = checkLog(s.Name, s.Value)
	case isURLs(f):
		err = wrongURLs(s.Value)
	case w != "":
		err = errors.New("want " + w)
	}
	if err != nil {
		hint := inUnit(s.Value, units[f.Name])
		if isURLs(f) {
			hint = "give scheme, address and port, http://192.168.122.5:" + peerPort + " for peers, :" + clientPort + " for clients"
		}
		if what, way := slip(s.Value); what != "" {
			hint = way
		}
		l.problem(s.Source, fmt.Sprintf("invalid value %q: %v", s.Value, err), hint)
		return
	}
	switch {
	case isIgnored(f):
		l.notice("%s: etcd accepts this setting and ignores it", s.Source)
	case strings.Contains(f.Usage, "eprecated"):
		l.notice("%s: %s", s.Source, f.Usage)
	case !s.Secret && shellSyntax.MatchString(s.Value):
		l.notice("%s: %q is taken literally, nothing is run or expanded", s.Source, s.Value)
	}
	if what, _ := slip(s.Value); what != "" && f.Name != "log-rotation-config-json" {
		l.notice("%s: the value %s, and is taken literally", s.Source, what)
	}
	if merges(f) {
		l.set[f.Name] = append(l.set[f.Name], s)
	} else {
		l.set[f.Name] = []Setting{s}
	}
}
