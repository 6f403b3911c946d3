package recorder

import (
	"errors"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// logged returns the lines that are sent of an entry from a function.
func logged(t *testing.T, function, logger string, with, fields []zap.Field) string {
	t.Helper()
	w, lines := logPipe(t)
	core := w.Core().With(with)
	e := zapcore.Entry{
		Level: zapcore.WarnLevel, Time: time.Unix(1, 0), Message: "message", LoggerName: logger,
		Caller: zapcore.EntryCaller{Defined: true, Function: function, File: "/x/y/z.go", Line: 7}, Stack: "stack",
	}
	if c := core.Check(e, nil); c != nil {
		c.Write(fields...)
	}
	return strings.Join(lines(), "\n")
}

func TestWhatIsKept(t *testing.T) {
	fields := []zap.Field{
		zap.Error(errors.New("no space left")), zap.String("path", "/d/wal"), zap.Strings("urls", []string{"http://u:secret@h:1"}),
		zap.Duration("took", time.Second), zap.Int("request size", 9), zap.Bool("pre-vote", true), zap.Time("start", time.Unix(2, 0)),
		zap.String("request", "secret"), zap.Stringer("raft-request", time.Second*77), zap.ByteString("key", []byte("secret")), zap.Binary("key", []byte("secret")),
		zap.Any("value", []string{"secret"}), zap.Any("panic", errors.New("secret")), zap.NamedError("cause", errors.New("secret")), zap.Stack("stack"), zap.Namespace("secret"),
	}
	const numbers = `{"took": "1s", "request size": 9, "pre-vote": true, "start": `
	for function, want := range map[string]string{
		"go.etcd.io/etcd/server/v3/storage/wal.(*WAL).Save":           `1970-01-01T00:00:01.000Z warn y/z.go:7 message {"error": "no space left", "path": "/d/wal", "urls": ["http://(redacted)@h:1"], "took": "1s",`,
		"go.etcd.io/etcd/server/v3/etcdserver.(*EtcdServer).run.f1":   `"path"`,
		"github.com/etcd-node/etcd-node/pkg/member.Run":               `"error": "no space left"`,
		"go.etcd.io/etcd/server/v3/etcdserver/txn.warnOfExpensive":    "message " + numbers,
		"go.etcd.io/etcd/server/v3/storage/mvcc.F[go.etcd.io/etcd/v]": "message " + numbers,
		"go.etcd.io/raft/v3.(*raft).Step":                             "message " + numbers,
		"go.etcd.io/bbolt.(*DB).Update":                               "(message left out: it may quote data) " + numbers,
		"google.golang.org/grpc.(*Server).x":                          "(message left out: it may quote data) " + numbers,
		"go.etcd.io/etcd/server/v3/embed.wsProxyZapLogger.Warnln":     "(message left out: it may quote data) ",
		"": "(message left out: it may quote data) " + numbers,
	} {
		got := logged(t, function, "", fields[:1], fields[1:])
		if !strings.Contains(got, want) || strings.Contains(got, "secret") || strings.Contains(got, "1m17s") || strings.Contains(got, "stack") {
			t.Errorf("%s:\n got %s\nwant %s", function, got, want)
		}
	}
	// bbolt's lines can seem to come from etcd.
	if got := logged(t, "go.etcd.io/etcd/server/v3/storage/backend.(*batchTx).Put", "etcd.bbolt", nil, nil); !strings.Contains(got, "left out") {
		t.Error(got)
	}
}

func TestLevels(t *testing.T) {
	w, lines := logPipe(t)
	log := zap.New(w.Core(), zap.AddCaller(), zap.WithFatalHook(zapcore.WriteThenPanic))
	log.Debug("debug")
	log.Info("info")
	log.Warn("warn")
	log.Error("error")
	for _, die := range []func(string, ...zap.Field){log.Panic, log.Fatal} {
		func() {
			defer func() { _ = recover() }()
			die("the end")
		}()
	}
	var levels []string
	all := lines()
	for _, l := range all {
		levels = append(levels, strings.Fields(l)[1])
	}
	if got := strings.Join(levels, " "); got != "warn error panic fatal" {
		t.Errorf("%s: %q", got, all)
	}
}

func TestPackageOf(t *testing.T) {
	for function, want := range map[string]string{
		"go.etcd.io/etcd/server/v3/storage/wal.(*WAL).Save.func1": "go.etcd.io/etcd/server/v3/storage/wal",
		"go.etcd.io/raft/v3.New":                                  "go.etcd.io/raft/v3",
		"main.main":                                               "main",
		"a.b/c.F[d.e/f.T].G":                                      "a.b/c",
		"":                                                        "",
		"go.etcd.io/bbolt.(*Tx).Do-f":                             "go.etcd.io/bbolt",
	} {
		if got := packageOf(function); got != want {
			t.Errorf("%s: %s, want %s", function, got, want)
		}
	}
}

// One message by the hundred must not push out what came before it.
func TestRepeated(t *testing.T) {
	w, lines := logPipe(t)
	log := zap.New(w.Core(), zap.AddCaller())
	log.Warn("before")
	for range 1000 {
		log.Warn("the same again")
	}
	if got := lines(); len(got) > 12 || len(got) < 6 || !strings.Contains(got[0], "before") { // five each, of two seconds at most
		t.Errorf("%d lines, the first %q", len(got), got[0])
	}
}
