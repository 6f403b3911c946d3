package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/etcd-node/etcd-node/pkg/control"
	"github.com/etcd-node/etcd-node/pkg/supervisor"
	"github.com/etcd-node/etcd-node/pkg/supervisor/recorder"
)

// What a daemon without a unit's directories does where the one beside its data
// is not to be had: it is told once, and nothing goes on waiting for it.
func TestBesideNotToBeHad(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		spoil   func(t *testing.T, dataDir string)
		records bool
		said    int
	}{
		"nothing is wrong": {func(*testing.T, string) {}, true, 0},
		"it cannot be made": {func(t *testing.T, dataDir string) {
			must(t, os.WriteFile(filepath.Dir(dataDir), nil, 0o600))
		}, false, 1},
		"another daemon is there": {func(t *testing.T, dataDir string) {
			must(t, os.MkdirAll(control.Beside(dataDir), 0o700))
			l, err := control.Listen(control.Beside(dataDir))
			must(t, err)
			t.Cleanup(func() { l.Close() })
		}, false, 1},
		"the socket alone cannot be made": {func(t *testing.T, dataDir string) {
			must(t, os.MkdirAll(filepath.Join(control.Beside(dataDir), control.Socket, "x"), 0o700))
		}, true, 1},
		"others may write there": {func(t *testing.T, dataDir string) {
			must(t, os.MkdirAll(control.Beside(dataDir), 0o700))
			must(t, os.Chmod(control.Beside(dataDir), 0o777))
		}, false, 1},
		"it leads elsewhere": {func(t *testing.T, dataDir string) {
			must(t, os.MkdirAll(filepath.Dir(dataDir), 0o700))
			must(t, os.Symlink(t.TempDir(), control.Beside(dataDir)))
		}, false, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dataDir := filepath.Join(t.TempDir(), "parent", "data")
			tc.spoil(t, dataDir)
			core, logs := observer.New(zapcore.InfoLevel)
			h := openHome(world{}, zap.New(core))
			h.answer(world{}, supervisor.New(supervisor.Options{Log: zap.NewNop()}))
			for range 2 { // each preparation asks for it
				h.records.Add(recorder.Record{Kind: recorder.State, Reason: "one"})
				h.beside(dataDir)
			}
			if h.records.Homeless() {
				t.Error("records wait for a directory that does not come")
			}
			h.close()
			if kept, err := recorder.Read(control.Beside(dataDir)); tc.records != (len(kept) > 2) {
				t.Errorf("records kept: %v, %v", kept, err)
			}
			if _, err := os.Stat(dataDir); !errors.Is(err, fs.ErrNotExist) && name != "it cannot be made" {
				t.Errorf("the data dir: %v", err)
			}
			if logs.Len() != tc.said {
				t.Errorf("said %v", logs.All())
			}
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// The data dir of a daemon by hand holds what stock etcd's does: a snapshot is
// restored into it as its documentation says, whatever the program is called.
func TestRestoreByHand(t *testing.T) {
	t.Parallel()
	for _, called := range []string{"etcd", "etcd-node"} {
		t.Run(called, func(t *testing.T) {
			t.Parallel()
			n := byHand(t, single(t))
			n.called = called
			n.start(false)
			n.says("ready to serve client requests")
			n.put("k", "v")
			n.shell("etcd-node ctl --endpoints=" + n.Client + " snapshot save s.db")
			n.signal(syscall.SIGTERM)
			n.exit()
			n.shell("rm -rf data/member; etcd-node utl snapshot restore s.db --data-dir=data --name=a --initial-cluster=a=" + n.Peer + " --initial-advertise-peer-urls=" + n.Peer)
			n.ForgetLines()
			n.start(false)
			n.says("ready to serve client requests")
			n.holds("k", "v")
			n.signal(syscall.SIGTERM)
			n.exit()
		})
	}
}
