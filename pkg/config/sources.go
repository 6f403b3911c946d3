package config

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/etcd-node/etcd-node/pkg/config/envfile"
	"github.com/etcd-node/etcd-node/pkg/config/settings"
	"github.com/etcd-node/etcd-node/pkg/config/unit"
	"github.com/etcd-node/etcd-node/pkg/shown"
)

// DefaultEnvFile is the env file of the unit.
const DefaultEnvFile = unit.EnvFilePath

// EnvFile returns the env file that this process has to read by itself, for
// [Input]: ETCD_NODE_ENV_FILE, else [DefaultEnvFile]; "" for the process that
// systemd started itself, because then systemd has read the file and its
// variables are in the environment.
func EnvFile() string {
	e := unit.Environ(os.Environ())
	pid := e.Get("SYSTEMD_EXEC_PID")
	// SYSTEMD_EXEC_PID is there since systemd 248; unlike NOTIFY_SOCKET it
	// tells systemd's child from what that child starts.
	if pid == strconv.Itoa(os.Getpid()) || pid == "" && e.Get("NOTIFY_SOCKET") != "" {
		return ""
	}
	return cmp.Or(e.Get("ETCD_NODE_ENV_FILE"), DefaultEnvFile)
}

// readVariables returns what the environment says, by name, over what the unit
// and its env files say. A variable with an empty value is not set, as for etcd.
// Every Setting's Name is the variable's.
func (l *Loaded) readVariables() map[string]settings.Setting {
	variables := l.environment()
	switch {
	case l.in.EnvFile != "" || l.in.ReadUnit:
		read := l.readUnit()
		maps.Copy(read, variables)
		maps.DeleteFunc(read, func(_ string, s settings.Setting) bool { return s.Value == "" })
		return read
	case l.managed():
		maps.Copy(variables, l.readBySystemd(variables))
	}
	return variables
}

// environment is what the environment sets.
func (l *Loaded) environment() map[string]settings.Setting {
	variables := make(map[string]settings.Setting)
	for _, kv := range l.in.Environ {
		if name, value, ok := strings.Cut(kv, "="); ok && value != "" {
			variables[name] = settings.Setting{Name: name, Value: value, Origin: settings.FromEnvironment, Source: name}
		}
	}
	return variables
}

// managed reports whether systemd has started this process: as a service that
// tells when it is ready, or as any other one whose unit is known.
func (l *Loaded) managed() bool {
	_, tells := l.environment()["NOTIFY_SOCKET"]
	return tells || l.in.Unit.Name != "" && unit.Environ(l.in.Environ).OfSystemd()
}

// service is the unit as a word of a command.
func (l *Loaded) service() string {
	return shown.Quoted(strings.TrimSuffix(cmp.Or(l.in.Unit.Name, unit.Name), ".service"))
}

// readUnit reads what systemd would hand over: the unit's own assignments, and
// over them those of its env files, or of the one that stands in their place.
func (l *Loaded) readUnit() map[string]settings.Setting {
	variables := make(map[string]settings.Setting)
	for _, line := range l.in.Unit.Environment {
		if name, value, ok := strings.Cut(line.Text, "="); ok {
			variables[name] = settings.Setting{Name: name, Value: value, Origin: settings.FromEnvironment, Source: fmt.Sprintf("%s (%s)", name, line.Source)}
		}
	}
	if l.in.EnvFile != "" {
		maps.Copy(variables, l.readEnvFile(l.in.EnvFile))
		return variables
	}
	for _, f := range l.in.Unit.EnvFiles {
		maps.Copy(variables, l.readEnvFile(f.Path))
	}
	return variables
}

// envFiles are the env files that systemd reads for this process, as far as that
// is known; named: its unit says so.
func (l *Loaded) envFiles() (paths []string, named bool) {
	for _, f := range l.in.Unit.EnvFiles {
		paths = append(paths, f.Path)
	}
	if len(paths) == 0 {
		return []string{DefaultEnvFile}, false
	}
	return paths, true
}

// readBySystemd returns what stands in the env files that systemd has read for
// this process, so that messages can name the line. Where it is not known which
// these are it may have been [DefaultEnvFile]. They count only where all that
// they set is in the environment: a file that nobody has read must not be named.
func (l *Loaded) readBySystemd(environment map[string]settings.Setting) map[string]settings.Setting {
	type read struct {
		path string
		file *envfile.File
	}
	var files []read
	values := make(map[string]string) // the last file counts
	paths, _ := l.envFiles()
	for _, path := range paths {
		data, err := l.in.ReadFile(path)
		if err != nil {
			continue
		}
		file, err := envfile.Parse(data)
		if err != nil {
			continue
		}
		for _, v := range file.Variables {
			values[v.Name] = v.Value
		}
		files = append(files, read{path, file})
	}
	for name, value := range values {
		if environment[name].Value != value {
			return nil
		}
	}
	variables := make(map[string]settings.Setting)
	if len(values) == 0 {
		return variables
	}
	for _, f := range files {
		maps.Copy(variables, l.takeEnvFile(f.path, f.file))
	}
	maps.DeleteFunc(variables, func(_ string, s settings.Setting) bool { return s.Value == "" })
	return variables
}

// takeEnvFile returns the variables of an env file, and says what of the file
// has no effect.
func (l *Loaded) takeEnvFile(path string, file *envfile.File) map[string]settings.Setting {
	for _, r := range file.Ignored {
		l.notice("%s:%d: %s", path, r.Line, r.Text)
	}
	variables := make(map[string]settings.Setting)
	for _, v := range file.Variables {
		variables[v.Name] = settings.Setting{Name: v.Name, Value: v.Value, Origin: settings.FromEnvFile,
			Source: fmt.Sprintf("%s (%s:%d)", v.Name, path, v.Line)}
	}
	return variables
}

// readEnvFile reads one env file.
func (l *Loaded) readEnvFile(path string) map[string]settings.Setting {
	data, err := l.in.ReadFile(path)
	var syntax *envfile.SyntaxError
	switch {
	case err == nil:
		file, err := envfile.Parse(data)
		switch {
		case err != nil:
			errors.As(err, &syntax) // Parse has no other error
			l.problem(fmt.Sprintf("%s:%d", path, syntax.Line), syntax.Reason, "")
		case isYAML(data, file):
			l.problems = append(l.problems, yamlProblem(path))
		default:
			return l.takeEnvFile(path, file)
		}
	case errors.Is(err, fs.ErrNotExist):
		l.missing(path)
	case errors.Is(err, fs.ErrPermission):
		hint := "run this command as root"
		if l.managed() { // it is the daemon, for who has asked it
			hint = fmt.Sprintf("systemctl reload %s, for which systemd reads it; or chmod 0644 %s", l.service(), shown.Quoted(path))
		}
		l.problem(path, "the env file cannot be read by this user; systemd reads it as root", hint)
	default:
		l.problem(path, fmt.Sprintf("read the env file: %v", err), "")
	}
	return make(map[string]settings.Setting)
}

// missing says what an env file that is not there means.
func (l *Loaded) missing(path string) {
	of := slices.IndexFunc(l.in.Unit.EnvFiles, func(f unit.EnvFile) bool { return f.Path == path })
	switch {
	case l.in.EnvFile != "" && path == DefaultEnvFile:
	case l.in.EnvFile != "" || of < 0:
		l.problem(path, "no such env file", "ETCD_NODE_ENV_FILE names it")
	case l.in.Unit.EnvFiles[of].Optional:
		l.notice("%s is not there; %s names it", path, l.in.Unit.Name)
	default:
		l.problem(path, "no such env file, and "+l.in.Unit.Name+" does not start without it", "write it, or put a \"-\" before its name in the unit")
	}
}
