package journal

import (
	"bytes"
	"io"

	"github.com/coreos/go-systemd/v22/journal"
	"go.uber.org/zap"
	"go.uber.org/zap/buffer"
	"go.uber.org/zap/zapcore"
)

// OnStderr reports whether descriptor 2 is the stream that systemd has opened
// to the journal for this service, which JOURNAL_STREAM names. The variable
// alone says little: a redirected child inherits it too.
func OnStderr() bool {
	is, err := journal.StderrIsJournalStream()
	return is && err == nil // an error: not systemd has set the variable
}

// priority is a level's, by sd-daemon(3); etcd's own writer to the journal
// (--log-outputs=systemd/journal) maps them so, too.
func priority(l zapcore.Level) string {
	switch l {
	case zapcore.DebugLevel:
		return "<7>" // SD_DEBUG
	case zapcore.InfoLevel:
		return "<6>" // SD_INFO
	case zapcore.WarnLevel:
		return "<4>" // SD_WARNING
	case zapcore.ErrorLevel:
		return "<3>" // SD_ERR
	default: // dpanic, panic, fatal
		return "<2>" // SD_CRIT
	}
}

// mark writes text with its priority. Each line gets it, as each is an entry of
// its own in the journal: a stack trace belongs to its error, and no text that
// was sent to us may begin a line with a priority of its choice.
func mark(to *buffer.Buffer, l zapcore.Level, text []byte) {
	p := priority(l)
	for line := range bytes.Lines(text) {
		to.AppendString(p)
		to.AppendBytes(line)
	}
}

var buffers = buffer.NewPool()

// encoder marks what another encoder makes of an entry.
type encoder struct{ zapcore.Encoder }

func (e encoder) Clone() zapcore.Encoder { return encoder{e.Encoder.Clone()} }

func (e encoder) EncodeEntry(entry zapcore.Entry, fields []zapcore.Field) (*buffer.Buffer, error) {
	bare, err := e.Encoder.EncodeEntry(entry, fields)
	if err != nil {
		return nil, err
	}
	defer bare.Free()
	marked := buffers.Get()
	mark(marked, entry.Level, bare.Bytes())
	return marked, nil
}

// Encoding is what [zap.Config] calls the encoding "json" or "console" with
// priorities.
func Encoding(bare string) string { return "journal-" + bare }

func init() {
	for name, bare := range map[string]func(zapcore.EncoderConfig) zapcore.Encoder{
		"json":    zapcore.NewJSONEncoder,
		"console": zapcore.NewConsoleEncoder,
	} {
		err := zap.RegisterEncoder(Encoding(name), func(c zapcore.EncoderConfig) (zapcore.Encoder, error) {
			return encoder{bare(c)}, nil
		})
		if err != nil { // two packages of this program have the same name for something
			panic(err)
		}
	}
}

// Writer marks plain text on its way to w. Each Write is of whole lines.
func Writer(w io.Writer, l zapcore.Level) io.Writer { return writer{w, l} }

type writer struct {
	w     io.Writer
	level zapcore.Level
}

func (w writer) Write(text []byte) (int, error) {
	marked := buffers.Get()
	defer marked.Free()
	mark(marked, w.level, text)
	if _, err := w.w.Write(marked.Bytes()); err != nil {
		return 0, err
	}
	return len(text), nil
}
