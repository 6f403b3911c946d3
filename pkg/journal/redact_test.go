package journal

import (
	"bytes"
	"errors"
	"net/url"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// However a URL gets into a line, its password does not.
func TestRedacted(t *testing.T) {
	const secret = "http://u:secretpw@192.0.2.1:2379"
	for name, encoder := range map[string]zapcore.Encoder{
		"json":    zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()),
		"console": zapcore.NewConsoleEncoder(zap.NewDevelopmentEncoderConfig()),
	} {
		var out bytes.Buffer
		core := zapcore.NewCore(encoder, zapcore.AddSync(&out), zap.InfoLevel)
		log := zap.New(Redacted(core)).With(zap.String("with", secret))
		log.Debug("below the level")
		log.Info("at "+secret,
			zap.String("string", secret), zap.Strings("strings", []string{secret, "plain"}), zap.Error(errors.New("dial "+secret)),
			zap.Any("any", map[string][]string{"urls": {secret}}), zap.Any("struct", struct{ URL string }{secret}),
			zap.ByteString("bytes", []byte(secret)), zap.Int("number", 7), zap.Stringer("stringer", stringer(secret)))
		got := out.String()
		if strings.Contains(got, "secretpw") || strings.Contains(got, "below") {
			t.Errorf("%s: %s", name, got)
		}
		if n := strings.Count(got, "http://(redacted)@192.0.2.1:2379"); n != 9 {
			t.Errorf("%s: %d URLs: %s", name, n, got)
		}
		for _, want := range []string{"plain", "dial ", `"number": 7`} {
			if !strings.Contains(strings.ReplaceAll(got, `"number":7`, `"number": 7`), want) {
				t.Errorf("%s: no %q in %s", name, want, got)
			}
		}
	}
}

type stringer string

func (s stringer) String() string { return string(s) }

// A line without a password is logged as it would be without this core.
func TestRedactedLeavesTheRest(t *testing.T) {
	var plain, through bytes.Buffer
	for out, wrap := range map[*bytes.Buffer]func(zapcore.Core) zapcore.Core{&plain: func(c zapcore.Core) zapcore.Core { return c }, &through: Redacted} {
		c := zap.NewProductionEncoderConfig()
		c.TimeKey = ""
		log := zap.New(wrap(zapcore.NewCore(zapcore.NewJSONEncoder(c), zapcore.AddSync(out), zap.InfoLevel)))
		log.Warn("x@y", zap.Strings("urls", []string{"http://a:1"}), zap.Error(errors.New("e")), zap.Any("m", map[string]int{"b": 1, "a": 2}), zap.Binary("bin", []byte("x")), zap.Stringer("nil", (*url.URL)(nil)), zap.Namespace("n"), zap.Bool("b", true))
	}
	if plain.String() != through.String() || plain.Len() == 0 {
		t.Errorf("%s is now %s", plain.String(), through.String())
	}
}
