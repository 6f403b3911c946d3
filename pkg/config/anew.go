package config

import (
	"slices"
	"strings"

	"github.com/etcd-node/etcd-node/pkg/config/settings"
	"github.com/etcd-node/etcd-node/pkg/config/unit"
)

// ofProcess are the variables that are about a process and not about its settings:
// systemd gives each of its own. One that ends in "_" is a prefix.
var ofProcess = []string{
	"NOTIFY_SOCKET", "WATCHDOG_", "LISTEN_", "INVOCATION_ID", "SYSTEMD_EXEC_PID", "JOURNAL_STREAM", "MANAGERPID", "MANAGERPIDFDID", "MAINPID", "MAINPIDFDID",
	"STATE_DIRECTORY", "RUNTIME_DIRECTORY", "LOGS_DIRECTORY", "CACHE_DIRECTORY", "CONFIGURATION_DIRECTORY", "CREDENTIALS_DIRECTORY",
	"MEMORY_PRESSURE_", "FDSTORE", "PWD", "OLDPWD", "SHLVL", "_",
}

func isOfProcess(kv string) bool {
	name, _, _ := strings.Cut(kv, "=")
	return slices.ContainsFunc(ofProcess, func(p string) bool {
		return name == p || len(p) > 1 && strings.HasSuffix(p, "_") && strings.HasPrefix(name, p)
	})
}

// Anew is what the operator has written by now for a daemon that runs, and was loaded
// from in. sent is the environment that systemd would start it with now, if it is
// known: then it counts. Else own, the daemon's unit as it is now, and its env files
// are read here; without a unit, only an env file that ETCD_NODE_ENV_FILE names can
// have changed.
func (l *Loaded) Anew(sent []string, own unit.File) Input {
	in := l.in
	in.Unit, in.Patient = own, false
	var process []string
	for _, kv := range in.Environ {
		if isOfProcess(kv) {
			process = append(process, kv)
		}
	}
	switch {
	case len(sent) > 0:
		in.ReadUnit = false // systemd has
		in.Environ = append(slices.DeleteFunc(slices.Clone(sent), isOfProcess), process...)
	case own.Name != "":
		in.Environ, in.ReadUnit = process, true
	}
	return in
}

// HoldsData reports whether the data dir holds a member by now.
func (l *Loaded) HoldsData() bool {
	yes, _ := l.hasData() // where that cannot be seen, the start has said so
	return yes
}

// Environment is what processes of the daemon get: for the most part it is not about
// settings.
func (l *Loaded) Environment() []string { return l.in.Environ }

// EnvironmentChanges are the names of variables that are no settings, and differ
// between two environments of the unit.
func EnvironmentChanges(before, now []string) (names []string) {
	a, b := unsettled(before), unsettled(now)
	for name, value := range a {
		if b[name] != value {
			names = append(names, name)
		}
	}
	for name := range b {
		if _, both := a[name]; !both {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// heeded are the variables that Go's runtime and network code read, which a member has
// from its start. Another one is no reason to restart it.
var heeded = []string{
	"GOMAXPROCS", "GOGC", "GOMEMLIMIT", "GODEBUG", "GOTRACEBACK", "SSL_CERT_FILE", "SSL_CERT_DIR", "TZ", "TMPDIR", "LOCALDOMAIN", "RES_OPTIONS",
	"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "no_proxy", "all_proxy", "PATH",
}

// unsettled are the variables that are no settings, and count all the same.
func unsettled(environ []string) map[string]string {
	all := make(map[string]string)
	for _, kv := range environ {
		if name, value, ok := strings.Cut(kv, "="); ok && !isOfProcess(kv) && slices.Contains(heeded, name) {
			all[name] = value
		}
	}
	return all
}

// FileChanges are the names of the settings that differ in etcd's config file, where
// that is used.
func (l *Loaded) FileChanges(other *Loaded) (names []string) {
	if l.file == nil || other.file == nil {
		return nil
	}
	a, b := l.file.Settings(""), other.file.Settings("")
	differ := func(name string) bool {
		return !slices.EqualFunc(a[name], b[name], func(x, y settings.Setting) bool { return x.Value == y.Value })
	}
	for _, name := range slices.Compact(slices.Sorted(slices.Values(slices.Concat(sorted(a), sorted(b))))) {
		if differ(name) {
			names = append(names, name)
		}
	}
	return names
}
