package config

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/etcd-node/etcd-node/pkg/config/envfile"
	"github.com/etcd-node/etcd-node/pkg/config/settings"
	"github.com/etcd-node/etcd-node/pkg/config/unit"
	"github.com/etcd-node/etcd-node/pkg/shown"
)

// checkArrival refuses to begin a member on loopback where that is only because
// an env file has not arrived. systemd passes over a file that it may not read, or
// that holds a byte that it does not take, where the unit names it with a "-";
// the member would come up empty, and ready, where no peer and no client looks
// for it. Nobody who gives flags, or has no env file, is asked. Where a cluster is
// configured all the same, the file that is missing is a notice.
func (l *Loaded) checkArrival() {
	if l.in.EnvFile != "" || !l.managed() && !l.in.ReadUnit {
		return
	}
	paths, named := l.envFiles()
	flags := len(l.in.Args) > 0 || l.in.ReadUnit && l.in.Unit.Flags() != nil
	configured := !l.loopbackOnly()
	if named && l.in.ReadUnit || !named && (flags || configured) { // read already; a unit that says it all elsewhere
		return
	}
	if !named && len(l.in.Unit.Unknown) > 0 && l.in.Unit.Name != "" { // it may name one that is not known
		return
	}
	// A unit that sets what it needs by itself may have dropped the file.
	leftover := !named && slices.ContainsFunc(l.in.Unit.Environment, func(line unit.Line) bool { return strings.HasPrefix(line.Text, "ETCD_") })
	later := make(map[string]bool) // what the files behind this one set, which counts more
	for _, path := range slices.Backward(paths) {
		switch p := l.unarrived(path, named, later); {
		case p == nil:
		case configured || leftover || l.begun() && l.forbidden(path):
			l.notice("%s", p.Error())
		default:
			l.problems = append(l.problems, *p)
		}
	}
}

// handed reports whether a variable of etcd's has come from an env file: it is in
// the environment, and no line of the unit has put it there.
func (l *Loaded) handed() bool {
	for name := range l.environment() {
		own := slices.ContainsFunc(l.in.Unit.Environment, func(line unit.Line) bool { return strings.HasPrefix(line.Text, name+"=") })
		if strings.HasPrefix(name, "ETCD_") && !own {
			return true
		}
	}
	return false
}

// begun reports whether there is data: a member that has any does not come up as
// an empty one.
func (l *Loaded) begun() bool {
	dir := cmp.Or(l.get("data-dir"), l.stateDir)
	return dir != "" && l.holdsData(dir) || l.holdsWAL(l.get("wal-dir"))
}

// forbidden reports whether a file is one that this user may not read. systemd
// may, as a rule, whatever keeps this user out (the mode, an ACL, SELinux): then it
// may well have been handed over, with nothing of etcd's.
func (l *Loaded) forbidden(path string) bool {
	_, err := l.in.ReadFile(path)
	return errors.Is(err, fs.ErrPermission)
}

// permit is how the operator lets this user read a file.
func (l *Loaded) permit(path string) string {
	info, err := l.in.Host.Stat(path)
	path = shown.Quoted(path)
	if err == nil && info.Mode&0o004 != 0 {
		return "let the service read the file (ls -lZ " + path + " and getfacl " + path + " say what forbids it)"
	}
	group := shown.Quoted(cmp.Or(l.in.Unit.Group, l.in.Unit.User, unit.User))
	return fmt.Sprintf("let the service's group read the file (chgrp %s %s, chmod 0640 %s)", group, path, path)
}

// unarrived is the problem of an env file with settings that systemd has not
// handed over, or with settings that cannot be seen; nil where there is none. It
// adds what the file sets to later.
func (l *Loaded) unarrived(path string, named bool, later map[string]bool) *settings.Problem {
	const not = "systemd has not handed over " // every problem says so
	var (
		service = l.service()
		restart = "then systemctl restart " + service
	)
	data, err := l.in.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil && (l.handed() || !named):
		return nil
	case err != nil:
		return &settings.Problem{Where: path, What: fmt.Sprintf("%s%s: no setting of it is in the environment, and whether it has any cannot be seen: %v", not, path, err),
			Hint: l.permit(path) + ", " + restart}
	}
	file, err := envfile.Parse(data)
	var syntax *envfile.SyntaxError
	if errors.As(err, &syntax) {
		return &settings.Problem{Where: fmt.Sprintf("%s:%d", path, syntax.Line), What: not + path + ": " + syntax.Reason, Hint: "correct the line, " + restart}
	}
	if isYAML(data, file) {
		p := yamlProblem(path)
		p.What = not + path + ": " + p.What
		p.Hint += ", " + restart
		return &p
	}
	environment := l.environment()
	var lost []string
	arrived := false
	for _, v := range file.Variables {
		known := later[v.Name]
		later[v.Name] = true
		switch {
		case known || !strings.HasPrefix(v.Name, "ETCD_") || v.Value == "":
		case environment[v.Name].Value == v.Value:
			arrived = true
		default:
			lost = append(lost, fmt.Sprintf("%s (line %d)", v.Name, v.Line))
		}
	}
	if arrived || len(lost) == 0 || !named && !slices.ContainsFunc(file.Variables, asksForMore) {
		return nil
	}
	if strings.Contains(path, `\`) {
		return &settings.Problem{Where: path, What: not + path + ": EnvironmentFile= is a pattern, in which a backslash is no letter, so that systemd finds no such file",
			Hint: "give the instance a name of letters, digits, '.', '_' and '-'"}
	}
	hint := "systemctl daemon-reload, " + restart + "; systemctl show " + service + " -p EnvironmentFiles says what it reads, ls -lZ " + shown.Quoted(path) + " whether it may"
	if !named {
		hint = "have the unit read it: `systemctl edit " + service + "`, [Service] EnvironmentFile=" + path + ", " + restart
	}
	if n := len(lost) - 3; n > 1 { // enough to recognise the file by
		lost = append(lost[:3], fmt.Sprintf("%d more", n))
	}
	return &settings.Problem{Where: path, What: not + path + ": none of what it sets is in the environment: " + join(lost), Hint: hint}
}

// asksForMore reports whether a variable makes more of a member than etcd's
// default, one on loopback. A file that no unit names may be nobody's: it
// matters only where it has such a line.
func asksForMore(v envfile.Variable) bool {
	flag := settings.Flag(v.Name)
	return v.Value != "" && (slices.Contains(urlSettings, flag) || strings.HasPrefix(flag, "discovery-") || flag == "initial-cluster" || flag == "config-file" ||
		v.Name == "ETCD_PEER" || v.Name == "ETCD_NODE_INTERFACE" || pairName.MatchString(v.Name))
}
