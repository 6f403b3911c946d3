package journal

import (
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// Leveled passes on a core's lines from a level on that [SetLevel] can change.
func Leveled(core zapcore.Core, from zapcore.Level) zapcore.Core {
	return leveled{core, zap.NewAtomicLevelAt(from)}
}

type leveled struct {
	zapcore.Core
	level zap.AtomicLevel
}

func (l leveled) Enabled(level zapcore.Level) bool { return l.level.Enabled(level) }

func (l leveled) With(fields []zapcore.Field) zapcore.Core {
	return leveled{l.Core.With(fields), l.level}
}

func (l leveled) Check(e zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if !l.level.Enabled(e.Level) {
		return checked
	}
	return l.Core.Check(e, checked)
}

// SetLevel has a logger with a core of [Leveled] log from another level on, and with it
// all loggers that were made of it. It reports whether it could: etcd's config file
// has etcd build the logger.
func SetLevel(lg *zap.Logger, text string) bool {
	core, ok := lg.Core().(leveled)
	level, err := zapcore.ParseLevel(text)
	if !ok || err != nil {
		return false
	}
	core.level.SetLevel(level)
	return true
}
