package terminal

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

func TestLines(t *testing.T) {
	var out bytes.Buffer
	log := zap.New(Core(zapcore.AddSync(&out), zap.InfoLevel)).With(zap.String("member", "m1"))
	log.Debug("nobody wants this")
	log.Info("serving", zap.Int("pid", 7))
	log.Warn("slow", zap.Duration("took", 1200*time.Millisecond), zap.Error(errors.New("two\nlines")), zap.Any("m", map[string]any{"a": 1}))
	log.Warn("twice")
	log.Info("serving")
	log.Warn("twice")
	log.Error("failed; first: sit down", zap.Strings("next", []string{"sit down", "do this", "then that"}))
	log.Warn("\x1b[2Jhidden", zap.String("url", "http://u:secretpw@h"), zap.Skip())
	var got []string
	for l := range strings.Lines(out.String()) {
		if len(l) < 9 {
			t.Fatalf("%q", l)
		}
		got = append(got, strings.TrimSuffix(l[9:], "\n"))
	}
	want := []string{
		"serving",
		`WARN  slow (member=m1, took=1.2s, error=two; lines, m={"a":1})`,
		"WARN  twice (member=m1)",
		"serving",
		"ERROR failed; first: sit down (member=m1)",
		"next: do this",
		"next: then that",
		"WARN  ?[2Jhidden (member=m1, url=http://(redacted)@h)",
	}
	if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
		t.Errorf("got\n%s\nwant\n%s", g, w)
	}
}

func TestIs(t *testing.T) {
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if Is(f) {
		t.Error("/dev/null is a terminal")
	}
}
