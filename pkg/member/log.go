package member

import (
	"sync/atomic"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"go.etcd.io/etcd/server/v3/embed"

	"github.com/etcd-node/etcd-node/pkg/journal"
)

// listen makes etcd log through all that listens to its log, and returns that
// logger.
func (m *member) listen() (*zap.Logger, error) {
	m.bare = m.Config.GetLogger()
	log := m.bare.WithOptions(zap.WrapCore(func(c zapcore.Core) zapcore.Core {
		if m.Terminal {
			c = quietStop{c, &m.stopping}
		}
		written := []zapcore.Core{stopFilter{journal.Redacted(c), &m.stopping, &m.closed}}
		if m.LastLines != nil {
			written = append(written, m.LastLines)
		}
		heard := []zapcore.Core{newRejectionFilter(zapcore.NewTee(written...)), tap{heard: m.heard}, m.streams}
		if m.flight != nil {
			heard = append(heard, m.flight.Hears())
		}
		return zapcore.NewTee(heard...)
	}))
	m.Config.ZapLoggerBuilder = embed.NewZapLoggerBuilder(log)
	if err := m.Config.ZapLoggerBuilder(m.Config); err != nil {
		return log, err
	}
	m.Config.SetupGlobalLoggers()
	return log, nil
}

// stopFilter passes a core's lines on, except for the errors with which etcd's
// listeners comment a stop that was asked for, and a second last line.
type stopFilter struct {
	zapcore.Core
	stopping, closed *atomic.Bool
}

const msgServeEnded = "setting up serving from embedded etcd failed."

func (f stopFilter) With(fields []zapcore.Field) zapcore.Core {
	return stopFilter{f.Core.With(fields), f.stopping, f.closed}
}

func (f stopFilter) Check(e zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	switch {
	case e.Message == msgServeEnded && f.stopping.Load():
		return checked
	case e.Message == msgClosed && f.closed.Swap(true):
		return checked
	}
	return f.Core.Check(e, checked)
}

// quietStop passes a core's lines on until a stop was asked for: a person at a
// terminal hears from the supervisor that it went well.
type quietStop struct {
	zapcore.Core
	stopping *atomic.Bool
}

func (f quietStop) With(fields []zapcore.Field) zapcore.Core {
	return quietStop{f.Core.With(fields), f.stopping}
}

func (f quietStop) Check(e zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if f.stopping.Load() {
		return checked
	}
	return f.Core.Check(e, checked)
}

// setLevel has etcd log from another level on.
func (m *member) setLevel(text string) {
	journal.SetLevel(m.bare, text)
}
