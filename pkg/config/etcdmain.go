package config

import (
	"slices"
	"strings"

	"go.uber.org/zap"

	"github.com/etcd-node/etcd-node/pkg/config/settings"
)

// LogAsEtcd logs what etcd's own main logs of its settings, word for word,
// because scripts and test suites wait for these lines. args is the command
// line with the program's name.
//
// Unlike etcd it logs no secret, and of a variable that etcd does not know the
// name alone: its value may be anything. What etcd warns of a setting, and what
// it raises, is among the notices, in etcd's words.
func (l *Loaded) LogAsEtcd(log *zap.Logger, args []string) {
	if l.file != nil {
		log.Info("loaded server configuration, other configuration command line flags and environment variables will be ignored if provided",
			zap.String("path", l.get("config-file")))
	} else {
		l.logVariables(log)
	}
	log.Info("Running: ", zap.Strings("args", withoutSecrets(args)))
}

func (l *Loaded) logVariables(log *zap.Logger) {
	if l.version != "" {
		log.Warn("cannot set special environment variable", zap.String("key", settings.Variable("version")), zap.String("value", l.version))
	}
	for _, name := range sorted(l.set) {
		for _, s := range l.set[name] {
			if s.Origin == settings.FromEnvironment || s.Origin == settings.FromEnvFile {
				log.Info("recognized and used environment variable",
					zap.String("variable-name", settings.Variable(name)), zap.String("variable-value", s.Shown()))
			}
		}
	}
	for _, name := range l.unknown {
		log.Warn("unrecognized environment variable", zap.String("environment-variable", name))
	}
}

// deprecated warns of a setting as etcd does, and once, however often it is set.
func (l *Loaded) deprecated(name string) {
	if words := settings.Deprecated[name]; !slices.Contains(l.Notices, words) {
		l.notice("%s", words)
	}
}

// withoutSecrets is a command line as it may be logged.
func withoutSecrets(args []string) []string {
	safe := slices.Clone(args)
	for i := range args {
		name, value, given := strings.Cut(args[i], "=")
		flag := strings.TrimPrefix(strings.TrimPrefix(name, "-"), "-")
		switch {
		case flag == name: // not a flag
		case given:
			safe[i] = name + "=" + settings.Setting{Name: flag, Value: value}.Shown()
		case i+1 < len(args):
			safe[i+1] = settings.Setting{Name: flag, Value: args[i+1]}.Shown()
		}
	}
	return safe
}
