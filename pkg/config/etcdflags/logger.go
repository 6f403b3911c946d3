package etcdflags

import (
	"errors"
	"fmt"
	"slices"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"go.etcd.io/etcd/client/pkg/v3/logutil"
	"go.etcd.io/etcd/server/v3/embed"

	"github.com/etcd-node/etcd-node/pkg/journal"
)

// Logging are etcd's log settings; a zero field is etcd's default.
type Logging struct {
	Level   string   `json:"log-level"`
	Format  string   `json:"log-format"`
	Outputs []string `json:"log-outputs"`
	Rotate  bool     `json:"enable-log-rotation"`
	limits  string   // of the rotation, which is the member's alone
}

// Build builds etcd's own logger. It opens log-outputs; where etcd rotates its
// file it logs to stderr instead, because two processes that rotate one file
// lose lines.
func (log Logging) Build() (*zap.Logger, error) {
	if log.Rotate {
		log.Outputs, log.Rotate = []string{embed.StdErrLogOutput}, false
	}
	return log.build()
}

func (log Logging) build() (*zap.Logger, error) {
	c := embed.NewConfig()
	// Validate sets the logger up and then warns on it: not about these two.
	c.Name, c.ListenClientHttpUrls = "etcd-node", c.ListenClientUrls
	if log.Level != "" {
		c.LogLevel = log.Level
	}
	if log.Format != "" {
		c.LogFormat = log.Format
	}
	if len(log.Outputs) > 0 {
		c.LogOutputs = log.Outputs
	}
	if c.EnableLogRotation = log.Rotate; log.limits != "" {
		c.LogRotationConfigJSON = log.limits
	}
	c.ZapLoggerBuilder = journalLogger(c.LogOutputs)
	if err := validateLeveled(c); err != nil {
		return nil, fmt.Errorf("set up logging: %w", err)
	}
	return c.GetLogger(), nil
}

// validateLeveled has etcd validate a configuration, which builds its logger, and
// makes that one whose level can be changed.
func validateLeveled(c *embed.Config) error {
	level, err := zapcore.ParseLevel(c.LogLevel)
	if err != nil {
		return err
	}
	set := c.LogLevel
	c.LogLevel = zapcore.DebugLevel.String()
	err = c.Validate()
	c.LogLevel = set
	if err != nil {
		return err
	}
	lg := c.GetLogger().WithOptions(zap.WrapCore(func(core zapcore.Core) zapcore.Core {
		return journal.Leveled(core, level)
	}))
	c.ZapLoggerBuilder = embed.NewZapLoggerBuilder(lg)
	return c.ZapLoggerBuilder(c)
}

// checkLog refuses the values on which etcd panics, and those that would leave
// etcd-node itself without a log.
func checkLog(name, value string) error {
	switch name {
	case "log-level":
		// Like etcd: "" is "info".
		if _, err := zapcore.ParseLevel(value); err != nil {
			return errors.New("want debug, info, warn, error, panic or fatal")
		}
	case "log-format":
		_, err := logutil.ConvertToZapFormat(value)
		return err
	}
	return nil
}

// journalLogger is the ZapLoggerBuilder of an embed.Config with these
// log-outputs: nil, so that etcd builds its own, unless they go to the journal
// by way of stderr. There it is etcd's own with a priority before each line.
func journalLogger(outputs []string) func(*embed.Config) error {
	// By /dev/null etcd means: nowhere else either.
	if !slices.ContainsFunc(outputs, isStderr) || slices.Contains(outputs, "/dev/null") || !journal.OnStderr() {
		return nil
	}
	return func(c *embed.Config) error {
		encoding, err := logutil.ConvertToZapFormat(c.LogFormat)
		if err != nil {
			return err
		}
		z := logutil.DefaultZapLoggerConfig // which writes to stderr
		z.Level = zap.NewAtomicLevelAt(logutil.ConvertToZapLevel(c.LogLevel))
		z.Encoding = journal.Encoding(encoding)
		lg, err := z.Build()
		if err != nil {
			return err
		}
		// The other outputs get their lines from a logger of etcd's, bare.
		if rest := slices.DeleteFunc(slices.Clone(c.LogOutputs), isStderr); len(rest) > 0 {
			bare, err := Logging{c.LogLevel, c.LogFormat, rest, c.EnableLogRotation, c.LogRotationConfigJSON}.build()
			if err != nil {
				return err
			}
			lg = lg.WithOptions(zap.WrapCore(func(core zapcore.Core) zapcore.Core {
				return zapcore.NewTee(core, bare.Core())
			}))
		}
		return embed.NewZapLoggerBuilder(lg)(c)
	}
}

func isStderr(output string) bool {
	return output == embed.DefaultLogOutput || output == embed.StdErrLogOutput
}
