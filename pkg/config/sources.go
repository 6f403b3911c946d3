package config

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"strconv"
	"strings"

	"github.com/kelseyhightower/envconfig"

	"github.com/etcd-node/etcd-node/pkg/config/envfile"
	"github.com/etcd-node/etcd-node/pkg/config/settings"
)

// DefaultEnvFile is the env file of the unit.
const DefaultEnvFile = "/etc/default/etcd"

// started is what the environment says of how this process was started.
type started struct {
	EnvFile      string `envconfig:"ETCD_NODE_ENV_FILE"`
	NotifySocket string `envconfig:"NOTIFY_SOCKET"`
	ExecPID      string `envconfig:"SYSTEMD_EXEC_PID"`
}

// EnvFile returns the env file that this process has to read by itself, for
// [Input]: ETCD_NODE_ENV_FILE, else [DefaultEnvFile]; "" for the process that
// systemd started itself, because then systemd has read the file and its
// variables are in the environment.
func EnvFile() string {
	var s started
	_ = envconfig.Process("", &s) // takes every string
	// SYSTEMD_EXEC_PID is there since systemd 248; unlike NOTIFY_SOCKET it
	// tells systemd's child from what that child starts.
	if s.ExecPID == strconv.Itoa(os.Getpid()) || s.ExecPID == "" && s.NotifySocket != "" {
		return ""
	}
	return cmp.Or(s.EnvFile, DefaultEnvFile)
}

// readVariables returns what the environment says, by name, over what the env
// file says. A variable with an empty value is not set, as for etcd. Every Setting's Name is
// the variable's.
func (l *Loaded) readVariables() map[string]settings.Setting {
	variables := make(map[string]settings.Setting)
	for _, kv := range l.in.Environ {
		if name, value, ok := strings.Cut(kv, "="); ok && value != "" {
			variables[name] = settings.Setting{Name: name, Value: value, Origin: settings.FromEnvironment, Source: name}
		}
	}
	if l.in.EnvFile != "" {
		file := l.readEnvFile()
		maps.Copy(file, variables)
		return file
	}
	if _, systemd := variables["NOTIFY_SOCKET"]; systemd {
		maps.Copy(variables, l.readBySystemd(variables))
	}
	return variables
}

// readBySystemd returns what stands in the env file that systemd has read for
// this process, so that messages can name the line. systemd does not say which
// file that was, and the unit may name another. So [DefaultEnvFile] counts only
// where all that it sets is in the environment: a file that nobody has read
// must not be named.
func (l *Loaded) readBySystemd(environment map[string]settings.Setting) map[string]settings.Setting {
	data, err := l.in.ReadFile(DefaultEnvFile)
	if err != nil {
		return nil
	}
	file, err := envfile.Parse(data)
	if err != nil || len(file.Variables) == 0 {
		return nil
	}
	for _, v := range file.Variables {
		if environment[v.Name].Value != v.Value {
			return nil
		}
	}
	return l.takeEnvFile(DefaultEnvFile, file)
}

// takeEnvFile returns the variables of an env file, and says what of the file
// has no effect.
func (l *Loaded) takeEnvFile(path string, file *envfile.File) map[string]settings.Setting {
	for _, r := range file.Ignored {
		l.notice("%s:%d: %s", path, r.Line, r.Text)
	}
	variables := make(map[string]settings.Setting)
	for _, v := range file.Variables {
		if v.Value != "" {
			variables[v.Name] = settings.Setting{Name: v.Name, Value: v.Value, Origin: settings.FromEnvFile,
				Source: fmt.Sprintf("%s (%s:%d)", v.Name, path, v.Line)}
		}
	}
	return variables
}

func (l *Loaded) readEnvFile() map[string]settings.Setting {
	path := l.in.EnvFile
	data, err := l.in.ReadFile(path)
	var syntax *envfile.SyntaxError
	switch {
	case err == nil:
		file, err := envfile.Parse(data)
		if err == nil {
			return l.takeEnvFile(path, file)
		}
		errors.As(err, &syntax) // Parse has no other error
		l.problem(fmt.Sprintf("%s:%d", path, syntax.Line), syntax.Reason, "")
	case errors.Is(err, fs.ErrNotExist) && path == DefaultEnvFile:
	case errors.Is(err, fs.ErrNotExist):
		l.problem(path, "no such env file", "ETCD_NODE_ENV_FILE names it")
	case errors.Is(err, fs.ErrPermission):
		l.problem(path, "the env file cannot be read by this user; systemd reads it as root", "run this command as root")
	default:
		l.problem(path, fmt.Sprintf("read the env file: %v", err), "")
	}
	return make(map[string]settings.Setting)
}
