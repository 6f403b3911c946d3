package config

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"go.uber.org/zap"

	"github.com/etcd-node/etcd-node/pkg/config/etcdflags"
)

// TestLoggerInTheJournal: both processes' lines have their priority on stderr
// where it is the journal's stream, and nothing else has.
func TestLoggerInTheJournal(t *testing.T) {
	var st syscall.Stat_t
	if err := syscall.Fstat(syscall.Stderr, &st); err != nil {
		t.Fatal(err)
	}
	here, elsewhere := fmt.Sprintf("%d:%d", st.Dev, st.Ino), fmt.Sprintf("%d:%d", st.Dev, st.Ino+1)
	dir := t.TempDir()
	log, yml := filepath.Join(dir, "etcd.log"), filepath.Join(dir, "etcd.yml")
	os.WriteFile(yml, []byte("log-level: debug\nlog-format: console\nlog-outputs: [stderr, "+log+"]\n"), 0o600)
	none, bare := regexp.MustCompile(`^$`), regexp.MustCompile(`^\{"level":"(info|warn|error)"`)
	json := regexp.MustCompile(`^(<6>\{"level":"info"|<4>\{"level":"warn"|<3>\{"level":"error")`)
	console := regexp.MustCompile(`^(<7>\S+\tdebug|<6>\S+\tinfo|<4>\S+\twarn|<3>)`) // an error has its stack below it
	plain := regexp.MustCompile(`^[^<]`)
	for _, tc := range []struct {
		name         string
		args         []string
		stream       string
		stderr, file *regexp.Regexp
	}{
		{"default", nil, here, json, none},
		{"stderr", []string{"--log-outputs=stderr"}, here, json, none},
		{"not a service", nil, "", bare, none},
		{"of another service", nil, elsewhere, bare, none},
		{"a file", []string{"--log-outputs=" + log}, here, none, bare},
		{"both", []string{"--log-outputs=stderr," + log}, here, json, bare},
		{"nothing", []string{"--log-outputs=stderr,/dev/null"}, here, none, none},
		{"console", []string{"--log-format=console", "--log-level=debug"}, here, console, none},
		{"config file", []string{"--config-file=" + yml}, here, console, plain},
		{"config file, not a service", []string{"--config-file=" + yml}, "", plain, plain},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Setenv("JOURNAL_STREAM", tc.stream)
			os.Remove(log)
			stderr := filepath.Join(t.TempDir(), "stderr")
			f, err := os.Create(stderr)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			defer func(before *os.File) { os.Stderr = before }(os.Stderr)
			os.Stderr = f // what the loggers take; the descriptor 2 is the stream

			l, err := Load(Input{Args: tc.args})
			if err != nil {
				t.Fatal(err)
			}
			supervisor, err := l.Logger()
			if err != nil {
				t.Fatal(err)
			}
			r, err := l.Resolve(t.Context(), noFind(t))
			if err != nil {
				t.Fatal(err)
			}
			c, err := etcdflags.Member(r.Args(), r.Secrets())
			if err != nil {
				t.Fatal(err)
			}
			if tc.name == "config file" { // etcd's own, from within ConfigFromFile; see build
				os.Truncate(stderr, 0)
				f.Seek(0, 0)
			}
			lines := 0
			for _, lg := range []*zap.Logger{supervisor, c.GetLogger()} {
				lg = lg.With(zap.String("from", "test"))
				lg.Debug("one")
				lg.Info("one")
				lg.Warn("one")
				lg.Error("one")
				if lines += 3; lg.Core().Enabled(zap.DebugLevel) {
					lines++
				}
			}
			for path, want := range map[string]*regexp.Regexp{stderr: tc.stderr, log: tc.file} {
				data, _ := os.ReadFile(path) // none is empty
				text := strings.TrimSuffix(string(data), "\n")
				for line := range strings.SplitSeq(text, "\n") {
					if !want.MatchString(line) {
						t.Errorf("%s: %q does not match %s", path, line, want)
					}
				}
				if n := strings.Count(text, `"from": "test"`) + strings.Count(text, `"from":"test"`); want != none && n != lines {
					t.Errorf("%s: %d lines, want %d:\n%s", path, n, lines, text)
				}
			}
		})
	}
}
