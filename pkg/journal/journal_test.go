package journal

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"
	"testing"

	"go.uber.org/zap/buffer"
	"go.uber.org/zap/zapcore"

	"go.etcd.io/etcd/client/pkg/v3/logutil"
)

// encoded is what etcd's encoding makes of an entry, bare and with priorities.
func encoded(t *testing.T, bare func(zapcore.EncoderConfig) zapcore.Encoder, e zapcore.Entry) (without, with string) {
	t.Helper()
	enc := bare(logutil.DefaultZapLoggerConfig.EncoderConfig)
	enc.AddString("member", "m1") // as Logger.With does, on a clone
	for _, to := range []struct {
		enc  zapcore.Encoder
		text *string
	}{{enc, &without}, {encoder{enc}.Clone(), &with}} {
		out, err := to.enc.EncodeEntry(e, []zapcore.Field{{Key: "k", Type: zapcore.StringType, String: "v\n<0>w"}})
		if err != nil {
			t.Fatal(err)
		}
		*to.text = out.String()
		out.Free()
	}
	return without, with
}

func TestPriorities(t *testing.T) {
	for level, want := range map[zapcore.Level]string{
		zapcore.DebugLevel: "<7>", zapcore.InfoLevel: "<6>", zapcore.WarnLevel: "<4>", zapcore.ErrorLevel: "<3>",
		zapcore.DPanicLevel: "<2>", zapcore.PanicLevel: "<2>", zapcore.FatalLevel: "<2>",
	} {
		without, with := encoded(t, zapcore.NewJSONEncoder, zapcore.Entry{Level: level, Message: "one\n<0>two", Stack: "a\nb"})
		if with != want+without {
			t.Errorf("%s:\n got %s\nwant %s%s", level, with, want, without)
		}
	}
}

// TestEveryLine: a stack trace has its error's priority, and a message cannot
// choose one.
func TestEveryLine(t *testing.T) {
	e := zapcore.Entry{Level: zapcore.ErrorLevel, Message: "one\n<0>two", Stack: "a\n\tb"}
	without, with := encoded(t, zapcore.NewConsoleEncoder, e)
	if n := strings.Count(without, "\n"); n != 4 {
		t.Fatalf("%d lines, want 4:\n%s", n, without)
	}
	want := "<3>" + strings.ReplaceAll(strings.TrimSuffix(without, "\n"), "\n", "\n<3>") + "\n"
	if with != want {
		t.Errorf("\n got %s\nwant %s", with, want)
	}
}

// broken is an encoder that fails.
type broken struct{ zapcore.Encoder }

func (broken) EncodeEntry(zapcore.Entry, []zapcore.Field) (*buffer.Buffer, error) {
	return nil, io.ErrUnexpectedEOF
}

func TestEncoderFails(t *testing.T) {
	if out, err := (encoder{broken{}}).EncodeEntry(zapcore.Entry{}, nil); out != nil || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%v, %v", out, err)
	}
}

func TestWriter(t *testing.T) {
	var out bytes.Buffer
	if n, err := fmt.Fprintln(Writer(&out, zapcore.WarnLevel), "one\ntwo"); n != 8 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if got, want := out.String(), "<4>one\n<4>two\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	r, w := io.Pipe()
	r.Close()
	if n, err := fmt.Fprintln(Writer(w, zapcore.WarnLevel), "one"); n != 0 || err == nil {
		t.Errorf("%d, %v from what is closed", n, err)
	}
}

func TestOnStderr(t *testing.T) {
	var st syscall.Stat_t
	if err := syscall.Fstat(syscall.Stderr, &st); err != nil {
		t.Fatal(err)
	}
	for value, want := range map[string]bool{
		fmt.Sprintf("%d:%d", st.Dev, st.Ino):   true,
		fmt.Sprintf("%d:%d", st.Dev, st.Ino+1): false,
		fmt.Sprintf("%d:%d", st.Dev+1, st.Ino): false,
		fmt.Sprint(st.Dev):                     false,
		"journal":                              false,
		"":                                     false,
	} {
		t.Setenv("JOURNAL_STREAM", value)
		if got := OnStderr(); got != want {
			t.Errorf("JOURNAL_STREAM=%q: %v", value, got)
		}
	}
}
