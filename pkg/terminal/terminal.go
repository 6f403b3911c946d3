// Package terminal writes the log for a person who sits in front of it: a line
// for each entry, with the time, the level if it is worth a look, and the text.
//
//	15:04:05 serving: leader, 1 of 1 member
//	15:04:09 WARN  slow fdatasync (took=1.2s)
//
// Nothing in a line controls the terminal, whoever has written the text.
package terminal

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap/zapcore"
	"golang.org/x/sys/unix"

	"github.com/etcd-node/etcd-node/pkg/shown"
)

// Is reports whether a file is a terminal.
func Is(f *os.File) bool {
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}

// repeatedAfter is for how long the same warning is not said again: etcd says some
// of them twice at a start.
const repeatedAfter = 10 * time.Second

// Core writes entries of a level and above to w, the same warning once in 10 s.
func Core(w zapcore.WriteSyncer, level zapcore.LevelEnabler) zapcore.Core {
	return core{LevelEnabler: level, out: &out{w: w, warned: map[string]time.Time{}}}
}

type core struct {
	zapcore.LevelEnabler
	out    *out
	fields []zapcore.Field // of With
}

// out is where all cores of one log write.
type out struct {
	mu     sync.Mutex
	w      zapcore.WriteSyncer
	warned map[string]time.Time
}

func (o *out) say(e zapcore.Entry, text string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if e.Level == zapcore.WarnLevel {
		maps.DeleteFunc(o.warned, func(_ string, at time.Time) bool { return e.Time.Sub(at) >= repeatedAfter })
		if _, yes := o.warned[text]; yes {
			return nil
		}
		o.warned[text] = e.Time
	}
	// At once, so that the lines of two processes do not mix.
	_, err := o.w.Write([]byte(e.Time.Format("15:04:05 ") + text + "\n"))
	return err
}

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

func (c core) Sync() error { return c.out.w.Sync() }

// Write writes one entry. Fields stand only in what is worth a look, and only if
// they say more than the text: the texts of the others are all that a person
// needs.
func (c core) Write(e zapcore.Entry, fields []zapcore.Field) error {
	var b strings.Builder
	if e.Level > zapcore.InfoLevel {
		fmt.Fprintf(&b, "%-5s ", e.Level.CapitalString())
	}
	b.WriteString(line(e.Message))
	var short, long []string
	if e.Level != zapcore.InfoLevel {
		for _, f := range append(c.fields[:len(c.fields):len(c.fields)], fields...) {
			name, values := texts(f)
			values = slices.DeleteFunc(values, func(v string) bool { return strings.Contains(line(e.Message), v) })
			switch len(values) {
			case 0:
			case 1:
				short = append(short, name+"="+values[0])
			default:
				for _, v := range values {
					long = append(long, name+": "+v)
				}
			}
		}
	}
	if len(short) > 0 {
		b.WriteString(" (" + strings.Join(short, ", ") + ")")
	}
	for _, l := range long {
		b.WriteString("\n         " + l)
	}
	return c.out.say(e, b.String())
}

// texts is what a field says: one text, or one for each entry of a list.
func texts(f zapcore.Field) (name string, values []string) {
	m := zapcore.NewMapObjectEncoder()
	f.AddTo(m)
	switch v := m.Fields[f.Key].(type) {
	case nil:
	case string:
		values = []string{line(v)}
	case []any:
		for _, x := range v {
			values = append(values, line(fmt.Sprint(x)))
		}
	case map[string]any:
		text, _ := json.Marshal(v) // an error leaves it empty: it is for people
		values = []string{line(string(text))}
	default:
		values = []string{line(fmt.Sprint(v))}
	}
	return line(f.Key), values
}

// line is a text on one line, fit to be shown.
func line(s string) string { return strings.ReplaceAll(shown.Text(strings.TrimSpace(s)), "\n", "; ") }
