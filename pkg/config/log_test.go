package config

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/zap"

	"github.com/etcd-node/etcd-node/pkg/config/etcdflags"
)

func TestLogger(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "etcd.log")
	yml := filepath.Join(dir, "etcd.yml")
	os.WriteFile(yml, []byte("log-level: debug\nlog-format: console\nlog-outputs: ["+path+"]\n"), 0o600)
	for _, tc := range []struct {
		name        string
		args        []string
		debug, json bool
	}{
		{"default", []string{"--log-outputs=" + path}, false, true},
		{"debug", []string{"--log-outputs=" + path, "--log-level=debug"}, true, true},
		{"console", []string{"--log-outputs=" + path, "--log-format=console"}, false, false},
		{"config file", []string{"--config-file=" + yml}, true, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			os.Remove(path)
			l, err := Load(Input{Args: tc.args})
			if err != nil {
				t.Fatal(err)
			}
			lg, err := l.Logger()
			if err != nil {
				t.Fatal(err)
			}
			// The member writes the same file.
			r, err := l.Resolve(t.Context(), noFind(t))
			if err != nil {
				t.Fatal(err)
			}
			c, err := etcdflags.Member(r.Args(), r.Secrets())
			if err != nil {
				t.Fatal(err)
			}
			before, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			lg.Debug("fine", zap.String("from", "supervisor"))
			lg.Info("one", zap.String("from", "supervisor"))
			c.GetLogger().Info("two", zap.String("from", "member"))
			lg.Info("three", zap.String("from", "supervisor"))
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			lines := strings.Split(strings.TrimSpace(string(data[len(before):])), "\n")
			want := 3
			if tc.debug {
				want++
			}
			if len(lines) != want {
				t.Fatalf("%d lines, want %d:\n%s", len(lines), want, data)
			}
			var line struct{ Level, Ts, Caller, Msg, From string }
			err = json.Unmarshal([]byte(lines[len(lines)-2]), &line)
			if tc.json && (err != nil || line.Level != "info" || line.Ts == "" || line.Caller == "" || line.Msg != "two" || line.From != "member") {
				t.Errorf("line %q: %+v, %v", lines[len(lines)-2], line, err)
			}
			if !tc.json && err == nil {
				t.Errorf("line %q is JSON", lines[len(lines)-2])
			}
		})
	}
}

// TestLoggerIsQuiet: to set it up writes nothing.
func TestLoggerIsQuiet(t *testing.T) {
	path := filepath.Join(t.TempDir(), "etcd.log")
	l, err := Load(Input{Args: []string{"--log-outputs=" + path}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Logger(); err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(path); err != nil || len(data) > 0 {
		t.Errorf("%q, %v", data, err)
	}
}

func TestLoggerAndRotation(t *testing.T) {
	path := filepath.Join(t.TempDir(), "etcd.log")
	l, err := Load(Input{Args: []string{"--log-outputs=" + path, "--enable-log-rotation"}})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(strings.Join(l.Notices, "\n"), "etcd-node itself logs to stderr") {
		t.Errorf("notices: %q", l.Notices)
	}
	lg, err := l.Logger()
	if err != nil {
		t.Fatal(err)
	}
	lg.Info("to stderr")
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("the rotated file is there: %v", err)
	}
	if _, err := Load(Input{Args: []string{"--enable-log-rotation"}}); err == nil {
		t.Error("rotation without a file is accepted")
	}
}
