package config

import (
	"fmt"
	"slices"
	"strings"

	"go.uber.org/zap"

	"github.com/etcd-node/etcd-node/pkg/config/etcdflags"
)

const rotationNotice = "log rotation is on: the member rotates its log file, etcd-node itself logs to stderr"

// Logger builds etcd's own logger under etcd's log settings, so that both
// processes write one stream in one format; see [etcdflags.Logging.Build].
// Without a successful Load there are no settings to log under: use
// logutil.CreateDefaultZapLogger.
func (l *Loaded) Logger() (*zap.Logger, error) {
	log := etcdflags.Logging{Level: l.get("log-level"), Format: l.get("log-format"), Rotate: l.isOn("enable-log-rotation")}
	if v := l.get("log-outputs"); v != "" {
		log.Outputs = strings.Split(v, ",")
	}
	if l.file != nil {
		log = l.file.Log
	}
	lg, err := log.Build()
	if where := l.source("log-outputs"); err != nil && where != "" {
		err = fmt.Errorf("%s: %w (is the directory there, and may this user write to it?)", where, err)
	}
	return lg, err
}

// logSettings are the settings by which the log is told what to look like.
var logSettings = []string{"logger", "log-level", "log-format", "log-outputs", "enable-log-rotation", "log-rotation-config-json"}

// LogIsSet reports whether anything was said of the log; etcd's config file may
// have said it.
func (l *Loaded) LogIsSet() bool {
	return l.file != nil || slices.ContainsFunc(logSettings, func(name string) bool { return l.set[name] != nil })
}
