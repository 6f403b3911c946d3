package recorder

import (
	"fmt"
	"strings"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/etcd-node/etcd-node/pkg/shown"
)

// Core returns a zap core that sends lines of level warn and above, Fatal and
// Panic among them, to the supervisor, whatever etcd's log level and sampling.
// It keeps of them what cannot hold data: see dataFree, requestFree and
// plainFields.
//
// Of one message it keeps five a second: etcd repeats some by the hundred (a
// publication that is refused, a peer that is unreachable), and they would
// push out what came before them.
//
// Put it beside etcd's own core with [zapcore.NewTee]. The logger must add
// callers: without one only the level, the time and the numbers are kept.
func (w *LineWriter) Core() zapcore.Core {
	const first, thereafter = 5, 0
	return zapcore.NewSamplerWithOptions(w.core(), time.Second, first, thereafter)
}

func (w *LineWriter) core() core {
	return core{w: w, enc: zapcore.NewConsoleEncoder(zapcore.EncoderConfig{
		MessageKey: "msg", LevelKey: "level", TimeKey: "ts", CallerKey: "caller",
		EncodeTime:       zapcore.TimeEncoderOfLayout("2006-01-02T15:04:05.000Z0700"),
		EncodeLevel:      zapcore.LowercaseLevelEncoder,
		EncodeCaller:     zapcore.ShortCallerEncoder,
		EncodeDuration:   zapcore.StringDurationEncoder,
		ConsoleSeparator: " ",
	})}
}

type core struct {
	w      *LineWriter
	enc    zapcore.Encoder
	fields []zapcore.Field // of With, as they came
}

func (c core) Enabled(l zapcore.Level) bool { return l >= zapcore.WarnLevel }

func (c core) With(fields []zapcore.Field) zapcore.Core {
	c.fields = append(c.fields[:len(c.fields):len(c.fields)], fields...)
	return c
}

func (c core) Check(e zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.Enabled(e.Level) {
		return checked.AddCore(e, c)
	}
	return checked
}

// Write sends one line. For Fatal and Panic it runs before the process ends.
func (c core) Write(e zapcore.Entry, fields []zapcore.Field) error {
	from := packageOf(e.Caller.Function)
	if !dataFree(e) {
		e.Message = "(message left out: it may quote data)"
	}
	e.Time = e.Time.UTC()
	kept := make([]zapcore.Field, 0, len(c.fields)+len(fields))
	for _, list := range [][]zapcore.Field{c.fields, fields} {
		for _, f := range list {
			if f, ok := keep(from, f); ok {
				kept = append(kept, f)
			}
		}
	}
	line, err := c.enc.EncodeEntry(e, kept)
	if err != nil {
		return fmt.Errorf("encode a log line: %w", err)
	}
	defer line.Free()
	c.w.write([]byte(shown.Redacted(strings.TrimSpace(line.String()))))
	return nil
}

func (c core) Sync() error { return nil }

// keep returns what is kept of a field in a line that a package logs.
func keep(from string, f zapcore.Field) (zapcore.Field, bool) {
	switch f.Type {
	case zapcore.BoolType, zapcore.DurationType, zapcore.Float64Type, zapcore.Float32Type,
		zapcore.Int64Type, zapcore.Int32Type, zapcore.Int16Type, zapcore.Int8Type,
		zapcore.Uint64Type, zapcore.Uint32Type, zapcore.Uint16Type, zapcore.Uint8Type:
		return f, true
	case zapcore.TimeType, zapcore.TimeFullType:
		return f, true
	case zapcore.StringType, zapcore.StringerType, zapcore.ArrayMarshalerType:
		return f, plainFields[f.Key] && requestFree(from)
	case zapcore.ErrorType:
		if f.Key == "error" && requestFree(from) {
			return zap.String(f.Key, fmt.Sprint(f.Interface)), true // not what zap adds: errorVerbose, errorCauses
		}
	}
	return f, false
}
