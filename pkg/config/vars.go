package config

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/etcd-node/etcd-node/pkg/config/envfile"
)

// DefaultEnvFile is the env file of the unit.
const DefaultEnvFile = "/etc/default/etcd"

// EnvFile returns the env file that a process with this environment and pid
// has to read by itself, for [Input]: ETCD_NODE_ENV_FILE, else
// [DefaultEnvFile]; "" for the process that systemd started itself, because
// then systemd has read the file and its variables are in the environment.
func EnvFile(environ []string, pid int) string {
	env := make(map[string]string, len(environ))
	for _, kv := range environ {
		k, v, _ := strings.Cut(kv, "=")
		env[k] = v
	}
	// SYSTEMD_EXEC_PID is there since systemd 248; unlike NOTIFY_SOCKET it
	// tells systemd's child from what that child starts.
	if exec, ok := env["SYSTEMD_EXEC_PID"]; ok && exec == fmt.Sprint(pid) || !ok && env["NOTIFY_SOCKET"] != "" {
		return ""
	}
	if path := env["ETCD_NODE_ENV_FILE"]; path != "" {
		return path
	}
	return DefaultEnvFile
}

// variables returns what the environment says, by name, over what the env file
// says. An empty value is no value, as for etcd. Every Setting's Name is the
// variable's.
func (l *Loaded) variables(in Input) map[string]Setting {
	vars := make(map[string]Setting)
	if in.EnvFile != "" {
		l.readEnvFile(in, vars)
	}
	read := l.readBySystemd(in)
	for _, kv := range in.Environ {
		name, value, ok := strings.Cut(kv, "=")
		if !ok || value == "" {
			continue
		}
		vars[name] = Setting{Name: name, Value: value, Origin: FromEnvironment, Source: name}
		if s, ok := read[name]; ok && s.Value == value {
			vars[name] = s
		}
	}
	return vars
}

// readBySystemd returns what stands in the unit's env file, where systemd has
// read it for this process, so that messages can name the line; nil where it
// has not or the file cannot be read. Only what is in the environment counts.
func (l *Loaded) readBySystemd(in Input) map[string]Setting {
	systemd := slices.ContainsFunc(in.Environ, func(kv string) bool { return strings.HasPrefix(kv, "NOTIFY_SOCKET=") })
	if in.EnvFile != "" || !systemd {
		return nil
	}
	data, err := in.ReadFile(DefaultEnvFile)
	if err != nil {
		return nil
	}
	file, err := envfile.Parse(data)
	if err != nil {
		return nil
	}
	vars := make(map[string]Setting)
	l.takeEnvFile(DefaultEnvFile, file, vars)
	return vars
}

// takeEnvFile puts the variables of an env file into vars, and says what of
// the file has no effect.
func (l *Loaded) takeEnvFile(path string, file *envfile.File, vars map[string]Setting) {
	for _, r := range file.Ignored {
		l.notice("%s:%d: %s", path, r.Line, r.Text)
	}
	for _, v := range file.Variables {
		if v.Value != "" {
			vars[v.Name] = Setting{Name: v.Name, Value: v.Value, Origin: FromEnvFile,
				Source: fmt.Sprintf("%s (%s:%d)", v.Name, path, v.Line)}
		}
	}
}

func (l *Loaded) readEnvFile(in Input, vars map[string]Setting) {
	data, err := in.ReadFile(in.EnvFile)
	switch {
	case errors.Is(err, fs.ErrNotExist) && in.EnvFile == DefaultEnvFile:
		return
	case errors.Is(err, fs.ErrNotExist):
		l.problem(in.EnvFile, "no such env file", "ETCD_NODE_ENV_FILE names it")
		return
	case errors.Is(err, fs.ErrPermission):
		l.problem(in.EnvFile, "the env file cannot be read by this user; systemd reads it as root", "run this command as root")
		return
	case err != nil:
		l.problem(in.EnvFile, fmt.Sprintf("read the env file: %v", err), "")
		return
	}
	file, err := envfile.Parse(data)
	if err != nil {
		var syntax *envfile.SyntaxError
		errors.As(err, &syntax) // Parse has no other error
		l.problem(fmt.Sprintf("%s:%d", in.EnvFile, syntax.Line), syntax.Reason, "")
		return
	}
	l.takeEnvFile(in.EnvFile, file, vars)
}
