package journal

import (
	"encoding/json"
	"fmt"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/etcd-node/etcd-node/pkg/shown"
)

// Redacted passes a core's lines on without the passwords in their URLs. etcd
// logs its URLs as they were configured.
func Redacted(c zapcore.Core) zapcore.Core { return redacting{c} }

type redacting struct{ zapcore.Core }

func (r redacting) With(fields []zapcore.Field) zapcore.Core {
	return redacting{r.Core.With(redacted(fields))}
}

func (r redacting) Check(e zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if r.Core.Check(e, nil) == nil { // its level, its sampling
		return checked
	}
	return checked.AddCore(e, r)
}

func (r redacting) Write(e zapcore.Entry, fields []zapcore.Field) error {
	e.Message = shown.Redacted(e.Message)
	return r.Core.Write(e, redacted(fields))
}

// redacted are the fields without passwords.
func redacted(fields []zapcore.Field) []zapcore.Field {
	clean := make([]zapcore.Field, len(fields))
	for i, f := range fields {
		clean[i] = f
		switch f.Type {
		case zapcore.StringType:
			clean[i].String = shown.Redacted(f.String)
		case zapcore.ErrorType:
			text := fmt.Sprint(f.Interface)
			if s := shown.Redacted(text); s != text {
				clean[i] = zap.String(f.Key, s)
			}
		case zapcore.StringerType, zapcore.ArrayMarshalerType, zapcore.ObjectMarshalerType, zapcore.ReflectType, zapcore.ByteStringType:
			values := zapcore.NewMapObjectEncoder()
			f.AddTo(values)
			text, err := json.Marshal(values.Fields[f.Key])
			if s := shown.Redacted(string(text)); err == nil && s != string(text) {
				clean[i] = zap.Reflect(f.Key, json.RawMessage(s))
			}
		}
	}
	return clean
}
