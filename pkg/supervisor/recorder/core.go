package recorder

import (
	"bytes"
	"fmt"
	"regexp"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// Core returns a zap core that writes lines of level warn and above, Fatal and
// Panic among them, into the ring, whatever etcd's log level and sampling. It
// keeps of them what cannot hold data: see dataFree, requestFree and
// plainFields.
//
// Of one message it keeps five a second: etcd repeats some by the hundred (a
// publication that is refused, a peer that is unreachable), and they would
// push out what came before them.
//
// Put it beside etcd's own core with [zapcore.NewTee]. The logger must add
// callers: without one only the level, the time and the numbers are kept.
func (w *RingWriter) Core() zapcore.Core {
	const first, thereafter = 5, 0
	return zapcore.NewSamplerWithOptions(w.core(), time.Second, first, thereafter)
}

func (w *RingWriter) core() ringCore {
	return ringCore{w: w, enc: zapcore.NewConsoleEncoder(zapcore.EncoderConfig{
		MessageKey: "msg", LevelKey: "level", TimeKey: "ts", CallerKey: "caller",
		EncodeTime:       zapcore.TimeEncoderOfLayout("2006-01-02T15:04:05.000Z0700"),
		EncodeLevel:      zapcore.LowercaseLevelEncoder,
		EncodeCaller:     zapcore.ShortCallerEncoder,
		EncodeDuration:   zapcore.StringDurationEncoder,
		ConsoleSeparator: " ",
	})}
}

type ringCore struct {
	w      *RingWriter
	enc    zapcore.Encoder
	fields []zapcore.Field // of With, as they came
}

func (c ringCore) Enabled(l zapcore.Level) bool { return l >= zapcore.WarnLevel }

func (c ringCore) With(fields []zapcore.Field) zapcore.Core {
	c.fields = append(c.fields[:len(c.fields):len(c.fields)], fields...)
	return c
}

func (c ringCore) Check(e zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.Enabled(e.Level) {
		return checked.AddCore(e, c)
	}
	return checked
}

// Write puts one line into the ring. For Fatal and Panic it runs before the
// process ends.
func (c ringCore) Write(e zapcore.Entry, fields []zapcore.Field) error {
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
	c.w.write(userinfo.ReplaceAll(bytes.TrimSpace(line.Bytes()), []byte("//…@")))
	return nil
}

func (c ringCore) Sync() error { return nil }

// userinfo is the part of a URL that may hold a password.
var userinfo = regexp.MustCompile(`//[^/@\s"]+@`)

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
